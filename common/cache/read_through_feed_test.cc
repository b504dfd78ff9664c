// Replicas that follow one change feed, each with a delay of its own, and share
// a cache that does what it likes.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/cache/read_through.h"
#include "common/cache/scripted_shared_cache.h"

namespace parcours::cache {
namespace {

using Cache = ReadThrough<Record>;

class FollowingTest : public ::testing::Test {
 protected:
  std::unique_ptr<Cache> MakeCache(int64_t& applied,
                                   MemoryCacheOptions memory = {.values = 64,
                                                                .guards = 64,
                                                                .shards = 1}) {
    ReadThroughOptions options;
    options.key_space = {"service", "database", "record", 3};
    options.memory = memory;
    options.applied = [&applied] { return applied; };
    options.memory_ttl = absl::Seconds(10);
    options.patience = absl::InfiniteDuration();
    return std::make_unique<Cache>(
        options, &shared_, EncodeRecord, DecodeRecord, [this] { return now_; },
        &counters_);
  }
  int64_t Version(Cache& cache, int64_t known_position = 0) {
    const auto found =
        cache.Get("name",
                  [this]() -> absl::StatusOr<Record> {
                    ++loads_;
                    return Record{row_, ""};
                  },
                  // Who waits for itself is not answered in time.
                  {.deadline = absl::Now() + absl::Seconds(10),
                   .known_position = known_position});
    return found.ok() ? (*found)->version : -1;
  }
  void Plant(int64_t version, int64_t position) {
    shared_.Plant("service:database:record:s3:name", version,
                  std::to_string(version) + "|", now_ + absl::Seconds(30),
                  position);
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  int64_t row_ = 1;
  int loads_ = 0;
  CacheCounters counters_;
  ScriptedSharedCache shared_{[this] { return now_; }};
  int64_t applied_ = 10;
  std::unique_ptr<Cache> cache_ = MakeCache(applied_);
};

TEST_F(FollowingTest, APositionThatWasAppliedIsAnsweredFromMemory) {
  EXPECT_EQ(Version(*cache_), 1);
  EXPECT_EQ(Version(*cache_, 10), 1);
  EXPECT_NE(cache_->TryMemory("name", {.known_position = 10}), nullptr);
  EXPECT_EQ(loads_, 1);
  EXPECT_EQ(counters_.bypassed_for_position, 0u);
}

TEST_F(FollowingTest, APositionAheadGoesToTheDatabase) {
  EXPECT_EQ(Version(*cache_), 1);
  row_ = 2;  // elsewhere, at position 11
  EXPECT_EQ(Version(*cache_), 1);
  EXPECT_EQ(cache_->TryMemory("name", {.known_position = 11}), nullptr);
  EXPECT_EQ(Version(*cache_, 11), 2);
  EXPECT_EQ(loads_, 2);
  EXPECT_EQ(shared_.gets, 1);
  EXPECT_EQ(counters_.bypassed_for_position, 1u);
  // For those who know nothing it is in memory too now.
  EXPECT_EQ(Version(*cache_), 2);
  EXPECT_EQ(loads_, 2);
}

TEST_F(FollowingTest, AnInventedPositionVouchesForNothing) {
  EXPECT_EQ(Version(*cache_, kEveryPosition), 1);
  row_ = 2;
  applied_ = 11;  // the change passed this replica by: it began there
  int64_t applied = 11;
  const auto other = MakeCache(applied);
  EXPECT_EQ(Version(*other), 2);
  EXPECT_EQ(loads_, 2);
}

TEST_F(FollowingTest, TheFeedDropsWhatOthersChanged) {
  EXPECT_EQ(Version(*cache_), 1);
  row_ = 2;
  cache_->Apply("name", 2, 11);
  applied_ = 11;
  EXPECT_EQ(Version(*cache_), 2);
  EXPECT_EQ(Version(*cache_, 11), 2);
  EXPECT_EQ(loads_, 2);
  EXPECT_EQ(shared_.gets, 2);
}

TEST_F(FollowingTest, WhatWasReadBeforeFollowingBeganIsNotTaken) {
  Plant(1, 9);
  EXPECT_EQ(Version(*cache_), 1);
  EXPECT_EQ(loads_, 1);
  EXPECT_EQ(counters_.stale, 1u);
  Plant(1, 10);
  int64_t applied = 10;
  const auto other = MakeCache(applied);
  EXPECT_EQ(Version(*other), 1);
  EXPECT_EQ(loads_, 1);
}

TEST_F(FollowingTest, WithoutItsGuardAnOldSharedValueIsStillNotTaken) {
  cache_ = MakeCache(applied_, {.values = 1, .guards = 1, .shards = 1});
  EXPECT_EQ(Version(*cache_), 1);
  row_ = 2;
  cache_->Apply("name", 2, 11);
  cache_->Apply("another", 1, 12);  // the guard of the first is forgotten
  applied_ = 12;
  // A tombstone was lost, or somebody stored an old value again.
  Plant(1, 10);
  EXPECT_EQ(Version(*cache_), 2);
  EXPECT_EQ(loads_, 2);
  EXPECT_EQ(counters_.stale, 1u);
}

TEST_F(FollowingTest, BeforeItIsFollowedNothingIsKept) {
  applied_ = 0;
  Plant(1, 5);
  EXPECT_EQ(Version(*cache_), 1);
  EXPECT_EQ(Version(*cache_), 1);
  EXPECT_EQ(loads_, 2);
  EXPECT_EQ(shared_.gets, 0);
  EXPECT_EQ(shared_.puts, 0);
}

TEST_F(FollowingTest, NobodyJoinsAReadThatMayHaveBegunBeforeThePosition) {
  int64_t inner = 0;
  const auto found = cache_->Get("name", [&]() -> absl::StatusOr<Record> {
    const Record read{row_, ""};
    row_ = 2;  // elsewhere, at position 11
    inner = Version(*cache_, 11);
    return read;
  });
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->version, 1);
  EXPECT_EQ(inner, 2);
  EXPECT_EQ(Version(*cache_), 2);
}

TEST_F(FollowingTest, NobodyJoinsAReadFromBeforeAChangeThatWasApplied) {
  for (const int64_t known : {0, 11}) {
    cache_ = MakeCache(applied_ = 10);
    row_ = 1;
    shared_.Wipe();
    int64_t inner = 0;
    const auto found = cache_->Get("name", [&]() -> absl::StatusOr<Record> {
      const Record read{row_, ""};
      row_ = 2;
      cache_->Apply("name", 2, 11);
      applied_ = 11;
      inner = Version(*cache_, known);
      return read;
    });
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(inner, 2);
    EXPECT_EQ(Version(*cache_), 2);
  }
}

TEST_F(FollowingTest, AFeedThatStandsStillIsBoundedByTime) {
  EXPECT_EQ(Version(*cache_), 1);
  row_ = 2;
  now_ += absl::Milliseconds(9'999);
  EXPECT_EQ(Version(*cache_), 1);
  shared_.Wipe();
  now_ += absl::Milliseconds(1);
  EXPECT_EQ(Version(*cache_), 2);
}

// What may be planted into a history, so that it is known to show.
enum class Fault {
  kNone,
  // The shared cache passes old values for new ones, as it could if positions
  // were not sealed.
  kForgedPositions,
  // A replica says that it applied a change before it does.
  kAppliedTooEarly,
  // Calls do not say which position they know.
  kPositionsNotSent,
  // A value never expires.
  kEndlessValues,
};

// What a history showed that must not be.
struct Violations {
  // A client was answered from before the position that it carries.
  int behind_the_client = 0;
  // An answer lacks a change that the replica had applied.
  int behind_the_feed = 0;
  // An answer is older than the bound.
  int beyond_the_bound = 0;
  int failed = 0;
};

// One random history of a database, its feed, three replicas and clients that
// go from one to the other.
class History {
 public:
  History(unsigned seed, Fault fault)
      : random_(seed), fault_(fault), shared_(*this) {
    for (Replica& replica : replicas_) Restart(replica);
  }

  Violations Run(int steps) {
    for (int i = 0; i < steps; ++i) Act();
    return violations_;
  }

 private:
  static constexpr size_t kNames = 6;
  static constexpr absl::Duration kMemoryTtl = absl::Seconds(10);
  static constexpr absl::Duration kSharedTtl = absl::Seconds(30);

  struct Replica {
    std::unique_ptr<Cache> cache;
    int64_t applied = 0;
    // Reads under way, which a nested one of the same name would wait for.
    std::array<bool, kNames> reading = {};
  };
  struct Committed {
    size_t name;
    int64_t version;
  };
  using Versions = std::array<int64_t, kNames>;

  // Gives back any genuine value that has not expired, however old, or nothing;
  // takes what it is told now, later, twice or never.
  class UnreliableSharedCache final : public SharedCache {
   public:
    explicit UnreliableSharedCache(History& history)
        : history_(history), honest_([&history] { return history.now_; }) {}

    std::optional<Entry> Get(std::string_view key) override {
      if (history_.Chance(10)) return std::nullopt;
      std::optional<Entry> found = honest_.Get(key);
      const std::vector<Entry>& all = all_[std::string(key)];
      if (!all.empty() && history_.Chance(40)) {
        found = all[history_.Below(all.size())];
      }
      if (!found.has_value() || (history_.now_ >= found->expires &&
                                 history_.fault_ != Fault::kEndlessValues)) {
        return std::nullopt;
      }
      if (history_.fault_ == Fault::kForgedPositions) {
        found->position = kEveryPosition;
      }
      if (history_.fault_ == Fault::kEndlessValues) {
        found->expires = absl::InfiniteFuture();
      }
      return found;
    }

    void Put(std::string_view key, int64_t version, int64_t position,
             std::string_view payload, absl::Time read_time,
             absl::Duration ttl) override {
      all_[std::string(key)].push_back(
          {version, position, std::string(payload), read_time + ttl});
      Sometime([this, key = std::string(key), version, position,
                payload = std::string(payload), read_time, ttl] {
        honest_.Put(key, version, position, payload, read_time, ttl);
      });
    }

    void Invalidate(std::string_view key, int64_t version) override {
      Sometime([this, key = std::string(key), version] {
        honest_.Invalidate(key, version);
      });
    }

    void Deliver() {
      if (late_.empty()) return;
      const size_t one = history_.Below(late_.size());
      late_[one]();
      if (history_.Chance(70)) {
        late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(one));
      }
    }
    void Wipe() { honest_.Wipe(); }

   private:
    void Sometime(std::function<void()> what) {
      if (history_.Chance(20)) return;
      if (history_.Chance(50)) what();
      if (history_.Chance(40)) late_.push_back(std::move(what));
    }

    History& history_;
    ScriptedSharedCache honest_;
    std::map<std::string, std::vector<Entry>> all_;
    std::vector<std::function<void()>> late_;
  };

  size_t Below(size_t count) { return random_() % count; }
  bool Chance(unsigned percent) { return random_() % 100 < percent; }
  static std::string Name(size_t name) { return "name" + std::to_string(name); }

  void Restart(Replica& replica) {
    replica.applied = static_cast<int64_t>(feed_.size());
    ReadThroughOptions options;
    options.key_space.kind = "record";
    // Both are soon forgotten.
    options.memory = {.values = 2, .guards = 2, .shards = 1};
    options.applied = [&replica] { return replica.applied; };
    options.memory_ttl = kMemoryTtl;
    options.shared_ttl = kSharedTtl;
    options.patience = absl::InfiniteDuration();
    replica.cache = std::make_unique<Cache>(
        options, &shared_, EncodeRecord, DecodeRecord, [this] { return now_; },
        &counters_);
  }

  void Commit(Replica& replica) {
    const size_t name = Below(kNames);
    ++database_[name];
    commits_[name].push_back(now_);
    waiting_.push_back({name, database_[name]});
    // A writer may die between the two.
    if (Chance(70)) replica.cache->Invalidate(Name(name), database_[name]);
  }

  // Positions are given in the order of the commits.
  void Sequence() {
    const size_t count = std::min(waiting_.size(), Below(4));
    for (size_t i = 0; i < count; ++i) {
      feed_.push_back(waiting_[i]);
      Versions next = at_.back();
      next[waiting_[i].name] = waiting_[i].version;
      at_.push_back(next);
    }
    waiting_.erase(waiting_.begin(),
                   waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  }

  void Follow(Replica& replica) {
    const int64_t until =
        std::min(static_cast<int64_t>(feed_.size()),
                 replica.applied + static_cast<int64_t>(Below(4)));
    const int64_t from = replica.applied;
    if (fault_ == Fault::kAppliedTooEarly) {
      replica.applied = until;
      if (Chance(50)) return;
    }
    for (int64_t position = from + 1; position <= until; ++position) {
      const Committed& change = feed_[static_cast<size_t>(position - 1)];
      replica.cache->Apply(Name(change.name), change.version, position);
    }
    replica.applied = until;
  }

  // The version of `name` that was current at `time`.
  int64_t VersionAt(size_t name, absl::Time time) const {
    const std::vector<absl::Time>& commits = commits_[name];
    return 1 + (std::upper_bound(commits.begin(), commits.end(), time) -
                commits.begin());
  }

  void Read(Replica& replica) {
    const size_t name = Below(kNames);
    if (depth_ >= 3 || replica.reading[name]) return;
    int64_t& carried = clients_[Below(clients_.size())];
    const bool carries = Chance(50);
    // From a list or the feed, on whichever replica.
    if (carries && Chance(50)) carried = static_cast<int64_t>(feed_.size());
    const int64_t known = carries ? carried : 0;
    const int64_t applied = replica.applied;
    const absl::Time begun = now_;
    ++depth_;
    const auto found = replica.cache->Get(
        Name(name),
        [&]() -> absl::StatusOr<Record> {
          replica.reading[name] = true;
          while (Chance(30)) Act();
          Record row{database_[name], Name(name)};
          while (Chance(80)) Act();
          replica.reading[name] = false;
          return row;
        },
        {.known_position = fault_ == Fault::kPositionsNotSent ? 0 : known});
    --depth_;
    if (!found.ok() || (*found)->text != Name(name)) {
      ++violations_.failed;
      return;
    }
    const int64_t version = (*found)->version;
    if (version > database_[name]) ++violations_.failed;
    if (version < At(known)[name]) ++violations_.behind_the_client;
    if (version < At(applied)[name]) ++violations_.behind_the_feed;
    if (version < VersionAt(name, begun - std::max(kMemoryTtl, kSharedTtl))) {
      ++violations_.beyond_the_bound;
    }
  }

  const Versions& At(int64_t position) const {
    return at_[static_cast<size_t>(position)];
  }

  void Act() {
    Replica& replica = replicas_[Below(replicas_.size())];
    switch (Below(14)) {
      case 0:
        return Commit(replica);
      case 1:
      case 2:
        return Sequence();
      case 3:
      case 4:
        // One of them is stuck.
        if (&replica != &replicas_[0] || Chance(3)) Follow(replica);
        return;
      case 5:
        return shared_.Deliver();
      case 6:
        now_ += absl::Milliseconds(Below(3000));
        if (Chance(5)) shared_.Wipe();
        if (Chance(5) && depth_ == 0) Restart(replica);
        return;
      default:
        return Read(replica);
    }
  }

  std::mt19937 random_;
  const Fault fault_;
  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  CacheCounters counters_;
  UnreliableSharedCache shared_;

  Versions database_ = {1, 1, 1, 1, 1, 1};
  // By name, when each version after the first was committed.
  std::array<std::vector<absl::Time>, kNames> commits_;
  std::vector<Committed> waiting_;
  // The change at position 1 first; before the history there was one.
  std::vector<Committed> feed_ = {{0, 1}};
  // What the database held at each position.
  std::vector<Versions> at_ = {{1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}};
  std::array<Replica, 3> replicas_;
  // The positions that clients carry.
  std::array<int64_t, 3> clients_ = {};
  int depth_ = 0;
  Violations violations_;

 public:
  const CacheCounters& counters() const { return counters_; }
};

Violations RunHistories(Fault fault, CacheCounters* totals = nullptr) {
  Violations all;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    History history(seed, fault);
    const Violations one = history.Run(4000);
    all.behind_the_client += one.behind_the_client;
    all.behind_the_feed += one.behind_the_feed;
    all.beyond_the_bound += one.beyond_the_bound;
    all.failed += one.failed;
    if (totals != nullptr) {
      totals->memory_hit += history.counters().memory_hit;
      totals->stale += history.counters().stale;
      totals->guard_rejected += history.counters().guard_rejected;
      totals->bypassed_for_position += history.counters().bypassed_for_position;
    }
  }
  return all;
}

TEST(HistoryTest, NoAnswerIsOlderThanItMayBe) {
  CacheCounters totals;
  const Violations all = RunHistories(Fault::kNone, &totals);
  EXPECT_EQ(all.behind_the_client, 0);
  EXPECT_EQ(all.behind_the_feed, 0);
  EXPECT_EQ(all.beyond_the_bound, 0);
  EXPECT_EQ(all.failed, 0);
  // The histories come where it is difficult.
  EXPECT_GT(totals.memory_hit, 1000u);
  EXPECT_GT(totals.stale, 1000u);
  EXPECT_GT(totals.guard_rejected, 100u);
  EXPECT_GT(totals.bypassed_for_position, 1000u);
}

TEST(HistoryTest, ForgedPositionsShow) {
  const Violations all = RunHistories(Fault::kForgedPositions);
  EXPECT_GT(all.behind_the_client, 0);
  EXPECT_GT(all.behind_the_feed, 0);
}

TEST(HistoryTest, APositionThatWasNotAppliedShows) {
  const Violations all = RunHistories(Fault::kAppliedTooEarly);
  EXPECT_GT(all.behind_the_client, 0);
}

TEST(HistoryTest, AClientThatDoesNotSayWhatItKnowsShows) {
  const Violations all = RunHistories(Fault::kPositionsNotSent);
  EXPECT_GT(all.behind_the_client, 0);
}

TEST(HistoryTest, ValuesThatDoNotExpireShow) {
  const Violations all = RunHistories(Fault::kEndlessValues);
  EXPECT_GT(all.beyond_the_bound, 0);
}

}  // namespace
}  // namespace parcours::cache
