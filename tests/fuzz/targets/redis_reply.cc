#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include "common/cache/redis_connection.h"
#include "tests/fuzz/target.h"

namespace {

namespace cache = parcours::cache;

// A server on a socket that answers one command with given bytes, and closes.
class Server {
 public:
  Server() {
    char folder[] = "/tmp/parcours-fuzz-XXXXXX";
    PARCOURS_FUZZ_CHECK(mkdtemp(folder) != nullptr);
    folder_ = folder;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(),
                 sizeof(address.sun_path) - 1);
    socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    PARCOURS_FUZZ_CHECK(bind(socket_,
                             reinterpret_cast<const sockaddr*>(&address),
                             sizeof(address)) == 0 &&
                        listen(socket_, 16) == 0);
  }
  ~Server() {
    close(socket_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string path() const { return folder_ + "/s"; }

  void Answer(std::string_view bytes) const {
    const int client = accept(socket_, nullptr, nullptr);
    if (client < 0) return;
    char command[256];
    if (read(client, command, sizeof(command)) > 0) {
      (void)!send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    close(client);
  }

 private:
  std::string folder_;
  int socket_ = -1;
};

}  // namespace

PARCOURS_FUZZ_TARGET(redis_reply) {
  static const Server server;
  // More than the socket takes at once would wait for somebody to read.
  if (input.size() > 64 * 1024) return;
  std::thread answering([&] { server.Answer(input); });
  cache::RedisConnectionOptions options;
  options.address.socket_path = server.path();
  options.command_timeout = absl::Seconds(1);
  auto connection = cache::ConnectToRedis(options);
  PARCOURS_FUZZ_CHECK(connection.ok());
  const auto reply = (*connection)->Execute({"GET", "x"});
  if (reply.ok() && reply->kind == cache::RedisReply::Kind::kString) {
    PARCOURS_FUZZ_CHECK(reply->text.size() <= input.size());
  }
  if (!(*connection)->usable()) {
    PARCOURS_FUZZ_CHECK(!(*connection)->Execute({"GET", "x"}).ok());
  }
  connection->reset();
  answering.join();
}
