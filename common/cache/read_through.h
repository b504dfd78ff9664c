#ifndef PARCOURS_COMMON_CACHE_READ_THROUGH_H_
#define PARCOURS_COMMON_CACHE_READ_THROUGH_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/cache/cache_counters.h"
#include "common/cache/memory_cache.h"
#include "common/cache/real_clock.h"
#include "common/cache/shared_cache.h"

namespace parcours::cache {

// What stands in a shared key before the id. No field holds a ':'.
struct KeySpace {
  std::string service;
  // The incarnation of the database: installations may share one Redis, and in
  // a restored copy versions and feed positions come again.
  std::string database;
  std::string kind;
  // Of the encoding: raised when older code could misread it.
  int schema = 1;
};

// "{service}:{database}:{kind}:s{schema}:{id}".
inline std::string CacheKey(const KeySpace& space, std::string_view id) {
  return (space.service + ':' + space.database + ':' + space.kind + ":s" +
          std::to_string(space.schema) + ':')
      .append(id);
}

struct ReadThroughOptions {
  KeySpace key_space;
  MemoryCacheOptions memory;
  // The position in the change feed up to which Apply was called for every
  // change, 0 before it is followed; cheap, from any thread. Empty where no
  // feed is followed.
  std::function<int64_t()> applied;
  // Life of a value in memory, from the beginning of the read that brought it.
  // It is the staleness bound towards changes that this process is not told of:
  // absl::InfiniteDuration() only where this process makes all changes.
  absl::Duration memory_ttl = absl::Seconds(1);
  // Life of a value in the shared cache.
  absl::Duration shared_ttl = absl::Seconds(30);
  // How long a call waits for another call's read before it reads itself.
  absl::Duration patience = absl::Milliseconds(250);
  // A call with less time left goes straight to the database.
  absl::Duration shared_budget = absl::Milliseconds(320);
};

struct ReadOptions {
  // In real time, as that of the RPC.
  absl::Time deadline = absl::InfiniteFuture();
  // The caller knows this version: nothing older is an answer.
  int64_t min_version = 0;
  // The caller knows the changes up to this position of the feed: nothing from
  // before it is an answer. 0 when it knows none. It is only believed to read
  // more than is needed, so it may be invented.
  int64_t known_position = 0;
};

// Stored resources of one kind by name: from memory, else from the shared
// cache, else from the database, which alone is right. An answer does not
// depend on who asks: authorisation and redaction come after, on hits and
// misses alike.
//
// Where the feed is followed, memory holds only what is as new as the feed up
// to `applied`: reads of the database from after following began, and values of
// the shared cache whose position shows that they lack no change that this
// process was told of, or was not told of since it came before.
//
// Guarantees, whatever the shared cache loses, delays, repeats or brings back:
// - With `min_version`, an answer is at least of that version; with
//   `known_position`, it holds every change up to there.
// - Without, it holds every change up to where `applied` stood when the call
//   began. However far that lags, an answer lags behind the database by the
//   longer of memory_ttl and shared_ttl at most.
// - Once Invalidate returned on this object, an answer does not lag behind that
//   change, for as long as the name is remembered (memory), the shared cache
//   kept the tombstone, or, ever after, once Apply told of it too.
// - Absence is not cached; errors reach those who waited for that very read,
//   and a leader's DEADLINE_EXCEEDED or CANCELLED nobody but itself.
//
// `Resource` has `int64_t version`, raised by every change and never restarted
// for a name. Thread-safe.
template <typename Resource>
class ReadThrough {
 public:
  using Pointer = std::shared_ptr<const Resource>;
  using Encode = std::function<std::string(const Resource&)>;
  // Nothing when the bytes are not an encoded resource.
  using Decode = std::function<std::optional<Resource>(std::string_view)>;
  // Reads the resource from the database, committed rows only, with a deadline
  // of its own and in nobody's scope: its answer goes to all who wait.
  using Load = absl::FunctionRef<absl::StatusOr<Resource>()>;

  // `shared` may be null: memory only. `shared` and `counters` must outlive
  // this object.
  ReadThrough(ReadThroughOptions options, SharedCache* shared, Encode encode,
              Decode decode, RealClock clock, CacheCounters* counters)
      : options_(std::move(options)),
        shared_(shared),
        encode_(std::move(encode)),
        decode_(std::move(decode)),
        clock_(std::move(clock)),
        counters_(*counters),
        memory_(options_.memory, clock_) {}

  // The resource if it is in memory, else null. No waiting, no allocation: fit
  // for an RPC library's own threads. The deadline does not matter.
  Pointer TryMemory(std::string_view name, const ReadOptions& read = {}) {
    // Before memory is looked at: what it lacks was told after this.
    if (!Reached(read.known_position)) return nullptr;
    Pointer found = memory_.Get(name, read.min_version);
    if (found != nullptr) Increment(counters_.memory_hit);
    return found;
  }

  // The resource, or the status of `load`, or DEADLINE_EXCEEDED once the
  // deadline passed while another call was reading. `load` runs in this call
  // or not at all.
  absl::StatusOr<Pointer> Get(std::string_view name, Load load,
                              const ReadOptions& read = {}) {
    std::shared_ptr<Flight> overdue;
    while (true) {
      if (Pointer found = TryMemory(name, read)) return found;
      const absl::Time now = absl::Now();
      if (now >= read.deadline) return DeadlineExceeded();
      const auto [flight, leads] = Board(name, read, overdue);
      if (leads) return Lead(name, load, read, flight);
      if (flight->WaitUntil(std::min(read.deadline, now + options_.patience))) {
        if (!absl::IsDeadlineExceeded(flight->outcome.status()) &&
            !absl::IsCancelled(flight->outcome.status())) {
          return flight->outcome;
        }
      } else if (absl::Now() >= read.deadline) {
        return DeadlineExceeded();
      } else {
        overdue = flight;
      }
    }
  }

  // Call after the commit that made `version`, a deletion included, before its
  // caller is answered. Calls of Get that begin later do not answer older
  // versions.
  void Invalidate(std::string_view name, int64_t version) {
    Drop(name, version, 0);
    if (shared_ == nullptr) return;
    shared_->Invalidate(CacheKey(options_.key_space, name), version);
    // Until the tombstone was there, the shared cache may have brought an older
    // value back, if memory had forgotten the name meanwhile.
    Drop(name, version, 0);
  }

  // Call for every change that the feed tells of, before `applied` reaches its
  // `position`. Asks nothing of the shared cache: an older value there has a
  // position from before the change, and is not taken.
  void Apply(std::string_view name, int64_t version, int64_t position) {
    Drop(name, version, position);
  }

 private:
  // One read on behalf of all who ask for a name at the same time.
  struct Flight {
    Flight(int64_t version, bool follows)
        : min_version(version), following(follows) {}

    void Land() {
      {
        const std::lock_guard lock(mutex);
        landed = true;
      }
      landing.notify_all();
    }
    // False when it has not landed at `time`.
    bool WaitUntil(absl::Time time) {
      std::unique_lock lock(mutex);
      return landing.wait_until(lock, absl::ToChronoTime(time),
                                [this] { return landed; });
    }

    const int64_t min_version;
    // Whether the feed was followed when it began.
    const bool following;
    // Written by the leader, and read by others once it has landed.
    absl::StatusOr<Pointer> outcome =
        absl::InternalError("the read ended without an outcome");
    // Not Abseil's: the thread sanitizer does not see the locks of a library
    // that is not instrumented.
    std::mutex mutex;
    std::condition_variable landing;
    bool landed = false;  // guarded by mutex
  };

  void Drop(std::string_view name, int64_t version, int64_t position) {
    memory_.Invalidate(name, version, position);
    // A read under way may have begun before the commit.
    const std::lock_guard lock(flights_mutex_);
    flights_.erase(std::string(name));
  }

  static absl::Status DeadlineExceeded() {
    return absl::DeadlineExceededError(
        "the deadline passed while the resource was being read");
  }

  // Whether every change up to `position` has been applied here.
  bool Reached(int64_t position) const {
    return position <= 0 ||
           (options_.applied != nullptr && position <= options_.applied());
  }

  // Up to where the feed has been applied; 0 while it is not followed.
  int64_t Applied() {
    if (options_.applied == nullptr) return 0;
    const int64_t applied = options_.applied();
    // What came before may never have been told here.
    int64_t none = 0;
    if (applied > 0) followed_from_.compare_exchange_strong(none, applied);
    return applied;
  }

  // The flight to wait for, or a new one and true: to be led by the caller.
  // The new one takes the place of `overdue`, and of one that may have begun
  // before what the caller knows was committed.
  std::pair<std::shared_ptr<Flight>, bool> Board(
      std::string_view name, const ReadOptions& read,
      const std::shared_ptr<Flight>& overdue) {
    // Before the look at the flights: changes applied until now have detached
    // those that began before them.
    const bool reached = Reached(read.known_position);
    const bool following = Applied() > 0;
    const std::lock_guard lock(flights_mutex_);
    std::shared_ptr<Flight>& current = flights_[std::string(name)];
    if (current != nullptr && current != overdue &&
        current->min_version >= read.min_version && reached &&
        (current->following || read.known_position <= 0)) {
      return {current, false};
    }
    current = std::make_shared<Flight>(read.min_version, following);
    return {current, true};
  }

  absl::StatusOr<Pointer> Lead(std::string_view name, Load load,
                               const ReadOptions& read,
                               const std::shared_ptr<Flight>& flight) {
    // Also if `load` throws: nobody waits for a flight without a leader.
    absl::Cleanup land = [&] {
      {
        const std::lock_guard lock(flights_mutex_);
        const auto current = flights_.find(std::string(name));
        if (current != flights_.end() && current->second == flight) {
          flights_.erase(current);
        }
      }
      flight->Land();
    };
    if (Reached(read.known_position)) {
      // The previous flight may have landed just before this one began.
      if (Pointer found = TryMemory(name, read)) {
        flight->outcome = found;
        return found;
      }
      if (Pointer found = FromShared(name, read)) {
        flight->outcome = found;
        return found;
      }
    } else {
      Increment(counters_.bypassed_for_position);
    }

    const auto ticket = memory_.BeginRead(name);
    const absl::Time read_time = clock_();
    // Before the read, which thus sees every change up to there. What the
    // caller says that it knows does not vouch for anything.
    const int64_t position = Applied();
    // Before the feed is followed, a change may come of which nobody tells.
    const bool kept = position > 0 || options_.applied == nullptr;
    Increment(counters_.load);
    absl::StatusOr<Resource> loaded = load();
    if (!loaded.ok()) {
      flight->outcome = loaded.status();
      return loaded.status();
    }
    const Pointer found = std::make_shared<const Resource>(*std::move(loaded));
    const bool newest =
        kept && memory_.Put(name, found->version, found, read_time,
                            read_time + options_.memory_ttl, ticket);
    flight->outcome = found;
    std::move(land).Invoke();
    // Nobody waits for the shared cache to take it.
    if (kept && !newest) {
      Increment(counters_.guard_rejected);
    } else if (newest && shared_ != nullptr &&
               read.deadline > absl::Now() + options_.shared_budget) {
      shared_->Put(CacheKey(options_.key_space, name), found->version, position,
                   encode_(*found), read_time, options_.shared_ttl);
    }
    return found;
  }

  Pointer FromShared(std::string_view name, const ReadOptions& read) {
    if (shared_ == nullptr ||
        read.deadline < absl::Now() + options_.shared_budget) {
      return nullptr;
    }
    const bool follows = options_.applied != nullptr;
    if (follows && Applied() == 0) return nullptr;
    const auto ticket = memory_.BeginRead(name);
    const absl::Time read_time = clock_();
    std::optional<SharedCache::Entry> entry =
        shared_->Get(CacheKey(options_.key_space, name));
    if (!entry.has_value()) return nullptr;
    // A change between that position and the beginning of following may have
    // passed it by.
    if (entry->version < read.min_version ||
        (follows && entry->position < followed_from_)) {
      Increment(counters_.stale);
      return nullptr;
    }
    std::optional<Resource> resource = decode_(entry->payload);
    if (!resource.has_value() || resource->version != entry->version) {
      Increment(counters_.error);
      return nullptr;
    }
    Pointer found = std::make_shared<const Resource>(*std::move(resource));
    // Also where memory has no end: the shared value may have missed a change.
    const absl::Time expires =
        std::min(read_time + options_.memory_ttl, entry->expires);
    if (!memory_.Put(name, found->version, found, read_time, expires, ticket,
                     entry->position)) {
      Increment(counters_.stale);
      return nullptr;
    }
    return found;
  }

  const ReadThroughOptions options_;
  SharedCache* const shared_;
  const Encode encode_;
  const Decode decode_;
  const RealClock clock_;
  CacheCounters& counters_;
  MemoryCache<Resource> memory_;

  // The first position that was seen to be applied; 0 before.
  std::atomic<int64_t> followed_from_ = 0;

  std::mutex flights_mutex_;  // guards flights_
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace parcours::cache

#endif  // PARCOURS_COMMON_CACHE_READ_THROUGH_H_
