#ifndef PARCOURS_COMMON_CACHE_REDIS_CONNECTION_H_
#define PARCOURS_COMMON_CACHE_REDIS_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace parcours::cache {

// Where Redis listens: a path of a Unix socket, or a host and port.
struct RedisAddress {
  std::string socket_path;
  std::string host;
  int port = 0;
};

// Reads "redis://host:port" (the port is 6379 unless given) or "unix:///path".
// INVALID_ARGUMENT for anything else: a user or password has no place in a flag
// that every process of the machine can read. The text of the error does not
// repeat the URL.
absl::StatusOr<RedisAddress> ParseRedisUrl(std::string_view url);

struct RedisReply {
  enum class Kind { kNil, kString, kInteger };
  Kind kind = Kind::kNil;
  std::string text;     // of kString
  int64_t integer = 0;  // of kInteger
};

// One connection. Not thread-safe.
class RedisConnection {
 public:
  virtual ~RedisConnection() = default;

  // Sends one command and waits for its reply. Arguments may hold any bytes.
  //   UNAVAILABLE          no reply in time, the connection broke, or the
  //                        server cannot serve now (LOADING, READONLY,
  //                        MASTERDOWN, BUSY, or what is not named below). The
  //                        command may have run, or may still run.
  //   RESOURCE_EXHAUSTED   OOM: the server has no memory for writes
  //   NOT_FOUND            NOSCRIPT: the script is not loaded
  //   FAILED_PRECONDITION  WRONGTYPE: the key holds another type
  //   UNAUTHENTICATED      NOAUTH or WRONGPASS
  //   PERMISSION_DENIED    NOPERM
  virtual absl::StatusOr<RedisReply> Execute(
      absl::Span<const std::string_view> command) = 0;

  // False once the next reply might not be that of the next command: the
  // connection must be thrown away.
  virtual bool usable() const = 0;
};

struct RedisConnectionOptions {
  RedisAddress address;
  // Of an ACL user; none when the password is empty.
  std::string username = "default";
  std::string password;
  absl::Duration connect_timeout = absl::Milliseconds(50);
  // For a whole command, however slowly its reply drips.
  absl::Duration command_timeout = absl::Milliseconds(30);
};

// Connects through hiredis, and authenticates. Errors as of Execute. Ignores
// SIGPIPE in the process from the first call on, unless it is handled.
//
// Resolving a host name takes the time that the system's resolver takes: where
// that may hang, give an address.
absl::StatusOr<std::unique_ptr<RedisConnection>> ConnectToRedis(
    const RedisConnectionOptions& options);

}  // namespace parcours::cache

#endif  // PARCOURS_COMMON_CACHE_REDIS_CONNECTION_H_
