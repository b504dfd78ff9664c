#ifndef PARCOURS_COMMON_CACHE_MEMORY_CACHE_H_
#define PARCOURS_COMMON_CACHE_MEMORY_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/cache/real_clock.h"

namespace parcours::cache {

// Positions of the change feed from which nothing later is missing.
inline constexpr int64_t kEveryPosition = std::numeric_limits<int64_t>::max();

struct MemoryCacheOptions {
  // Values held at most, over all shards.
  size_t values = 8192;
  // Names without a value of which the newest known version is remembered.
  size_t guards = 8192;
  size_t shards = 16;
};

// The part of MemoryCache that does not depend on the type of the values.
class UntypedMemoryCache {
 public:
  using Value = std::shared_ptr<const void>;

  // A moment in the history of one shard.
  enum class Ticket : uint64_t {};

  UntypedMemoryCache(const MemoryCacheOptions& options, RealClock clock);

  Value Get(std::string_view name, int64_t min_version);
  Ticket BeginRead(std::string_view name);
  bool Put(std::string_view name, int64_t version, Value value,
           absl::Time read_time, absl::Time expires, Ticket ticket,
           int64_t reflects);
  void Invalidate(std::string_view name, int64_t version, int64_t position);

 private:
  struct Entry {
    std::string name;
    // The newest version known; older ones are refused.
    int64_t version = 0;
    // When it was last told of `version`, in the shard's own count.
    uint64_t raised = 0;
    // The last position in the feed that it was told of; 0 for none.
    int64_t position = 0;
    Value value;  // of that version, or null: only a guard
    absl::Time read_time;
    absl::Time expires;
  };
  using Entries = std::list<Entry>;

  struct Shard {
    std::mutex mutex;  // guards what follows
    // The most recently used first.
    Entries values;
    Entries guards;
    // The keys point into the entries.
    std::unordered_map<std::string_view, Entries::iterator> by_name;
    uint64_t moment = 0;
    // The latest `raised` among the entries evicted: a read that began before
    // it may have missed a guard.
    uint64_t fence = 0;
    // The latest `position` among them: what reflects less may lack a change.
    int64_t position_fence = 0;
  };

  Shard& ShardOf(std::string_view name);
  // Raises the version known of `name` to `version`. An older value is moved
  // to `dropped`, to be destroyed after the lock is released.
  // REQUIRES: shard.mutex is held, for Evict too.
  static Entries::iterator Raise(Shard& shard, std::string_view name,
                                 int64_t version, Value& dropped);
  void Evict(Shard& shard, Entries& evicted) const;

  const size_t values_per_shard_;
  const size_t guards_per_shard_;
  const RealClock clock_;
  std::vector<Shard> shards_;
};

// The newest known version of resources by name, in the memory of this process:
// sharded, bounded, least recently used out first. No older version ever
// replaces a newer one: the version stays known as a guard when a value is
// invalidated or expires. Guards are bounded too: when one is forgotten, fills
// by reads that began before it was raised are refused, and so is what reflects
// the change feed up to before the position that the guard was told of.
// Thread-safe.
template <typename T>
class MemoryCache {
 public:
  using Ticket = UntypedMemoryCache::Ticket;

  MemoryCache(const MemoryCacheOptions& options, RealClock clock)
      : cache_(options, std::move(clock)) {}

  // The value, or null when it is not held, expired or older than
  // `min_version`. Waits for nothing but the few instructions that another
  // thread spends in the same shard, and does not allocate.
  std::shared_ptr<const T> Get(std::string_view name, int64_t min_version = 0) {
    return std::static_pointer_cast<const T>(cache_.Get(name, min_version));
  }

  // To be called before the read whose outcome will be offered to Put.
  Ticket BeginRead(std::string_view name) { return cache_.BeginRead(name); }

  // Offers what was read. False when a newer version is known or might have
  // been: the fill is refused, and must not be offered elsewhere either. The
  // value is answered from `read_time` until before `expires`. It holds every
  // change up to the feed position `reflects`; kEveryPosition for what a read
  // of the database brought that began after its ticket was given.
  bool Put(std::string_view name, int64_t version,
           std::shared_ptr<const T> value, absl::Time read_time,
           absl::Time expires, Ticket ticket,
           int64_t reflects = kEveryPosition) {
    return cache_.Put(name, version, std::move(value), read_time, expires,
                      ticket, reflects);
  }

  // Drops values older than `version`, and refuses them from now on. `position`
  // is that of the change in the feed; 0 while it is not known.
  void Invalidate(std::string_view name, int64_t version,
                  int64_t position = 0) {
    cache_.Invalidate(name, version, position);
  }

 private:
  UntypedMemoryCache cache_;
};

}  // namespace parcours::cache

#endif  // PARCOURS_COMMON_CACHE_MEMORY_CACHE_H_
