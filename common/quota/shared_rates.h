#ifndef PARCOURS_COMMON_QUOTA_SHARED_RATES_H_
#define PARCOURS_COMMON_QUOTA_SHARED_RATES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/cache/circuit_breaker.h"
#include "common/cache/redis_connection.h"
#include "common/quota/rate_table.h"

namespace parcours::quota {

// The buckets that several processes share, in Redis: under a name that holds
// the key's digits the time at which the bucket will be empty, by Redis' own
// clock, with the life that this gives it. Not thread-safe.
class SharedRates {
 public:
  using Connect =
      std::function<absl::StatusOr<std::unique_ptr<cache::RedisConnection>>()>;

  // At most `most` nanoseconds are ever kept in a bucket, whoever wrote it.
  SharedRates(Connect connect, int64_t most);

  // Adds what this process used and returns what every bucket holds now, in the
  // order of `uses`: at least what this process knew it to hold, so that a
  // Redis that was emptied learns it again. One round trip for up to
  // kMaxUses keys. UNAVAILABLE, or what RedisConnection answers; it is not
  // known then what was added.
  absl::StatusOr<std::vector<int64_t>> Exchange(
      absl::Span<const RateTable::Use> uses);

  static constexpr std::size_t kMaxUses = 256;

 private:
  const Connect connect_;
  const std::string most_;
  cache::CircuitBreaker breaker_;
  std::unique_ptr<cache::RedisConnection> connection_;
};

}  // namespace parcours::quota

#endif  // PARCOURS_COMMON_QUOTA_SHARED_RATES_H_
