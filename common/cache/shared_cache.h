#ifndef PARCOURS_COMMON_CACHE_SHARED_CACHE_H_
#define PARCOURS_COMMON_CACHE_SHARED_CACHE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace parcours::cache {

// A cache that several processes share. It may lose anything at any time, and
// never makes a call fail: what goes wrong is a miss. Versions are those of the
// stored row: not negative, raised by every change, never restarted for a key.
// Thread-safe.
class SharedCache {
 public:
  struct Entry {
    int64_t version = 0;
    // The value holds every change up to this position of the change feed; 0
    // when that is not known.
    int64_t position = 0;
    std::string payload;
    // From then on the value must not be used.
    absl::Time expires;
  };

  virtual ~SharedCache() = default;

  // The value under `key`, or nothing. Bounded in time by the implementation.
  virtual std::optional<Entry> Get(std::string_view key) = 0;

  // Offers a value that was read from the database by a read that began at
  // `read_time`, when `position` of the change feed had been reached; it is
  // used until `read_time + ttl` at most. What Get returns has the position
  // that was given here, whatever was done to it meanwhile. Refused when a
  // newer version or tombstone is held, or when the read took so long that a
  // tombstone could have come and gone meanwhile.
  virtual void Put(std::string_view key, int64_t version, int64_t position,
                   std::string_view payload, absl::Time read_time,
                   absl::Duration ttl) = 0;

  // Call after the commit that made `version`, a deletion included: older
  // values are dropped, and not accepted for a while. A value of that very
  // version stays, so calling again (from the change feed) costs no hit.
  virtual void Invalidate(std::string_view key, int64_t version) = 0;
};

}  // namespace parcours::cache

#endif  // PARCOURS_COMMON_CACHE_SHARED_CACHE_H_
