#ifndef PARCOURS_COMMON_STORAGE_FEED_TAIL_H_
#define PARCOURS_COMMON_STORAGE_FEED_TAIL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/storage/database.h"
#include "common/storage/feed.h"

namespace parcours::storage {

// The end of this database's change feed, followed by this process on a thread
// of its own: tells listeners of every change, whichever replica made it, and
// keeps the last ones in memory for those who follow. Thread-safe.
class FeedTail {
 public:
  struct Options {
    // Changes kept in memory.
    std::size_t kept = 4096;
    // How often to look when nobody wakes it, in real time.
    absl::Duration poll_interval = absl::Milliseconds(200);
  };

  // `database` outlives this.
  FeedTail(Database& database, Options options);
  // Stops.
  ~FeedTail();
  FeedTail(const FeedTail&) = delete;
  FeedTail& operator=(const FeedTail&) = delete;

  // Called on the tail's thread with the next changes, in order and without
  // gaps, before applied() passes them. Must be quick. Added before Start.
  void AddListener(
      std::function<void(absl::Span<const PositionedChange>)> listener);

  // Begins at the head of the feed.
  void Start();
  void Stop();

  // The head has moved: look now.
  void Wake();

  // Every listener has been told of every change up to here, or the change was
  // committed before Start.
  int64_t applied() const;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_FEED_TAIL_H_
