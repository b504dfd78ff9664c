#include "clients/cli/demo/random.h"

#include <cstdint>
#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::cli::demo {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAreArray;

// The numbers themselves: another platform or compiler must give the same.
TEST(RandomTest, GivesTheSameNumbersEverywhere) {
  Random random(2026);
  std::vector<std::uint64_t> numbers(8);
  for (std::uint64_t& number : numbers) number = random.Below(1000);
  EXPECT_THAT(numbers, ElementsAre(109, 512, 418, 586, 994, 336, 772, 239));
}

TEST(RandomTest, AnotherSeedGivesOtherNumbers) {
  Random one(1);
  Random two(2);
  EXPECT_NE(one.Next(), two.Next());
}

TEST(RandomTest, StaysBelowItsBoundAndReachesEveryNumber) {
  Random random(7);
  std::vector<int> seen(5, 0);
  for (int i = 0; i < 1000; ++i) ++seen.at(random.Index(seen.size()));
  for (const int count : seen) EXPECT_GT(count, 100);
}

TEST(RandomTest, ShufflingKeepsEveryElement) {
  std::vector<int> items(20);
  std::iota(items.begin(), items.end(), 0);
  std::vector<int> shuffled = items;
  Random random(3);
  random.Shuffle(shuffled);
  EXPECT_NE(shuffled, items);
  EXPECT_THAT(shuffled, UnorderedElementsAreArray(items));
}

TEST(RandomTest, NeverAndAlwaysAreKept) {
  Random random(11);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(random.Chance(0));
    EXPECT_TRUE(random.Chance(100));
  }
}

}  // namespace
}  // namespace parcours::cli::demo
