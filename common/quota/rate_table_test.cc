#include "common/quota/rate_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace parcours::quota {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

constexpr int64_t kInterval = 100;
constexpr int64_t kBurst = 1000;

TEST(RateTableTest, TakesAFullBucketAtOnceAndThenOneEachInterval) {
  RateTable table(512, kBurst);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(table.Take(1, kInterval, 0), 0) << i;
  EXPECT_EQ(table.Take(1, kInterval, 0), kInterval);
  EXPECT_EQ(table.Take(1, kInterval, 99), 1) << "the true wait";
  EXPECT_EQ(table.Take(1, kInterval, 100), 0);
  EXPECT_EQ(table.Take(1, kInterval, 100), kInterval);
  EXPECT_EQ(table.Take(1, kInterval, 350), 0);
  EXPECT_EQ(table.Take(1, kInterval, 350), 0);
  EXPECT_EQ(table.Take(1, kInterval, 350), 50);
}

TEST(RateTableTest, ARefusalCostsNothing) {
  RateTable table(512, kBurst);
  for (int i = 0; i < 10; ++i) table.Take(1, kInterval, 0);
  for (int i = 0; i < 100; ++i) EXPECT_GT(table.Take(1, kInterval, 50), 0);
  EXPECT_EQ(table.Take(1, kInterval, 100), 0);
}

TEST(RateTableTest, CountsEachKeyForItself) {
  RateTable table(512, kBurst);
  for (int i = 0; i < 10; ++i) table.Take(7, kInterval, 0);
  EXPECT_GT(table.Take(7, kInterval, 0), 0);
  EXPECT_EQ(table.Take(0, kInterval, 0), 0);
  EXPECT_EQ(table.Take(2, kInterval, 0), 0);
  EXPECT_EQ(table.Take(uint64_t{1} << 60, kInterval, 0), 0);
}

TEST(RateTableTest, ACallGivenBackIsFreeAgain) {
  RateTable table(512, kBurst);
  for (int i = 0; i < 10; ++i) table.Take(1, kInterval, 0);
  table.GiveBack(1, kInterval);
  table.GiveBack(7, kInterval);
  EXPECT_EQ(table.Take(1, kInterval, 0), 0);
  EXPECT_GT(table.Take(1, kInterval, 0), 0);
}

TEST(RateTableTest, CollectsWhatWasUsedOnce) {
  RateTable table(512, kBurst);
  EXPECT_THAT(table.Collect(0), IsEmpty());
  table.Take(7, kInterval, 0);
  table.Take(7, kInterval, 0);
  EXPECT_THAT(table.Collect(50),
              ElementsAre(AllOf(Field(&RateTable::Use::key, 7U),
                                Field(&RateTable::Use::cost, 200),
                                Field(&RateTable::Use::debt, 150))));
  EXPECT_THAT(table.Collect(50), IsEmpty());
  table.Take(7, kInterval, 50);
  EXPECT_THAT(table.Collect(50),
              ElementsAre(Field(&RateTable::Use::cost, 100)));
}

TEST(RateTableTest, AdoptsWhatOthersUsedAndKeepsWhatCameSince) {
  RateTable table(512, kBurst);
  table.Take(7, kInterval, 0);
  table.Collect(0);
  table.Take(7, kInterval, 0);
  table.Adopt(7, 800, 0);
  EXPECT_EQ(table.Take(7, kInterval, 0), 0);
  EXPECT_EQ(table.Take(7, kInterval, 0), kInterval);
  table.Adopt(8, 800, 0);  // nobody asks about it here
  EXPECT_EQ(table.Take(8, kInterval, 0), 0);
}

TEST(RateTableTest, AFloodOfKeysForgetsTheQuietAndKeepsTheBusy) {
  RateTable table(512, kBurst);
  for (int i = 0; i < 10; ++i) table.Take(42, kInterval, 0);
  for (uint64_t key = 1000; key < 101'000; ++key) table.Take(key, kInterval, 0);
  EXPECT_GT(table.evicted(), 0);
  EXPECT_GT(table.Take(42, kInterval, 0), 0)
      << "whoever is over the limit does not get away by noise";
  EXPECT_LE(table.Collect(0).size(), 512U);
}

TEST(RateTableTest, ManyThreadsTogetherTakeNoMoreThanFits) {
  RateTable table(512, kBurst);
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        if (table.Take(1, 10, 0) == 0) ++taken;
        table.Take(static_cast<uint64_t>(i), kInterval, 0);
        if (i % 100 == 0) table.Collect(0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // The second Take puts up to four more of another interval into key 1.
  EXPECT_LE(taken, 100);
  EXPECT_GE(taken, 100 - 4 * 10);
  EXPECT_GT(table.Take(1, kInterval, 0), 0);
}

}  // namespace
}  // namespace parcours::quota
