#include "common/platform/quota.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "common/cache/redis_connection.h"
#include "common/quota/address.h"
#include "common/rpc/shell.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::platform {
namespace {

// A thread of its own waits for Redis, and no call with it.
constexpr absl::Duration kRedisPatience = absl::Milliseconds(250);
constexpr std::size_t kMinKeyBytes = 16;

absl::StatusOr<std::string> ReadKey(const std::string& path) {
  if (path.empty()) return "";
  std::ifstream file(path, std::ios::binary);
  std::string key{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) {
    return absl::FailedPreconditionError(
        Cat("--quota_key_file ", path, ": ", std::strerror(errno)));
  }
  if (key.size() < kMinKeyBytes) {
    return absl::FailedPreconditionError(Cat("--quota_key_file ", path,
                                             ": has fewer than ", kMinKeyBytes,
                                             " bytes"));
  }
  return key;
}

}  // namespace

absl::StatusOr<std::unique_ptr<quota::CallQuota>> OpenQuota(
    const ServiceFlags& flags, telemetry::Metrics& metrics) {
  quota::CallQuotaOptions options;
  options.address_calls_per_minute = flags.address_calls_per_minute;
  options.client_calls_per_minute = flags.client_calls_per_minute;
  ASSIGN_OR_RETURN(options.key, ReadKey(flags.quota_key_file));
  quota::SharedRates::Connect connect;
  if (!flags.redis_url.empty()) {
    cache::RedisConnectionOptions redis;
    ASSIGN_OR_RETURN(redis.address, cache::ParseRedisUrl(flags.redis_url));
    redis.connect_timeout = kRedisPatience;
    redis.command_timeout = kRedisPatience;
    connect = [redis] { return cache::ConnectToRedis(redis); };
  }
  auto quota =
      std::make_unique<quota::CallQuota>(options, std::move(connect), metrics);
  quota->Start();
  return quota;
}

std::function<std::string(const grpc::CallbackServerContext&)> CallerAddresses(
    const ServiceFlags& flags) {
  return [proxies = flags.trusted_proxies](
             const grpc::CallbackServerContext& context) {
    std::string peer = rpc::PeerHost(context);
    if (proxies.empty()) return peer;
    const auto [first, last] =
        context.client_metadata().equal_range("x-forwarded-for");
    if (first == last) return peer;
    const auto& forwarded = std::prev(last)->second;
    return std::string(quota::CallerAddress(
        peer, {forwarded.data(), forwarded.size()}, proxies));
  };
}

}  // namespace parcours::platform
