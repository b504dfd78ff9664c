#ifndef PARCOURS_COMMON_CACHE_CACHE_COUNTERS_H_
#define PARCOURS_COMMON_CACHE_CACHE_COUNTERS_H_

#include <atomic>
#include <cstdint>

namespace parcours::cache {

// What the caches of one process have done since it started. Written with
// relaxed increments and read by telemetry at any time, from any thread.
struct CacheCounters {
  using Count = std::atomic<uint64_t>;

  // Answered from the memory of this process.
  Count memory_hit = 0;
  // Answered from the database.
  Count load = 0;
  // Of these, the reads for a caller who knows a feed position that this
  // process has not been told of.
  Count bypassed_for_position = 0;

  // The shared cache held a genuine value that was still valid.
  Count hit = 0;
  // It held nothing, or a tombstone.
  Count miss = 0;
  // It held a value older than what this process or its caller knows, one that
  // may be, or one past its sealed expiry.
  Count stale = 0;
  // A fill was refused, since a newer version is known.
  Count guard_rejected = 0;
  // A command failed or timed out, or a value was forged, foreign or garbage.
  Count error = 0;
  // Not asked, since the breaker was open.
  Count breaker_open = 0;
  // Not asked, since every connection was in use.
  Count pool_exhausted = 0;
  // Tombstones that could not be written at once; they are written later.
  Count invalidation_deferred = 0;
};

inline void Increment(CacheCounters::Count& count) {
  count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace parcours::cache

#endif  // PARCOURS_COMMON_CACHE_CACHE_COUNTERS_H_
