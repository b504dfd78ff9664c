#include "common/identity/testdata/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

#include "common/text/view.h"

namespace parcours::identity {

HttpServer::HttpServer(Answer answer)
    : answer_(std::move(answer)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

HttpServer::~HttpServer() {
  // Wakes accept, unlike close.
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

std::string HttpServer::Url(const std::string& path) const {
  return Cat("http://127.0.0.1:", port_, path);
}

std::string HttpServer::Ok(const std::string& body) {
  return Cat("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
             "Connection: close\r\nContent-Length: ", body.size(), "\r\n\r\n",
             body);
}

void HttpServer::Run() {
  while (true) {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = read(connection, buffer, sizeof(buffer));
      if (count <= 0) break;
      request.append(buffer, static_cast<std::size_t>(count));
    }
    const std::size_t from = request.find(' ') + 1;
    const std::string path =
        request.substr(from, request.find(' ', from) - from);
    ++requests_;
    const std::string response = answer_(path);
    for (std::size_t sent = 0; sent < response.size();) {
      const ssize_t count = send(connection, response.data() + sent,
                                 response.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    close(connection);
  }
}

}  // namespace parcours::identity
