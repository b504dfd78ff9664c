#include "common/time/french_calendar.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/time/civil_time.h"
#include "gtest/gtest.h"

namespace parcours {
namespace {

using absl::CivilDay;

std::vector<CivilDay> HolidaysOf(absl::civil_year_t year) {
  std::vector<CivilDay> holidays;
  for (CivilDay day(year, 1, 1); day.year() == year; ++day) {
    if (IsPublicHoliday(day)) holidays.push_back(day);
  }
  return holidays;
}

TEST(EasterSundayTest, FallsOnThePublishedDays) {
  EXPECT_EQ(EasterSunday(1818), CivilDay(1818, 3, 22));  // earliest possible
  EXPECT_EQ(EasterSunday(1943), CivilDay(1943, 4, 25));  // latest possible
  EXPECT_EQ(EasterSunday(2000), CivilDay(2000, 4, 23));
  EXPECT_EQ(EasterSunday(2024), CivilDay(2024, 3, 31));
  EXPECT_EQ(EasterSunday(2025), CivilDay(2025, 4, 20));
  EXPECT_EQ(EasterSunday(2026), CivilDay(2026, 4, 5));
  EXPECT_EQ(EasterSunday(2027), CivilDay(2027, 3, 28));
  EXPECT_EQ(EasterSunday(2028), CivilDay(2028, 4, 16));
}

struct YearOfHolidays {
  int year;
  CivilDay easter_monday;
  CivilDay ascension;
  CivilDay whit_monday;
};

class PublicHolidayTest : public testing::TestWithParam<YearOfHolidays> {};

TEST_P(PublicHolidayTest, ThereAreElevenAndNoOther) {
  const YearOfHolidays& param = GetParam();
  const int year = param.year;
  std::vector<CivilDay> expected = {
      CivilDay(year, 1, 1),   param.easter_monday,    CivilDay(year, 5, 1),
      CivilDay(year, 5, 8),   param.ascension,        param.whit_monday,
      CivilDay(year, 7, 14),  CivilDay(year, 8, 15),  CivilDay(year, 11, 1),
      CivilDay(year, 11, 11), CivilDay(year, 12, 25),
  };
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(HolidaysOf(year), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Years, PublicHolidayTest,
    testing::Values(YearOfHolidays{2025, CivilDay(2025, 4, 21),
                                   CivilDay(2025, 5, 29), CivilDay(2025, 6, 9)},
                    YearOfHolidays{2026, CivilDay(2026, 4, 6),
                                   CivilDay(2026, 5, 14),
                                   CivilDay(2026, 5, 25)},
                    YearOfHolidays{2027, CivilDay(2027, 3, 29),
                                   CivilDay(2027, 5, 6), CivilDay(2027, 5, 17)},
                    YearOfHolidays{2028, CivilDay(2028, 4, 17),
                                   CivilDay(2028, 5, 25),
                                   CivilDay(2028, 6, 5)}));

TEST(PublicHolidayTest, AscensionCanFallOnTheEighthOfMay) {
  // 2008: Ascension was 1 May; ten days remain that are holidays.
  EXPECT_EQ(HolidaysOf(2008).size(), 10u);
  EXPECT_TRUE(IsPublicHoliday(CivilDay(2008, 5, 1)));
}

TEST(WorkingDayTest, LeavesOutWeekendsAndHolidays) {
  EXPECT_TRUE(IsWorkingDay(CivilDay(2026, 3, 16)));
  EXPECT_FALSE(IsWorkingDay(CivilDay(2026, 3, 14)));  // Saturday
  EXPECT_FALSE(IsWorkingDay(CivilDay(2026, 3, 15)));  // Sunday
  EXPECT_FALSE(IsWorkingDay(CivilDay(2026, 5, 14)));  // Ascension
  EXPECT_TRUE(IsWorkingDay(CivilDay(2026, 5, 15)));
}

TEST(RollToWorkingDayTest, KeepsAWorkingDayAndPassesEasterWeekend) {
  EXPECT_EQ(RollToWorkingDay(CivilDay(2026, 4, 3)), CivilDay(2026, 4, 3));
  EXPECT_EQ(RollToWorkingDay(CivilDay(2026, 4, 4)), CivilDay(2026, 4, 7));
  EXPECT_EQ(RollToWorkingDay(CivilDay(2027, 1, 1)), CivilDay(2027, 1, 4));
}

TEST(NextWorkingDayTest, IsAfterTheDay) {
  EXPECT_EQ(NextWorkingDay(CivilDay(2026, 3, 16)), CivilDay(2026, 3, 17));
  EXPECT_EQ(NextWorkingDay(CivilDay(2026, 4, 30)), CivilDay(2026, 5, 4));
}

TEST(AddWorkingDaysTest, CountsWorkingDaysOnlyInBothDirections) {
  EXPECT_EQ(AddWorkingDays(CivilDay(2026, 3, 14), 0), CivilDay(2026, 3, 14));
  EXPECT_EQ(AddWorkingDays(CivilDay(2026, 3, 13), 1), CivilDay(2026, 3, 16));
  EXPECT_EQ(AddWorkingDays(CivilDay(2026, 4, 30), 5), CivilDay(2026, 5, 11));
  // Eleven working days before the first day of the 2026 course.
  EXPECT_EQ(AddWorkingDays(CivilDay(2026, 3, 16), -11), CivilDay(2026, 2, 27));
  EXPECT_EQ(AddWorkingDays(CivilDay(2026, 4, 7), -1), CivilDay(2026, 4, 3));
}

TEST(CountWorkingDaysTest, IsTheInverseOfAddWorkingDays) {
  for (std::int64_t count = 0; count <= 60; ++count) {
    const CivilDay from(2026, 4, 3);
    EXPECT_EQ(CountWorkingDays(from, AddWorkingDays(from, count)), count);
  }
  EXPECT_EQ(CountWorkingDays(CivilDay(2026, 3, 16), CivilDay(2026, 3, 16)), 0);
  EXPECT_EQ(CountWorkingDays(CivilDay(2026, 3, 16), CivilDay(2026, 3, 1)), 0);
}

}  // namespace
}  // namespace parcours
