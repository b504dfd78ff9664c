#include "services/scheduling/domain/retention.h"

#include "absl/time/civil_time.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace parcours::scheduling {
namespace {

CalendarVersion CourseOn(std::initializer_list<absl::CivilDay> days) {
  CalendarVersion version;
  for (const absl::CivilDay day : days) {
    HalfDay half_day;
    half_day.date = day;
    version.half_days.push_back(half_day);
  }
  return version;
}

TEST(RetentionTest, ReasonsAreDueFromTheAnniversaryOfTheLastHalfDay) {
  const rules::DatedRule rule{.value = 3, .unit = rules::RuleUnit::kYears};
  const CalendarVersion course =
      CourseOn({absl::CivilDay(2026, 6, 15), absl::CivilDay(2026, 3, 16)});
  EXPECT_FALSE(IsOverdue(course, rule, absl::CivilDay(2029, 6, 14)));
  EXPECT_TRUE(IsOverdue(course, rule, absl::CivilDay(2029, 6, 15)));
}

TEST(RetentionTest, ALeapDayHasItsAnniversaryOnTheFirstOfMarch) {
  const rules::DatedRule rule{.value = 1, .unit = rules::RuleUnit::kYears};
  const CalendarVersion course = CourseOn({absl::CivilDay(2028, 2, 29)});
  EXPECT_FALSE(IsOverdue(course, rule, absl::CivilDay(2029, 2, 28)));
  EXPECT_TRUE(IsOverdue(course, rule, absl::CivilDay(2029, 3, 1)));
}

TEST(RetentionTest, ACourseWithoutHalfDaysIsNotOver) {
  EXPECT_FALSE(
      IsOverdue(CourseOn({}),
                rules::DatedRule{.value = 1, .unit = rules::RuleUnit::kYears},
                absl::CivilDay(2040, 1, 1)));
}

// The value in the house's book.
TEST(RetentionTest, TheHouseKeepsReasonsForAYear) {
  const auto rules = rules::RuleBook::Load("rules/fr.txtpb");
  ASSERT_OK(rules);
  const auto rule =
      rules->AsOf(kAbsenceReasonRetention, absl::CivilDay(2026, 6, 15));
  ASSERT_OK(rule);
  EXPECT_EQ(rule->unit, rules::RuleUnit::kYears);
  EXPECT_EQ(rule->value, 1);
  EXPECT_EQ(rule->certainty, rules::RuleCertainty::kHouse);
}

}  // namespace
}  // namespace parcours::scheduling
