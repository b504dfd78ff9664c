#include "common/text/french_date.h"

#include "gtest/gtest.h"

namespace parcours {
namespace {

TEST(FrenchDate, DaysAndTimesReadAsTheyAreSaid) {
  EXPECT_EQ(FrenchDay(absl::CivilDay(2026, 3, 1)), "1er mars 2026");
  EXPECT_EQ(FrenchDay(absl::CivilDay(2026, 12, 31)), "31 décembre 2026");
  EXPECT_EQ(FrenchMinute(absl::CivilMinute(2026, 8, 5, 9, 5)),
            "5 août 2026 à 9 h 05");
}

TEST(InFrench, ChangesDaysAndLocalTimesOnly) {
  EXPECT_EQ(InFrench("2026-02-28"), "28 février 2026");
  EXPECT_EQ(InFrench("2026-02-28 17:30"), "28 février 2026 à 17 h 30");
  EXPECT_EQ(InFrench("2026-02-28T17:30:00+01:00"), "28 février 2026 à 17 h 30");
  for (const char* other :
       {"", "2026", "2026-13-01", "2026-02-30", "2026-02-28 25:00",
        "bodies/essai/cohorts/2026-02-28", "2026-02-28T16:30:00Z"}) {
    EXPECT_EQ(InFrench(other), other);
  }
}

}  // namespace
}  // namespace parcours
