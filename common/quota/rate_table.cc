#include "common/quota/rate_table.h"

#include <algorithm>
#include <bit>

namespace parcours::quota {

RateTable::RateTable(std::size_t max_keys, int64_t burst)
    : burst_(burst), shards_(std::make_unique<std::array<Shard, kShards>>()) {
  const std::size_t sets =
      std::bit_ceil(std::max<std::size_t>(max_keys / (kShards * kWays), 1));
  set_mask_ = sets - 1;
  for (Shard& shard : *shards_) shard.entries.resize(sets * kWays);
}

RateTable::Entry* RateTable::Find(Shard& shard, std::size_t first,
                                  uint64_t key) {
  Entry* const set = &shard.entries[first];
  Entry* const found = std::find_if(
      set, set + kWays, [key](const Entry& entry) { return entry.key == key; });
  return found == set + kWays ? nullptr : found;
}

int64_t RateTable::Take(uint64_t key, int64_t interval, int64_t now) {
  key = Normal(key);
  Shard& shard = ShardOf(key);
  const std::size_t first = FirstOf(key);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  Entry* entry = Find(shard, first, key);
  if (entry == nullptr) {
    Entry* const set = &shard.entries[first];
    entry = std::min_element(
        set, set + kWays,
        [](const Entry& a, const Entry& b) { return a.empty_at < b.empty_at; });
    if (entry->key != 0 && entry->empty_at > now) {
      evicted_.fetch_add(1, std::memory_order_relaxed);
    }
    *entry = Entry{.key = key, .empty_at = now, .listed = entry->listed};
  }
  const int64_t filled = std::max(entry->empty_at, now) + interval;
  if (filled - now > burst_) return filled - now - burst_;
  entry->empty_at = filled;
  entry->uncollected += interval;
  if (!entry->listed) {
    entry->listed = true;
    shard.used.push_back(static_cast<uint32_t>(entry - shard.entries.data()));
  }
  return 0;
}

void RateTable::GiveBack(uint64_t key, int64_t interval) {
  key = Normal(key);
  Shard& shard = ShardOf(key);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  Entry* const entry = Find(shard, FirstOf(key), key);
  // What was collected in between stays spent.
  if (entry == nullptr || entry->uncollected < interval) return;
  entry->empty_at -= interval;
  entry->uncollected -= interval;
}

std::vector<RateTable::Use> RateTable::Collect(int64_t now) {
  std::vector<Use> uses;
  for (Shard& shard : *shards_) {
    const std::lock_guard<std::mutex> lock(shard.mutex);
    for (const uint32_t index : shard.used) {
      Entry& entry = shard.entries[index];
      entry.listed = false;
      if (entry.uncollected == 0) continue;
      uses.push_back({.key = entry.key,
                      .cost = entry.uncollected,
                      .debt = std::max<int64_t>(entry.empty_at - now, 0)});
      entry.uncollected = 0;
    }
    shard.used.clear();
  }
  return uses;
}

void RateTable::Adopt(uint64_t key, int64_t debt, int64_t now) {
  key = Normal(key);
  Shard& shard = ShardOf(key);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  Entry* const entry = Find(shard, FirstOf(key), key);
  if (entry == nullptr) return;
  entry->empty_at = now + debt + entry->uncollected;
}

}  // namespace parcours::quota
