#include "common/identity/testdata/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <utility>

#include "common/text/view.h"

namespace parcours::identity {

void HttpServer::FreeContext::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

HttpServer::HttpServer(Answer answer, const std::string& certificate_file)
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
  if (!certificate_file.empty()) {
    // OpenSSL writes to a connection that the client has closed.
    std::signal(SIGPIPE, SIG_IGN);
    tls_.reset(SSL_CTX_new(TLS_server_method()));
    if (SSL_CTX_use_certificate_file(tls_.get(), certificate_file.c_str(),
                                     SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls_.get(), certificate_file.c_str(),
                                    SSL_FILETYPE_PEM) != 1) {
      std::abort();
    }
  }
  thread_ = std::thread([this] { Run(); });
}

HttpServer::~HttpServer() {
  // Wakes accept, unlike close.
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

std::string HttpServer::Url(const std::string& path) const {
  return Cat(tls_ == nullptr ? "http" : "https", "://127.0.0.1:", port_, path);
}

std::string HttpServer::Ok(const std::string& body) {
  return Cat("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
             "Connection: close\r\nContent-Length: ", body.size(), "\r\n\r\n",
             body);
}

void HttpServer::Serve(const std::function<int(char*, int)>& read,
                       const std::function<int(const char*, int)>& write) {
  std::string request;
  char buffer[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const int count = read(buffer, sizeof(buffer));
    // Nothing was asked.
    if (count <= 0) return;
    request.append(buffer, static_cast<std::size_t>(count));
  }
  const std::size_t from = request.find(' ') + 1;
  const std::string path = request.substr(from, request.find(' ', from) - from);
  ++requests_;
  const std::string response = answer_(path);
  for (std::size_t sent = 0; sent < response.size();) {
    const int count =
        write(response.data() + sent, static_cast<int>(response.size() - sent));
    if (count <= 0) return;
    sent += static_cast<std::size_t>(count);
  }
}

void HttpServer::Run() {
  while (true) {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    if (tls_ == nullptr) {
      Serve(
          [connection](char* data, int size) {
            return static_cast<int>(
                recv(connection, data, static_cast<std::size_t>(size), 0));
          },
          [connection](const char* data, int size) {
            return static_cast<int>(send(connection, data,
                                         static_cast<std::size_t>(size),
                                         MSG_NOSIGNAL));
          });
    } else {
      SSL* const tls = SSL_new(tls_.get());
      SSL_set_fd(tls, connection);
      if (SSL_accept(tls) == 1) {
        Serve([tls](char* data, int size) { return SSL_read(tls, data, size); },
              [tls](const char* data, int size) {
                return SSL_write(tls, data, size);
              });
        SSL_shutdown(tls);
      }
      SSL_free(tls);
    }
    close(connection);
  }
}

}  // namespace parcours::identity
