#ifndef PARCOURS_COMMON_CACHE_SCRIPTED_SHARED_CACHE_H_
#define PARCOURS_COMMON_CACHE_SCRIPTED_SHARED_CACHE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "common/cache/real_clock.h"
#include "common/cache/shared_cache.h"

// For tests of what reads through a cache.
namespace parcours::cache {

struct Record {
  int64_t version = 0;
  std::string text;
};

inline std::string EncodeRecord(const Record& record) {
  return std::to_string(record.version) + '|' + record.text;
}

inline std::optional<Record> DecodeRecord(std::string_view bytes) {
  const size_t bar = bytes.find('|');
  if (bar == bytes.npos) return std::nullopt;
  return Record{std::stoll(std::string(bytes.substr(0, bar))),
                std::string(bytes.substr(bar + 1))};
}

// A SharedCache that follows the contract to the letter, and loses or delays
// what a test tells it to.
class ScriptedSharedCache final : public SharedCache {
 public:
  explicit ScriptedSharedCache(RealClock clock) : clock_(std::move(clock)) {}

  std::optional<Entry> Get(std::string_view key) override {
    if (before_get) before_get();
    const std::lock_guard lock(mutex_);
    ++gets;
    const auto found = held_.find(std::string(key));
    if (down || found == held_.end() || found->second.tombstone ||
        clock_() >= found->second.entry.expires) {
      return std::nullopt;
    }
    return found->second.entry;
  }

  void Put(std::string_view key, int64_t version, int64_t position,
           std::string_view payload, absl::Time read_time,
           absl::Duration ttl) override {
    if (before_put) before_put();
    const std::lock_guard lock(mutex_);
    ++puts;
    if (down || clock_() > read_time + kTombstoneTtl / 2) return;
    Set(std::string(key),
        {{version, position, std::string(payload), read_time + ttl}, false});
  }

  void Invalidate(std::string_view key, int64_t version) override {
    if (before_invalidate) before_invalidate();
    const std::lock_guard lock(mutex_);
    if (down || loses_tombstones) return;
    Set(std::string(key), {{version, 0, "", clock_() + kTombstoneTtl}, true});
  }

  void Wipe() {
    const std::lock_guard lock(mutex_);
    held_.clear();
  }

  void Plant(const std::string& key, int64_t version, std::string payload,
             absl::Time expires, int64_t position = 0) {
    const std::lock_guard lock(mutex_);
    held_[key] = {{version, position, std::move(payload), expires}, false};
  }

  // Answers nothing and takes nothing, tombstones included.
  std::atomic<bool> down = false;
  std::atomic<bool> loses_tombstones = false;
  std::atomic<int> gets = 0;
  std::atomic<int> puts = 0;
  std::function<void()> before_get;
  std::function<void()> before_put;
  std::function<void()> before_invalidate;

 private:
  struct Held {
    Entry entry;
    bool tombstone = false;
  };

  static constexpr absl::Duration kTombstoneTtl = absl::Seconds(20);

  // REQUIRES: mutex_ is held.
  void Set(const std::string& key, Held held) {
    const auto found = held_.find(key);
    if (found != held_.end() && clock_() < found->second.entry.expires) {
      const int64_t guard = found->second.entry.version;
      if (held.entry.version < guard) return;
      if (held.entry.version == guard && held.tombstone &&
          !found->second.tombstone) {
        return;
      }
    }
    held_[key] = std::move(held);
  }

  const RealClock clock_;
  std::mutex mutex_;  // guards held_
  std::map<std::string, Held> held_;
};

}  // namespace parcours::cache

#endif  // PARCOURS_COMMON_CACHE_SCRIPTED_SHARED_CACHE_H_
