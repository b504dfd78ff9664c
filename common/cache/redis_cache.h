#ifndef PARCOURS_COMMON_CACHE_REDIS_CACHE_H_
#define PARCOURS_COMMON_CACHE_REDIS_CACHE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/cache/cache_counters.h"
#include "common/cache/circuit_breaker.h"
#include "common/cache/real_clock.h"
#include "common/cache/redis_connection.h"
#include "common/cache/shared_cache.h"
#include "common/crypto/sealing.h"

namespace parcours::cache {

struct RedisCacheOptions {
  RedisConnectionOptions connection;
  // 32 random bytes, the same in all processes that share the values.
  std::string sealing_key;
  // Connections at most. A call that finds all of them in use does without.
  size_t connections = 8;
  // How long a key refuses older values after Invalidate. Fills by reads that
  // took longer than half of it are dropped, which also is how far the clocks
  // of the machines may differ.
  absl::Duration tombstone_ttl = absl::Seconds(20);
  // Longest life of a value: the staleness bound when an invalidation is lost.
  absl::Duration max_ttl = absl::Seconds(30);
  // Larger payloads are not cached.
  size_t max_payload_bytes = 1 << 20;
  // Tombstones kept for later while Redis does not answer. Past that number,
  // this process reads nothing from Redis for `max_ttl`.
  size_t max_deferred = 16384;
  CircuitBreaker::Options breaker;
};

// SharedCache in Redis. A value is stored as
//   version (20 digits) | 'v' | nonce, sealed (expiry in µs (8 bytes) |
//   feed position (8 bytes) | payload)
// with key and version as associated data, a tombstone as version | 't'. One
// script compares versions, as strings since Lua's numbers are doubles. What is
// forged, foreign, garbage or of another type is a miss, and gives way to the
// next fill.
//
// Each call costs at most one connect and one command timeout, plus those of
// the tombstones deferred before it; nothing while the breaker is open.
class RedisCache final : public SharedCache {
 public:
  using Connect =
      std::function<absl::StatusOr<std::unique_ptr<RedisConnection>>()>;

  // INVALID_ARGUMENT for a sealing key of the wrong length. Does not connect:
  // a process starts without Redis. `counters` must outlive the cache.
  static absl::StatusOr<std::unique_ptr<RedisCache>> Create(
      const RedisCacheOptions& options, RealClock clock,
      CacheCounters* counters);
  // The same through other connections.
  static absl::StatusOr<std::unique_ptr<RedisCache>> Create(
      const RedisCacheOptions& options, Connect connect, RealClock clock,
      CacheCounters* counters);

  std::optional<Entry> Get(std::string_view key) override;
  void Put(std::string_view key, int64_t version, int64_t position,
           std::string_view payload, absl::Time read_time,
           absl::Duration ttl) override;
  // When Redis does not take the tombstone, it is kept in this process and
  // written with a later call; until then this process takes no older value of
  // `key` from Redis.
  void Invalidate(std::string_view key, int64_t version) override;

  CircuitBreaker::State breaker_state() const { return breaker_.state(); }

 private:
  RedisCache(const RedisCacheOptions& options, crypto::Sealer sealer,
             Connect connect, RealClock clock, CacheCounters* counters);

  // Runs one command on a connection of the pool, within breaker and counters.
  absl::StatusOr<RedisReply> Run(
      absl::FunctionRef<absl::StatusOr<RedisReply>(RedisConnection&)> command);
  absl::StatusOr<std::unique_ptr<RedisConnection>> Borrow();
  void GiveBack(std::unique_ptr<RedisConnection> connection);

  // Runs the script; true when the value was taken, false when refused.
  absl::StatusOr<bool> SetUnlessOlder(std::string_view key,
                                      std::string_view version,
                                      std::string_view kind,
                                      std::string_view sealed,
                                      absl::Duration ttl, absl::Time apply_by);
  absl::Status SetTombstone(std::string_view key, int64_t version);

  void Defer(std::string_view key, int64_t version);
  void Written(std::string_view key, int64_t version);
  void WriteDeferred();
  // The version below which nothing that Redis holds under `key` is right.
  int64_t DeferredVersion(std::string_view key) const;
  bool Distrusted();

  const RedisCacheOptions options_;
  const crypto::Sealer sealer_;
  const Connect connect_;
  const RealClock clock_;
  CacheCounters& counters_;
  CircuitBreaker breaker_;

  std::mutex pool_mutex_;  // guards the pool: idle_ and open_
  std::vector<std::unique_ptr<RedisConnection>> idle_;
  size_t open_ = 0;

  // Guards deferred_ and distrusted_until_.
  mutable std::mutex deferred_mutex_;
  std::unordered_map<std::string, int64_t> deferred_;
  absl::Time distrusted_until_ = absl::InfinitePast();
  // Whether one of the two above matters, to be read without the lock.
  std::atomic<bool> behind_ = false;
  std::atomic<bool> writing_deferred_ = false;
};

}  // namespace parcours::cache

#endif  // PARCOURS_COMMON_CACHE_REDIS_CACHE_H_
