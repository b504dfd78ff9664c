#include "common/cache/memory_cache.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace parcours::cache {
namespace {

size_t PerShard(size_t total, size_t shards) {
  return std::max<size_t>(1, (total + shards - 1) / shards);
}

}  // namespace

UntypedMemoryCache::UntypedMemoryCache(const MemoryCacheOptions& options,
                                       RealClock clock)
    : values_per_shard_(PerShard(options.values, options.shards)),
      guards_per_shard_(PerShard(options.guards, options.shards)),
      clock_(std::move(clock)),
      shards_(options.shards) {}

UntypedMemoryCache::Shard& UntypedMemoryCache::ShardOf(std::string_view name) {
  return shards_[std::hash<std::string_view>()(name) % shards_.size()];
}

UntypedMemoryCache::Value UntypedMemoryCache::Get(std::string_view name,
                                                  int64_t min_version) {
  const absl::Time now = clock_();
  Shard& shard = ShardOf(name);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.by_name.find(name);
  if (found == shard.by_name.end()) return nullptr;
  const Entries::iterator entry = found->second;
  // Before its own reading the clock was set back: its age is unknown.
  if (entry->value == nullptr || entry->version < min_version ||
      now >= entry->expires || now < entry->read_time) {
    return nullptr;
  }
  shard.values.splice(shard.values.begin(), shard.values, entry);
  return entry->value;
}

UntypedMemoryCache::Ticket UntypedMemoryCache::BeginRead(
    std::string_view name) {
  Shard& shard = ShardOf(name);
  const std::lock_guard lock(shard.mutex);
  return Ticket{shard.moment};
}

bool UntypedMemoryCache::Put(std::string_view name, int64_t version,
                             Value value, absl::Time read_time,
                             absl::Time expires, Ticket ticket,
                             int64_t reflects) {
  // Destroyed after the lock is released, as `value` is.
  Entries evicted;
  Value dropped;
  Shard& shard = ShardOf(name);
  const std::lock_guard lock(shard.mutex);
  const Entries::iterator entry = Raise(shard, name, version, dropped);
  bool accepted = false;
  if (entry->version == version &&
      shard.fence <= static_cast<uint64_t>(ticket) &&
      shard.position_fence <= reflects) {
    shard.values.splice(shard.values.begin(),
                        entry->value == nullptr ? shard.guards : shard.values,
                        entry);
    entry->value.swap(value);
    entry->read_time = read_time;
    entry->expires = expires;
    accepted = true;
  }
  Evict(shard, evicted);
  return accepted;
}

void UntypedMemoryCache::Invalidate(std::string_view name, int64_t version,
                                    int64_t position) {
  Entries evicted;
  Value dropped;
  Shard& shard = ShardOf(name);
  const std::lock_guard lock(shard.mutex);
  const Entries::iterator entry = Raise(shard, name, version, dropped);
  // Also when it was known: reads that began before this call stay refused even
  // if the guard is forgotten.
  if (entry->version == version) entry->raised = ++shard.moment;
  entry->position = std::max(entry->position, position);
  Evict(shard, evicted);
}

UntypedMemoryCache::Entries::iterator UntypedMemoryCache::Raise(
    Shard& shard, std::string_view name, int64_t version, Value& dropped) {
  const auto found = shard.by_name.find(name);
  if (found == shard.by_name.end()) {
    shard.guards.push_front(
        Entry{std::string(name), version, ++shard.moment, 0, nullptr, {}, {}});
    const Entries::iterator entry = shard.guards.begin();
    shard.by_name.emplace(entry->name, entry);
    return entry;
  }
  const Entries::iterator entry = found->second;
  if (version > entry->version) {
    entry->version = version;
    entry->raised = ++shard.moment;
    shard.guards.splice(shard.guards.begin(),
                        entry->value == nullptr ? shard.guards : shard.values,
                        entry);
    dropped.swap(entry->value);
  }
  return entry;
}

void UntypedMemoryCache::Evict(Shard& shard, Entries& evicted) const {
  if (shard.values.size() > values_per_shard_) {
    evicted.splice(evicted.end(), shard.values, std::prev(shard.values.end()));
  }
  if (shard.guards.size() > guards_per_shard_) {
    evicted.splice(evicted.end(), shard.guards, std::prev(shard.guards.end()));
  }
  for (const Entry& entry : evicted) {
    shard.fence = std::max(shard.fence, entry.raised);
    shard.position_fence = std::max(shard.position_fence, entry.position);
    shard.by_name.erase(entry.name);
  }
}

}  // namespace parcours::cache
