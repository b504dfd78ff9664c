#include "common/cache/memory_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <map>
#include <random>
#include <thread>

namespace parcours::cache {
namespace {

using Cache = MemoryCache<std::string>;

std::shared_ptr<const std::string> Text(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

class MemoryCacheTest : public ::testing::Test {
 protected:
  bool Put(std::string_view name, int64_t version, std::string text) {
    return PutRead(name, version, std::move(text), cache_.BeginRead(name));
  }
  bool PutRead(std::string_view name, int64_t version, std::string text,
               Cache::Ticket ticket) {
    return cache_.Put(name, version, Text(std::move(text)), now_,
                      now_ + absl::Seconds(1), ticket);
  }
  std::string Get(std::string_view name, int64_t min_version = 0) {
    const auto found = cache_.Get(name, min_version);
    return found == nullptr ? "" : *found;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  Cache cache_{{.values = 3, .guards = 2, .shards = 1},
               [this] { return now_; }};
};

TEST_F(MemoryCacheTest, ReturnsWhatWasPut) {
  EXPECT_EQ(Get("a"), "");
  EXPECT_TRUE(Put("a", 1, "one"));
  EXPECT_EQ(Get("a"), "one");
  EXPECT_TRUE(Put("a", 2, "two"));
  EXPECT_EQ(Get("a"), "two");
}

TEST_F(MemoryCacheTest, AnOlderVersionNeverReplacesANewerOne) {
  ASSERT_TRUE(Put("a", 2, "two"));
  EXPECT_FALSE(Put("a", 1, "one"));
  EXPECT_EQ(Get("a"), "two");
}

TEST_F(MemoryCacheTest, AValueOlderThanTheCallerKnowsIsAMiss) {
  ASSERT_TRUE(Put("a", 2, "two"));
  EXPECT_EQ(Get("a", 2), "two");
  EXPECT_EQ(Get("a", 3), "");
}

TEST_F(MemoryCacheTest, ASlowReaderCannotRefillAfterInvalidation) {
  ASSERT_TRUE(Put("a", 1, "one"));
  const Cache::Ticket slow = cache_.BeginRead("a");
  cache_.Invalidate("a", 2);
  EXPECT_EQ(Get("a"), "");
  EXPECT_FALSE(PutRead("a", 1, "one", slow));
  EXPECT_EQ(Get("a"), "");
  EXPECT_TRUE(Put("a", 2, "two"));
  EXPECT_EQ(Get("a"), "two");
}

TEST_F(MemoryCacheTest, InvalidationKeepsTheVersionItTellsOfAndNewerOnes) {
  ASSERT_TRUE(Put("a", 3, "three"));
  cache_.Invalidate("a", 3);
  cache_.Invalidate("a", 2);
  EXPECT_EQ(Get("a"), "three");
}

TEST_F(MemoryCacheTest, ExpiresAndStaysAsAGuard) {
  ASSERT_TRUE(Put("a", 2, "two"));
  now_ += absl::Seconds(1);
  EXPECT_EQ(Get("a"), "");
  EXPECT_FALSE(Put("a", 1, "one"));
  EXPECT_TRUE(Put("a", 2, "two again"));
  EXPECT_EQ(Get("a"), "two again");
}

TEST_F(MemoryCacheTest, AClockSetBackDoesNotProlongAValue) {
  ASSERT_TRUE(Put("a", 1, "one"));
  now_ -= absl::Hours(1);
  EXPECT_EQ(Get("a"), "");
}

TEST_F(MemoryCacheTest, KeepsTheValuesUsedLast) {
  ASSERT_TRUE(Put("a", 1, "a"));
  ASSERT_TRUE(Put("b", 1, "b"));
  ASSERT_TRUE(Put("c", 1, "c"));
  EXPECT_EQ(Get("a"), "a");
  ASSERT_TRUE(Put("d", 1, "d"));
  EXPECT_EQ(Get("b"), "");
  EXPECT_EQ(Get("a"), "a");
  EXPECT_EQ(Get("c"), "c");
  EXPECT_EQ(Get("d"), "d");
}

TEST_F(MemoryCacheTest, ManyInvalidationsDoNotDriveOutValues) {
  ASSERT_TRUE(Put("a", 1, "a"));
  for (int i = 0; i < 100; ++i) {
    cache_.Invalidate("other" + std::to_string(i), 1);
  }
  EXPECT_EQ(Get("a"), "a");
}

TEST_F(MemoryCacheTest, AForgottenGuardRefusesReadsFromBeforeIt) {
  const Cache::Ticket slow = cache_.BeginRead("a");
  cache_.Invalidate("a", 2);
  cache_.Invalidate("b", 1);
  cache_.Invalidate("c", 1);  // now the guard of a is forgotten
  EXPECT_FALSE(PutRead("a", 1, "one", slow));
  EXPECT_EQ(Get("a"), "");
}

TEST_F(MemoryCacheTest, AGuardToldAgainAndForgottenRefusesReadsFromBefore) {
  cache_.Invalidate("a", 2);
  const Cache::Ticket slow = cache_.BeginRead("a");
  cache_.Invalidate("a", 2);
  cache_.Invalidate("b", 1);
  cache_.Invalidate("c", 1);
  EXPECT_FALSE(PutRead("a", 1, "one", slow));
}

TEST_F(MemoryCacheTest, AForgottenValueRefusesReadsFromBeforeIt) {
  const Cache::Ticket slow = cache_.BeginRead("a");
  ASSERT_TRUE(Put("a", 2, "two"));
  for (const char* name : {"b", "c", "d"}) ASSERT_TRUE(Put(name, 1, name));
  EXPECT_EQ(Get("a"), "");
  EXPECT_FALSE(PutRead("a", 1, "one", slow));
}

TEST_F(MemoryCacheTest, AForgottenGuardAllowsReadsFromAfterIt) {
  cache_.Invalidate("a", 2);
  const Cache::Ticket read = cache_.BeginRead("d");
  cache_.Invalidate("b", 1);
  EXPECT_TRUE(PutRead("d", 1, "d", read));
  cache_.Invalidate("c", 1);
  cache_.Invalidate("e", 1);
  EXPECT_TRUE(Put("a", 2, "two"));
}

TEST_F(MemoryCacheTest, AForgottenPositionRefusesWhatReflectsLess) {
  const auto put_reflecting = [this](int64_t position) {
    return cache_.Put("a", 1, Text("one"), now_, now_ + absl::Seconds(1),
                      cache_.BeginRead("a"), position);
  };
  EXPECT_TRUE(put_reflecting(0));
  cache_.Invalidate("a", 2, 20);
  cache_.Invalidate("b", 1, 21);
  EXPECT_FALSE(put_reflecting(20));  // the guard is remembered
  cache_.Invalidate("c", 1, 22);
  cache_.Invalidate("d", 1, 23);  // now those of a and b are forgotten
  EXPECT_FALSE(put_reflecting(20));
  EXPECT_EQ(Get("a"), "");
}

TEST_F(MemoryCacheTest, ARefusedFillStillRaisesTheVersionKnown) {
  const Cache::Ticket slow = cache_.BeginRead("a");
  for (const char* name : {"b", "c", "d"}) cache_.Invalidate(name, 1);
  EXPECT_FALSE(PutRead("a", 5, "five", slow));
  EXPECT_FALSE(Put("a", 4, "four"));
  EXPECT_TRUE(Put("a", 5, "five"));
}

// Random histories of one shard under pressure, against the truth: what is
// answered was never older than what was invalidated before.
TEST_F(MemoryCacheTest, NeverAnswersAVersionFromBeforeAnInvalidation) {
  struct Read {
    std::string name;
    int64_t version;
    Cache::Ticket ticket;
  };
  std::mt19937 random(7);
  std::map<std::string, int64_t> truth;
  std::vector<Read> reads;
  int hits = 0;
  for (int step = 0; step < 50'000; ++step) {
    const std::string name(1, static_cast<char>('a' + random() % 8));
    switch (random() % 4) {
      case 0:
        cache_.Invalidate(name, ++truth[name]);
        break;
      case 1:
        reads.push_back({name, truth[name], cache_.BeginRead(name)});
        break;
      case 2:
        if (!reads.empty()) {
          const size_t i = random() % reads.size();
          PutRead(reads[i].name, reads[i].version,
                  std::to_string(reads[i].version), reads[i].ticket);
          reads.erase(reads.begin() + static_cast<std::ptrdiff_t>(i));
        }
        break;
      default:
        if (const auto found = cache_.Get(name)) {
          ++hits;
          ASSERT_EQ(*found, std::to_string(truth[name])) << "step " << step;
        }
        now_ += absl::Milliseconds(random() % 50);
    }
  }
  EXPECT_GT(hits, 100);
}

TEST(MemoryCacheConcurrencyTest, ThreadsNeverSeeAVersionGoBackwards) {
  Cache cache({.values = 8, .guards = 4, .shards = 2},
              [] { return absl::UnixEpoch(); });
  constexpr int kNames = 6;
  std::array<std::atomic<int64_t>, kNames> committed = {};
  std::atomic<bool> failed = false;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 20'000; ++i) {
        const size_t n = random() % kNames;
        const std::string name = "name" + std::to_string(n);
        if (random() % 3 == 0) {
          cache.Invalidate(name, ++committed[n]);
          continue;
        }
        const Cache::Ticket ticket = cache.BeginRead(name);
        const int64_t version = committed[n];
        cache.Put(name, version, Text(std::to_string(version)),
                  absl::UnixEpoch(), absl::InfiniteFuture(), ticket);
        if (const auto found = cache.Get(name, version)) {
          if (std::stoll(*found) < version) failed = true;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(failed);
  for (size_t n = 0; n < kNames; ++n) {
    if (const auto found = cache.Get("name" + std::to_string(n))) {
      EXPECT_EQ(*found, std::to_string(committed[n]));
    }
  }
}

}  // namespace
}  // namespace parcours::cache
