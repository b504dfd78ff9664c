#ifndef PARCOURS_COMMON_STORAGE_FEED_TAIL_H_
#define PARCOURS_COMMON_STORAGE_FEED_TAIL_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

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

  // Called on the tail's thread once applied() has passed more changes, with
  // it. Must be quick. Added before Start.
  void AddFollower(std::function<void(int64_t applied)> follower);

  // Called on the tail's thread when changes were trimmed before this process
  // could read them, for days without the database: whatever is kept by
  // listening is worth nothing from then on. Added before Start.
  void AddLossListener(std::function<void()> listener);

  // Begins at the head of the feed; where the database cannot be asked at once,
  // at the oldest change that is kept. Nothing after Stop.
  void Start();
  void Stop();

  // The head has moved: look now.
  void Wake();

  // Every listener has been told of every change up to here, or the change was
  // committed before Start.
  int64_t applied() const;

  // What ReadChanges would say, without the database and up to applied();
  // nothing where memory does not reach back that far, and where owners decide.
  std::optional<FeedPage> Recent(const FeedQuery& query) const;

 private:
  using Kept = std::shared_ptr<const PositionedChange>;

  void Run();
  // False when the feed was read to its end, or cannot be read now.
  bool Look();
  void Tell(std::vector<PositionedChange> changes, int64_t applied);
  // False when stopping.
  bool WaitForWake();

  Database& database_;
  const Options options_;
  std::vector<std::function<void(absl::Span<const PositionedChange>)>>
      listeners_;
  std::vector<std::function<void(int64_t)>> followers_;
  std::vector<std::function<void()>> loss_listeners_;
  // Of the tail's thread: where it stands; absent: before the oldest change.
  std::optional<int64_t> at_;

  mutable std::mutex mutex_;  // guards what follows but the thread
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  int64_t applied_ = 0;
  // The changes after `kept_after_`, without gaps, up to applied_.
  std::deque<Kept> kept_;
  int64_t kept_after_ = 0;

  std::thread thread_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_FEED_TAIL_H_
