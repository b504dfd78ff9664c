#include "common/privacy/retention_period.h"

#include "gtest/gtest.h"

namespace parcours::privacy {
namespace {

using absl::CivilDay;
using rules::DatedRule;
using rules::RuleUnit;

DatedRule Of(std::int64_t value, RuleUnit unit) {
  return {.value = value, .unit = unit};
}

TEST(RetentionPeriodTest, IsCountedInTheUnitOfItsRule) {
  const CivilDay start(2026, 11, 23);
  EXPECT_EQ(LastDayKept(start, Of(2, RuleUnit::kYears)),
            CivilDay(2028, 11, 22));
  EXPECT_EQ(LastDayKept(start, Of(18, RuleUnit::kMonths)),
            CivilDay(2028, 5, 22));
  EXPECT_EQ(LastDayKept(start, Of(30, RuleUnit::kDays)),
            CivilDay(2026, 12, 23));
}

TEST(RetentionPeriodTest, EndsWithTheMonthThatHasNoSuchDate) {
  EXPECT_EQ(LastDayKept(CivilDay(2028, 2, 29), Of(5, RuleUnit::kYears)),
            CivilDay(2033, 2, 28));
  EXPECT_EQ(LastDayKept(CivilDay(2026, 1, 31), Of(1, RuleUnit::kMonths)),
            CivilDay(2026, 2, 28));
  EXPECT_EQ(LastDayKept(CivilDay(2026, 10, 31), Of(6, RuleUnit::kMonths)),
            CivilDay(2027, 4, 30));
}

TEST(RetentionPeriodTest, IsOverOnTheDayAfterItsLast) {
  const DatedRule rule = Of(2, RuleUnit::kYears);
  const CivilDay start(2026, 11, 23);
  EXPECT_FALSE(IsOverdue(start, rule, CivilDay(2028, 11, 22)));
  EXPECT_TRUE(IsOverdue(start, rule, CivilDay(2028, 11, 23)));
}

TEST(RetentionPeriodTest, TheFirstStartKeptPartsWhatIsOverFromWhatIsNot) {
  for (const DatedRule& rule :
       {Of(0, RuleUnit::kYears), Of(1, RuleUnit::kYears),
        Of(10, RuleUnit::kYears), Of(1, RuleUnit::kMonths),
        Of(18, RuleUnit::kMonths), Of(0, RuleUnit::kDays),
        Of(1095, RuleUnit::kDays)}) {
    for (CivilDay today(2027, 12, 1); today < CivilDay(2029, 4, 1); ++today) {
      const CivilDay first = FirstStartKept(rule, today);
      EXPECT_FALSE(IsOverdue(first, rule, today)) << rule.value << " " << today;
      EXPECT_TRUE(IsOverdue(first - 1, rule, today))
          << rule.value << " " << today;
    }
  }
}

}  // namespace
}  // namespace parcours::privacy
