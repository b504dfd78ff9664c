#ifndef PARCOURS_COMMON_CACHE_READ_THROUGH_H_
#define PARCOURS_COMMON_CACHE_READ_THROUGH_H_

#include <algorithm>
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
  std::string body;
  std::string kind;
  // Of the encoding: raised when older code could misread it.
  int schema = 1;
};

// "{service}:{body}:{kind}:s{schema}:{id}".
inline std::string CacheKey(const KeySpace& space, std::string_view id) {
  return (space.service + ':' + space.body + ':' + space.kind + ":s" +
          std::to_string(space.schema) + ':')
      .append(id);
}

struct ReadThroughOptions {
  KeySpace key_space;
  MemoryCacheOptions memory;
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
};

// Stored resources of one kind by name: from memory, else from the shared
// cache, else from the database, which alone is right. An answer does not
// depend on who asks: authorisation and redaction come after, on hits and
// misses alike.
//
// Guarantees, whatever the shared cache loses, delays or invents:
// - Without `min_version`, an answer lags behind the database by memory_ttl
//   plus shared_ttl at most. Once Invalidate returned on this object, it does
//   not lag behind that change, for as long as the name is remembered (memory)
//   or the shared cache kept the tombstone.
// - With `min_version`, it is at least of that version.
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
  // for an RPC library's own threads.
  Pointer TryMemory(std::string_view name, int64_t min_version = 0) {
    Pointer found = memory_.Get(name, min_version);
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
      if (Pointer found = TryMemory(name, read.min_version)) return found;
      const absl::Time now = absl::Now();
      if (now >= read.deadline) return DeadlineExceeded();
      const auto [flight, leads] = Board(name, read.min_version, overdue);
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
  // caller is answered; and for every change that the feed tells of. Calls of
  // Get that begin later do not answer older versions.
  void Invalidate(std::string_view name, int64_t version) {
    Drop(name, version);
    if (shared_ == nullptr) return;
    shared_->Invalidate(CacheKey(options_.key_space, name), version);
    // Until the tombstone was there, the shared cache may have brought an older
    // value back, if memory had forgotten the name meanwhile.
    Drop(name, version);
  }

 private:
  // One read on behalf of all who ask for a name at the same time.
  struct Flight {
    explicit Flight(int64_t version) : min_version(version) {}

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
    // Written by the leader, and read by others once it has landed.
    absl::StatusOr<Pointer> outcome =
        absl::InternalError("the read ended without an outcome");
    // Not Abseil's: the thread sanitizer does not see the locks of a library
    // that is not instrumented.
    std::mutex mutex;
    std::condition_variable landing;
    bool landed = false;  // guarded by mutex
  };

  void Drop(std::string_view name, int64_t version) {
    memory_.Invalidate(name, version);
    // A read under way may have begun before the commit.
    const std::lock_guard lock(flights_mutex_);
    flights_.erase(std::string(name));
  }

  static absl::Status DeadlineExceeded() {
    return absl::DeadlineExceededError(
        "the deadline passed while the resource was being read");
  }

  // The flight to wait for, or a new one and true: to be led by the caller.
  // The new one takes the place of `overdue`, and of one that may have begun
  // before `min_version` was committed.
  std::pair<std::shared_ptr<Flight>, bool> Board(
      std::string_view name, int64_t min_version,
      const std::shared_ptr<Flight>& overdue) {
    const std::lock_guard lock(flights_mutex_);
    std::shared_ptr<Flight>& current = flights_[std::string(name)];
    if (current != nullptr && current != overdue &&
        current->min_version >= min_version) {
      return {current, false};
    }
    current = std::make_shared<Flight>(min_version);
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
    // The previous flight may have landed just before this one began.
    if (Pointer found = TryMemory(name, read.min_version)) {
      flight->outcome = found;
      return found;
    }
    if (Pointer found = FromShared(name, read)) {
      flight->outcome = found;
      return found;
    }

    const auto ticket = memory_.BeginRead(name);
    const absl::Time read_time = clock_();
    Increment(counters_.load);
    absl::StatusOr<Resource> loaded = load();
    if (!loaded.ok()) {
      flight->outcome = loaded.status();
      return loaded.status();
    }
    const Pointer found = std::make_shared<const Resource>(*std::move(loaded));
    const bool newest = memory_.Put(name, found->version, found, read_time,
                                    read_time + options_.memory_ttl, ticket);
    flight->outcome = found;
    std::move(land).Invoke();
    // Nobody waits for the shared cache to take it.
    if (!newest) {
      Increment(counters_.guard_rejected);
    } else if (shared_ != nullptr &&
               read.deadline > absl::Now() + options_.shared_budget) {
      shared_->Put(CacheKey(options_.key_space, name), found->version,
                   encode_(*found), read_time, options_.shared_ttl);
    }
    return found;
  }

  Pointer FromShared(std::string_view name, const ReadOptions& read) {
    if (shared_ == nullptr ||
        read.deadline < absl::Now() + options_.shared_budget) {
      return nullptr;
    }
    const auto ticket = memory_.BeginRead(name);
    const absl::Time read_time = clock_();
    std::optional<SharedCache::Entry> entry =
        shared_->Get(CacheKey(options_.key_space, name));
    if (!entry.has_value()) return nullptr;
    if (entry->version < read.min_version) {
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
    if (!memory_.Put(name, found->version, found, read_time, expires, ticket)) {
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

  std::mutex flights_mutex_;  // guards flights_
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace parcours::cache

#endif  // PARCOURS_COMMON_CACHE_READ_THROUGH_H_
