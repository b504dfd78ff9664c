#ifndef PARCOURS_COMMON_QUOTA_RATE_TABLE_H_
#define PARCOURS_COMMON_QUOTA_RATE_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace parcours::quota {

// Leaky buckets by key, after the generic cell rate algorithm (ITU-T I.371): of
// each key only the time is kept at which its bucket will be empty. A bucket
// holds `burst` worth of calls that come every `interval`.
//
// The table has a fixed size. A key that finds no room takes that of the key
// with the least in its bucket, which is forgotten. Times and durations are
// nanoseconds of one clock that does not go back. Thread-safe.
class RateTable {
 public:
  // Room for `max_keys`, rounded up to a power of two of at least 512.
  RateTable(std::size_t max_keys, int64_t burst);

  // Puts one call of `key` into its bucket and returns 0; where it does not
  // fit, leaves the bucket as it is and returns how long until it would.
  // REQUIRES: 0 < interval <= burst.
  int64_t Take(uint64_t key, int64_t interval, int64_t now);

  // Takes one call out again.
  void GiveBack(uint64_t key, int64_t interval);

  // What one key used.
  struct Use {
    uint64_t key = 0;
    // Put into the bucket since the last Collect.
    int64_t cost = 0;
    // What is in the bucket.
    int64_t debt = 0;
  };
  // The keys that were used since the last call.
  std::vector<Use> Collect(int64_t now);

  // At `now`, the bucket of `key` held `debt` over all processes; what was put
  // in here since the last Collect comes on top.
  void Adopt(uint64_t key, int64_t debt, int64_t now);

  // Keys forgotten although something was in their buckets.
  int64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kWays = 8;
  static constexpr std::size_t kShards = 64;

  struct Entry {
    uint64_t key = 0;  // 0: free
    int64_t empty_at = 0;
    int64_t uncollected = 0;
    bool listed = false;  // in `used` of its shard
  };
  struct alignas(64) Shard {
    std::mutex mutex;
    std::vector<Entry> entries;  // sets of kWays
    std::vector<uint32_t> used;
  };

  static uint64_t Normal(uint64_t key) { return key == 0 ? 1 : key; }
  Shard& ShardOf(uint64_t key) { return (*shards_)[key % kShards]; }
  std::size_t FirstOf(uint64_t key) const {
    return (key / kShards & set_mask_) * kWays;
  }
  static Entry* Find(Shard& shard, std::size_t first, uint64_t key);

  const int64_t burst_;
  std::size_t set_mask_ = 0;
  std::unique_ptr<std::array<Shard, kShards>> shards_;
  std::atomic<int64_t> evicted_ = 0;
};

}  // namespace parcours::quota

#endif  // PARCOURS_COMMON_QUOTA_RATE_TABLE_H_
