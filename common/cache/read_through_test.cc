#include "common/cache/read_through.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <random>
#include <thread>
#include <vector>

#include "common/cache/scripted_shared_cache.h"

namespace parcours::cache {
namespace {

class ReadThroughTest : public ::testing::Test {
 protected:
  using Cache = ReadThrough<Record>;

  ReadThroughOptions Options() {
    ReadThroughOptions options;
    options.key_space = {"service", "database", "record", 3};
    options.memory = {.values = 64, .guards = 64, .shards = 4};
    // A test's threads wait for each other, never for a moment.
    options.patience = absl::InfiniteDuration();
    return options;
  }
  std::unique_ptr<Cache> MakeCache(const ReadThroughOptions& options,
                                   SharedCache* shared) {
    return std::make_unique<Cache>(
        options, shared, EncodeRecord, DecodeRecord,
        [this] { return absl::FromUnixMillis(millis_.load()); }, &counters_);
  }
  void Advance(absl::Duration duration) {
    millis_ += absl::ToInt64Milliseconds(duration);
  }

  // What the database holds.
  absl::StatusOr<Record> Row() {
    ++loads_;
    return Record{database_, "text " + std::to_string(database_)};
  }
  // Get, with `load` reading the row as it is.
  int64_t Version(Cache& cache, const ReadOptions& read = {}) {
    const auto found = cache.Get(
        "name", [this] { return Row(); }, read);
    EXPECT_TRUE(found.ok()) << found.status();
    if (!found.ok()) return -1;
    EXPECT_EQ((*found)->text, "text " + std::to_string((*found)->version));
    return (*found)->version;
  }
  int64_t Commit() { return ++database_; }

  std::atomic<int64_t> millis_ = 1'000'000'000;
  std::atomic<int64_t> database_ = 1;
  std::atomic<int> loads_ = 0;
  CacheCounters counters_;
  ScriptedSharedCache shared_{
      [this] { return absl::FromUnixMillis(millis_.load()); }};
  std::unique_ptr<Cache> cache_ = MakeCache(Options(), &shared_);
  std::unique_ptr<Cache> other_ = MakeCache(Options(), &shared_);
  const std::string key_ = "service:database:record:s3:name";
};

TEST(CacheKeyTest, HoldsEveryField) {
  EXPECT_EQ(CacheKey({"enrolment", "cfa", "programme", 2}, "programmes/1"),
            "enrolment:cfa:programme:s2:programmes/1");
}

TEST_F(ReadThroughTest, ReadsMemoryThenTheSharedCacheThenTheDatabase) {
  EXPECT_EQ(cache_->TryMemory("name"), nullptr);
  EXPECT_EQ(Version(*cache_), 1);
  EXPECT_EQ(loads_, 1);
  ASSERT_NE(cache_->TryMemory("name"), nullptr);
  EXPECT_EQ(cache_->TryMemory("name")->version, 1);
  EXPECT_EQ(Version(*cache_), 1);
  EXPECT_EQ(shared_.gets, 1);
  EXPECT_EQ(Version(*other_), 1);
  EXPECT_EQ(loads_, 1);
  EXPECT_EQ(shared_.gets, 2);
  EXPECT_NE(other_->TryMemory("name"), nullptr);
}

TEST_F(ReadThroughTest, WithoutASharedCacheMemoryAndTheDatabaseAnswer) {
  auto alone = MakeCache(Options(), nullptr);
  EXPECT_EQ(Version(*alone), 1);
  alone->Invalidate("name", Commit());
  EXPECT_EQ(Version(*alone), 2);
  EXPECT_EQ(Version(*alone), 2);
  EXPECT_EQ(loads_, 2);
}

TEST_F(ReadThroughTest, MemoryEndsAfterItsTtl) {
  Version(*cache_);
  Commit();  // by a process that tells nobody
  Advance(absl::Milliseconds(999));
  EXPECT_EQ(Version(*cache_), 1);
  shared_.Wipe();
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(Version(*cache_), 2);
}

TEST_F(ReadThroughTest, WithoutMemoryTtlASharedValueStillEndsAtItsExpiry) {
  ReadThroughOptions options = Options();
  options.memory_ttl = absl::InfiniteDuration();
  auto forever = MakeCache(options, &shared_);
  Version(*cache_);
  EXPECT_EQ(Version(*forever), 1);
  EXPECT_EQ(loads_, 1);
  Commit();
  Advance(absl::Seconds(29));
  EXPECT_EQ(Version(*forever), 1);
  Advance(absl::Seconds(1));
  EXPECT_EQ(Version(*forever), 2);
  Advance(absl::Hours(1000));
  EXPECT_NE(forever->TryMemory("name"), nullptr);
}

TEST_F(ReadThroughTest, AfterInvalidationTheNewVersionIsRead) {
  Version(*cache_);
  Version(*other_);
  cache_->Invalidate("name", Commit());
  EXPECT_EQ(Version(*cache_), 2);
  other_->Invalidate("name", 2);  // told by the feed
  EXPECT_EQ(Version(*other_), 2);
  EXPECT_EQ(loads_, 2);
}

// read-DB | write | commit | invalidate | late fill
TEST_F(ReadThroughTest, AReadFromBeforeTheCommitFillsNothing) {
  const auto found = cache_->Get("name", [this] {
    auto row = Row();
    cache_->Invalidate("name", Commit());
    return row;
  });
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->version, 1);  // it was asked for before the commit
  EXPECT_EQ(shared_.puts, 0);
  EXPECT_EQ(cache_->TryMemory("name"), nullptr);
  EXPECT_EQ(Version(*cache_), 2);
  EXPECT_EQ(Version(*other_), 2);
}

TEST_F(ReadThroughTest, AReadOfAnotherProcessFromBeforeTheCommitIsRefused) {
  const auto found = other_->Get("name", [this] {
    auto row = Row();
    cache_->Invalidate("name", Commit());
    return row;
  });
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(shared_.puts, 1);
  EXPECT_EQ(Version(*cache_), 2);
  EXPECT_EQ(Version(*other_, {.min_version = 2}), 2);
  Advance(absl::Seconds(1));
  EXPECT_EQ(Version(*other_), 2);
}

TEST_F(ReadThroughTest, ASharedValueReadBeforeTheInvalidationIsNotUsed) {
  Version(*other_);
  bool once = false;
  ScriptedSharedCache lagging(
      [this] { return absl::FromUnixMillis(millis_.load()); });
  lagging.Plant(key_, 1, "1|text 1",
                absl::FromUnixMillis(millis_.load()) + absl::Seconds(30));
  auto cache = MakeCache(Options(), &lagging);
  // The commit comes between the look at memory and the answer of the shared
  // cache, whose tombstone is lost.
  lagging.before_get = [&] {
    if (std::exchange(once, true)) return;
    lagging.down = true;
    cache->Invalidate("name", Commit());
    lagging.down = false;
  };
  EXPECT_EQ(Version(*cache), 2);
  EXPECT_GE(counters_.stale, 1u);
}

TEST_F(ReadThroughTest,
       WhatTheSharedCacheBringsBackBeforeTheTombstoneIsDropped) {
  ReadThroughOptions options = Options();
  options.memory = {.values = 1, .guards = 1, .shards = 1};
  auto cache = MakeCache(options, &shared_);
  Version(*other_);
  Commit();
  bool once = false;
  shared_.before_invalidate = [&] {
    if (std::exchange(once, true)) return;
    cache->Invalidate("another", 1);  // memory forgets the name
    EXPECT_EQ(Version(*cache), 1);
  };
  cache->Invalidate("name", 2);
  EXPECT_TRUE(once);
  EXPECT_EQ(Version(*cache), 2);
}

TEST_F(ReadThroughTest, WhatTheSharedCacheLostIsNotTakenFromItHere) {
  Version(*cache_);
  shared_.down = true;
  cache_->Invalidate("name", Commit());
  shared_.down = false;
  EXPECT_EQ(Version(*cache_), 2);
  Advance(absl::Seconds(5));
  EXPECT_EQ(Version(*cache_), 2);
}

TEST_F(ReadThroughTest, AnExpiredNewerVersionStillRefusesAnOlderSharedOne) {
  database_ = 5;
  Version(*cache_);
  Advance(absl::Seconds(1));
  shared_.Plant(key_, 4, "4|text 4", absl::InfiniteFuture());
  EXPECT_EQ(Version(*cache_), 5);
  EXPECT_EQ(loads_, 2);
}

TEST_F(ReadThroughTest, AReadThatTookTooLongDoesNotFillTheSharedCache) {
  const auto found = cache_->Get("name", [this] {
    auto row = Row();
    other_->Invalidate("name", Commit());
    Advance(absl::Seconds(21));  // the tombstone is gone
    return row;
  });
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(Version(*other_), 2);
}

TEST_F(ReadThroughTest, OlderThanTheCallerKnowsIsAMissEverywhere) {
  Version(*cache_);
  Commit();
  EXPECT_EQ(Version(*cache_), 1);
  EXPECT_EQ(Version(*cache_, {.min_version = 2}), 2);
  EXPECT_EQ(Version(*other_, {.min_version = 2}), 2);
  EXPECT_EQ(loads_, 2);
}

TEST_F(ReadThroughTest,
       GarbageAndDisagreeingVersionsInTheSharedCacheAreMisses) {
  shared_.Plant(key_, 1, "no record", absl::InfiniteFuture());
  EXPECT_EQ(Version(*cache_), 1);
  shared_.Plant(key_, 1, "7|text 7", absl::InfiniteFuture());
  EXPECT_EQ(Version(*other_), 1);
  EXPECT_EQ(loads_, 2);
  EXPECT_EQ(counters_.error, 2u);
}

TEST_F(ReadThroughTest, ErrorsAndAbsenceAreNotCached) {
  for (const absl::Status& error :
       {absl::NotFoundError("absent"), absl::UnavailableError("down")}) {
    const auto found =
        cache_->Get("name", [&]() -> absl::StatusOr<Record> { return error; });
    EXPECT_EQ(found.status(), error);
  }
  EXPECT_EQ(Version(*cache_), 1);
}

TEST_F(ReadThroughTest, WithoutTimeLeftForItTheSharedCacheIsNotAsked) {
  ReadThroughOptions options = Options();
  options.shared_budget = absl::Hours(2);
  auto hurried = MakeCache(options, &shared_);
  EXPECT_EQ(Version(*hurried, {.deadline = absl::Now() + absl::Hours(1)}), 1);
  EXPECT_EQ(shared_.gets, 0);
  EXPECT_EQ(shared_.puts, 0);
}

TEST_F(ReadThroughTest, PastItsDeadlineACallReadsMemoryOnly) {
  const ReadOptions late = {.deadline = absl::InfinitePast()};
  const auto found = cache_->Get(
      "name", [this] { return Row(); }, late);
  EXPECT_TRUE(absl::IsDeadlineExceeded(found.status()));
  EXPECT_EQ(loads_, 0);
  Version(*cache_);
  EXPECT_EQ(Version(*cache_, late), 1);
}

// A call of Get on its own thread, whose load waits for the test.
class HeldRead {
 public:
  HeldRead(ReadThrough<Record>& cache, absl::StatusOr<Record> row,
           ReadOptions read = {})
      : thread_([&cache, this, row, read] {
          outcome_ = cache.Get(
              "name",
              [&] {
                loading_.set_value();
                release_.get_future().wait();
                return row;
              },
              read);
        }) {
    loading_.get_future().wait();
  }
  ~HeldRead() { Release(); }

  const absl::StatusOr<ReadThrough<Record>::Pointer>& Release() {
    if (!std::exchange(released_, true)) release_.set_value();
    if (thread_.joinable()) thread_.join();
    return outcome_;
  }

 private:
  std::promise<void> loading_;
  std::promise<void> release_;
  bool released_ = false;
  absl::StatusOr<ReadThrough<Record>::Pointer> outcome_ = nullptr;
  std::thread thread_;
};

TEST_F(ReadThroughTest, ManyCallersShareOneRead) {
  HeldRead leader(*cache_, Record{1, "text 1"});
  std::atomic<int> right = 0;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 8; ++i) {
    waiters.emplace_back([&] { right += Version(*cache_) == 1 ? 1 : 0; });
  }
  leader.Release();
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_EQ(right, 8);
  EXPECT_EQ(loads_, 0);
}

TEST_F(ReadThroughTest, AWaiterKeepsItsOwnDeadline) {
  HeldRead leader(*cache_, Record{1, "text 1"});
  const auto found =
      cache_->Get("name", [this] { return Row(); },
                  {.deadline = absl::Now() + absl::Milliseconds(5)});
  EXPECT_TRUE(absl::IsDeadlineExceeded(found.status()));
  EXPECT_EQ(loads_, 0);
  EXPECT_TRUE(leader.Release().ok());
}

TEST_F(ReadThroughTest, AHangingLeaderHoldsNobody) {
  ReadThroughOptions options = Options();
  options.patience = absl::Milliseconds(5);
  auto cache = MakeCache(options, &shared_);
  HeldRead leader(*cache, Record{1, "text 1"});
  std::vector<std::thread> waiters;
  std::atomic<int> right = 0;
  for (int i = 0; i < 8; ++i) {
    waiters.emplace_back([&] { right += Version(*cache) == 1 ? 1 : 0; });
  }
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_EQ(right, 8);
  EXPECT_TRUE(leader.Release().ok());
}

TEST_F(ReadThroughTest, ALateLeaderDoesNotOverwriteItsReplacement) {
  ReadThroughOptions options = Options();
  options.patience = absl::Milliseconds(1);
  auto cache = MakeCache(options, &shared_);
  HeldRead leader(*cache, Record{1, "text 1"});
  Commit();
  EXPECT_EQ(Version(*cache), 2);
  EXPECT_EQ((*leader.Release())->version, 1);
  EXPECT_EQ(cache->TryMemory("name")->version, 2);
  Advance(absl::Seconds(1));
  EXPECT_EQ(Version(*cache), 2);
}

TEST_F(ReadThroughTest, NobodyJoinsAReadFromBeforeAnInvalidation) {
  HeldRead leader(*cache_, Record{1, "text 1"});
  cache_->Invalidate("name", Commit());
  EXPECT_EQ(Version(*cache_), 2);
  EXPECT_EQ((*leader.Release())->version, 1);
  EXPECT_EQ(Version(*cache_), 2);
}

TEST_F(ReadThroughTest, NobodyWhoKnowsANewerVersionJoinsAReadFromBeforeIt) {
  HeldRead leader(*cache_, Record{1, "text 1"});
  Commit();  // elsewhere
  EXPECT_EQ(Version(*cache_, {.min_version = 2}), 2);
  EXPECT_EQ((*leader.Release())->version, 1);
  EXPECT_EQ(Version(*cache_), 2);
}

TEST_F(ReadThroughTest, ALeadersOwnDeadlineIsNotItsWaitersError) {
  HeldRead leader(*cache_, absl::DeadlineExceededError("of the leader"));
  std::atomic<int> right = 0;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] { right += Version(*cache_) == 1 ? 1 : 0; });
  }
  EXPECT_TRUE(absl::IsDeadlineExceeded(leader.Release().status()));
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_EQ(right, 4);
}

TEST_F(ReadThroughTest, AnErrorReachesItsWaitersAndNobodyAfterThem) {
  auto leader =
      std::make_unique<HeldRead>(*cache_, absl::UnavailableError("down"));
  std::atomic<int> answered = 0;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] {
      const auto found = cache_->Get("name", [this] { return Row(); });
      // Whoever came after the leader landed reads itself.
      answered += found.ok() || absl::IsUnavailable(found.status()) ? 1 : 0;
    });
  }
  EXPECT_TRUE(absl::IsUnavailable(leader->Release().status()));
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_EQ(answered, 4);
  EXPECT_EQ(Version(*cache_), 1);
}

TEST_F(ReadThroughTest, ALoadThatThrowsHoldsNobody) {
  EXPECT_THROW(
      {
        const auto found =
            cache_->Get("name", []() -> absl::StatusOr<Record> { throw 1; });
        (void)found;
      },
      int);
  EXPECT_EQ(Version(*cache_), 1);
}

// Random histories of two processes, a database and a shared cache that loses
// and delays, with commits, invalidations and reads also in the middle of
// reads. Whoever sends back the version it knows never goes backwards; within
// one process nobody does; nobody sees what was never committed.
TEST_F(ReadThroughTest, AReadNeverGoesBackwardsForAClient) {
  constexpr size_t kNames = 4;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    const auto chance = [&random](unsigned percent) {
      return random() % 100 < percent;
    };
    ScriptedSharedCache shared(
        [this] { return absl::FromUnixMillis(millis_.load()); });
    const std::array<std::unique_ptr<Cache>, 2> processes = {
        MakeCache(Options(), &shared), MakeCache(Options(), &shared)};
    std::array<int64_t, kNames> database = {1, 1, 1, 1};
    // Commits whose process has not invalidated yet.
    std::vector<std::tuple<size_t, size_t, int64_t>> unannounced;
    // By process: the newest version that one of its answers had.
    std::array<std::array<int64_t, kNames>, 2> seen = {};
    // Of a client that goes from process to process.
    std::array<int64_t, kNames> carried = {};
    // Reads under way, which a nested read of the same would wait for.
    std::array<std::array<bool, kNames>, 2> reading = {};
    int depth = 0;

    std::function<void()> act = [&] {
      const size_t p = random() % 2;
      const size_t n = random() % kNames;
      const std::string name = "name" + std::to_string(n);
      switch (random() % 8) {
        case 0: {
          ++database[n];
          if (chance(60)) {
            processes[p]->Invalidate(name, database[n]);
          } else {
            unannounced.emplace_back(p, n, database[n]);
          }
          return;
        }
        case 1:
          if (!unannounced.empty()) {
            const auto [q, m, version] = unannounced.back();
            unannounced.pop_back();
            // By the writer after its commit, or to the other by the feed.
            processes[chance(50) ? q : 1 - q]->Invalidate(
                "name" + std::to_string(m), version);
          }
          return;
        case 2:
          shared.down = chance(30);
          if (chance(10)) shared.Wipe();
          Advance(absl::Milliseconds(random() % 3000));
          return;
        default:
          break;
      }
      if (depth >= 3 || reading[p][n]) return;
      ++depth;
      const bool carries = chance(50);
      const int64_t at_least = carries ? carried[n] : 0;
      const int64_t seen_before = seen[p][n];
      const auto found = processes[p]->Get(
          name,
          [&]() -> absl::StatusOr<Record> {
            reading[p][n] = true;
            Record row{database[n], "text " + std::to_string(database[n])};
            while (chance(50)) act();
            reading[p][n] = false;
            return row;
          },
          {.min_version = at_least});
      --depth;
      ASSERT_TRUE(found.ok());
      const int64_t version = (*found)->version;
      ASSERT_EQ((*found)->text, "text " + std::to_string(version));
      ASSERT_GE(version, at_least) << "seed " << seed;
      ASSERT_GE(version, seen_before) << "seed " << seed;
      ASSERT_LE(version, database[n]) << "seed " << seed;
      seen[p][n] = std::max(seen[p][n], version);
      if (carries) carried[n] = std::max(carried[n], version);
    };
    for (int step = 0; step < 2000; ++step) {
      act();
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(counters_.memory_hit, 1000u);
  EXPECT_GT(counters_.guard_rejected, 10u);
  EXPECT_GT(counters_.stale, 10u);
}

TEST_F(ReadThroughTest, ThreadsReadTheirOwnWrites) {
  ReadThroughOptions options = Options();
  options.memory = {.values = 2, .guards = 2, .shards = 1};
  auto cache = MakeCache(options, &shared_);
  constexpr size_t kNames = 4;
  std::array<std::atomic<int64_t>, kNames> database = {};
  std::atomic<int> backwards = 0;
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 4000; ++i) {
        const size_t n = random() % kNames;
        const std::string name = "name" + std::to_string(n);
        int64_t known = 0;
        if (random() % 4 == 0) {
          known = ++database[n];
          cache->Invalidate(name, known);
        }
        const auto found = cache->Get(name, [&]() -> absl::StatusOr<Record> {
          const int64_t version = database[n];
          return Record{version, "text"};
        });
        if (!found.ok()) {
          ++failed;
        } else if ((*found)->version < known) {
          ++backwards;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(backwards, 0);
  EXPECT_EQ(failed, 0);
}

}  // namespace
}  // namespace parcours::cache
