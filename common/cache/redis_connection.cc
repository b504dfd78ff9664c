#include "common/cache/redis_connection.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/time/clock.h"

namespace parcours::cache {
namespace {

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
using Context = std::unique_ptr<redisContext, FreeContext>;

struct FreeReply {
  void operator()(void* reply) const { freeReplyObject(reply); }
};

// The longest reply that is read, in bytes: more than any value that is stored.
constexpr std::size_t kMaxReplyBytes = std::size_t{16} << 20;

// No command of ours has a list as its answer. hiredis 0.14 makes room for as
// many elements as the first line announces, before any of them came.
void* RefuseArray(const redisReadTask*, int) { return nullptr; }

redisReplyObjectFunctions* WithoutArrays(redisReplyObjectFunctions& usual) {
  static redisReplyObjectFunctions functions = [&usual] {
    redisReplyObjectFunctions changed = usual;
    changed.createArray = RefuseArray;
    return changed;
  }();
  return &functions;
}

// A broken connection must be an error, not the death of the process.
void IgnoreBrokenPipes() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction current = {};
    if (sigaction(SIGPIPE, nullptr, &current) == 0 &&
        current.sa_handler == SIG_DFL) {
      signal(SIGPIPE, SIG_IGN);
    }
  });
}

// Zero would mean no limit.
timeval TimevalOf(absl::Duration duration) {
  return absl::ToTimeval(std::max(duration, absl::Microseconds(1)));
}

absl::Status ErrorOfReply(std::string_view text) {
  const auto code = [text] {
    const std::string_view word = text.substr(0, text.find(' '));
    if (word == "NOSCRIPT") return absl::StatusCode::kNotFound;
    if (word == "WRONGTYPE") return absl::StatusCode::kFailedPrecondition;
    if (word == "OOM") return absl::StatusCode::kResourceExhausted;
    if (word == "NOPERM") return absl::StatusCode::kPermissionDenied;
    if (word == "NOAUTH" || word == "WRONGPASS") {
      return absl::StatusCode::kUnauthenticated;
    }
    return absl::StatusCode::kUnavailable;
  }();
  return absl::Status(code, absl::string_view(text.data(), text.size()));
}

class HiredisConnection final : public RedisConnection {
 public:
  HiredisConnection(Context context, absl::Duration command_timeout)
      : context_(std::move(context)), command_timeout_(command_timeout) {
    redisReader& reader = *context_->reader;
    reader.fn = WithoutArrays(*reader.fn);
  }

  absl::StatusOr<RedisReply> Execute(
      absl::Span<const std::string_view> command) override {
    if (context_ == nullptr) {
      return absl::UnavailableError("the connection was thrown away");
    }
    const absl::Time deadline = absl::Now() + command_timeout_;
    std::vector<const char*> arguments;
    std::vector<size_t> lengths;
    for (const std::string_view argument : command) {
      arguments.push_back(argument.data());
      lengths.push_back(argument.size());
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(command.size()),
                               arguments.data(), lengths.data()) != REDIS_OK) {
      return ThrowAway(context_->errstr);
    }
    // Not redisGetReply: its timeout starts anew with every byte received.
    for (int written = 0; written == 0;) {
      if (!Limit(deadline)) return ThrowAway("timed out writing");
      if (redisBufferWrite(context_.get(), &written) != REDIS_OK) {
        return ThrowAway(context_->errstr);
      }
    }
    std::unique_ptr<redisReply, FreeReply> reply;
    while (reply == nullptr) {
      if (!Limit(deadline)) return ThrowAway("timed out reading");
      void* parsed = nullptr;
      if (redisBufferRead(context_.get()) != REDIS_OK ||
          redisGetReplyFromReader(context_.get(), &parsed) != REDIS_OK) {
        return ThrowAway(context_->errstr);
      }
      reply.reset(static_cast<redisReply*>(parsed));
      if (reply == nullptr && context_->reader->len > kMaxReplyBytes) {
        return ThrowAway("the reply is too long");
      }
    }
    switch (reply->type) {
      case REDIS_REPLY_NIL:
        return RedisReply{};
      case REDIS_REPLY_INTEGER:
        return RedisReply{RedisReply::Kind::kInteger, "", reply->integer};
      case REDIS_REPLY_STRING:
      case REDIS_REPLY_STATUS:
        return RedisReply{RedisReply::Kind::kString,
                          std::string(reply->str, reply->len), 0};
      case REDIS_REPLY_ERROR: {
        const std::string_view text(reply->str, reply->len);
        // After a failover the old master answers so for ever.
        if (text.substr(0, 8) == "READONLY") return ThrowAway(reply->str);
        return ErrorOfReply(text);
      }
      default:
        return ThrowAway("a reply of an unexpected type");
    }
  }

  bool usable() const override { return context_ != nullptr; }

 private:
  // Lets the next system call block until `deadline` at most; false when that
  // is past.
  bool Limit(absl::Time deadline) {
    const absl::Duration remaining =
        std::min(deadline - absl::Now(), command_timeout_);
    return remaining > absl::ZeroDuration() &&
           redisSetTimeout(context_.get(), TimevalOf(remaining)) == REDIS_OK;
  }

  // After a failure, what arrives next may belong to an earlier command.
  absl::Status ThrowAway(const char* why) {
    absl::Status error = absl::UnavailableError(why);
    context_ = nullptr;
    return error;
  }

  Context context_;
  const absl::Duration command_timeout_;
};

}  // namespace

absl::StatusOr<RedisAddress> ParseRedisUrl(std::string_view url) {
  constexpr std::string_view kUnix = "unix://";
  constexpr std::string_view kTcp = "redis://";
  RedisAddress address;
  if (url.substr(0, kUnix.size()) == kUnix) {
    address.socket_path = url.substr(kUnix.size());
    if (address.socket_path.substr(0, 1) == "/") return address;
  } else if (url.substr(0, kTcp.size()) == kTcp) {
    url.remove_prefix(kTcp.size());
    if (!url.empty() && url.back() == '/') url.remove_suffix(1);
    const size_t colon = url.rfind(':');
    // An IPv6 address stands in brackets.
    const bool has_port =
        colon != std::string_view::npos && url.find(']', colon) == url.npos;
    std::string_view host = has_port ? url.substr(0, colon) : url;
    address.port = 6379;
    bool valid_port = true;
    if (has_port) {
      const std::string_view port = url.substr(colon + 1);
      const auto [end, error] =
          std::from_chars(port.data(), port.data() + port.size(), address.port);
      valid_port = error == std::errc() && end == port.data() + port.size() &&
                   address.port >= 1 && address.port <= 65535;
    }
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
      host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
      valid_port = false;
    }
    address.host = host;
    if (valid_port && !host.empty() &&
        host.find_first_of("@/?#[] ") == std::string_view::npos) {
      return address;
    }
  }
  return absl::InvalidArgumentError(
      "the Redis URL must be redis://host:port or unix:///path, without user "
      "or password");
}

absl::StatusOr<std::unique_ptr<RedisConnection>> ConnectToRedis(
    const RedisConnectionOptions& options) {
  IgnoreBrokenPipes();
  const RedisAddress& address = options.address;
  const timeval limit = TimevalOf(options.connect_timeout);
  Context context(
      address.socket_path.empty()
          ? redisConnectWithTimeout(address.host.c_str(), address.port, limit)
          : redisConnectUnixWithTimeout(address.socket_path.c_str(), limit));
  if (context == nullptr) return absl::UnavailableError("no Redis context");
  if (context->err != 0) return absl::UnavailableError(context->errstr);
  // Child processes (document conversion) do not inherit it.
  fcntl(context->fd, F_SETFD, FD_CLOEXEC);
  // The connect timeout bounds no command.
  if (redisSetTimeout(context.get(), TimevalOf(options.command_timeout)) !=
      REDIS_OK) {
    return absl::UnavailableError(context->errstr);
  }
  auto connection = std::make_unique<HiredisConnection>(
      std::move(context), options.command_timeout);
  if (!options.password.empty()) {
    const absl::StatusOr<RedisReply> reply =
        connection->Execute({"AUTH", options.username, options.password});
    if (!reply.ok()) return reply.status();
  }
  return connection;
}

}  // namespace parcours::cache
