#include "services/evaluation/domain/retention.h"

#include "common/time/clock.h"
#include "gtest/gtest.h"

namespace parcours::evaluation {
namespace {

rules::DatedRule Years(int64_t value) {
  return {.value = value, .unit = rules::RuleUnit::kYears};
}

absl::Time Noon(absl::CivilDay day) {
  return ParisMidnight(day) + absl::Hours(12);
}

Result ProclaimedOn(absl::CivilDay day) {
  Result result;
  result.proclaim_time = Noon(day);
  return result;
}

TEST(RetentionTest, ANoteIsDueOnTheAnniversaryOfItsResult) {
  const Result result = ProclaimedOn(absl::CivilDay(2027, 1, 20));
  EXPECT_FALSE(IsOverdue(result, Years(5), Noon(absl::CivilDay(2032, 1, 19))));
  EXPECT_TRUE(IsOverdue(result, Years(5), Noon(absl::CivilDay(2032, 1, 20))));
  // By the local day, not by the hour.
  EXPECT_TRUE(
      IsOverdue(result, Years(5), ParisMidnight(absl::CivilDay(2032, 1, 20))));
}

TEST(RetentionTest, AResultOfALeapDayIsDueOnTheFirstOfMarch) {
  const Result result = ProclaimedOn(absl::CivilDay(2028, 2, 29));
  EXPECT_FALSE(IsOverdue(result, Years(5), Noon(absl::CivilDay(2033, 2, 28))));
  EXPECT_TRUE(IsOverdue(result, Years(5), Noon(absl::CivilDay(2033, 3, 1))));
  EXPECT_TRUE(IsOverdue(result, Years(4), Noon(absl::CivilDay(2032, 2, 29))));
}

TEST(RetentionTest, AnAppealIsDueAfterItsAnswerAndNeverWithout) {
  Appeal appeal;
  EXPECT_FALSE(IsOverdue(appeal, Years(5), Noon(absl::CivilDay(2090, 1, 1))));
  appeal.answer_time = Noon(absl::CivilDay(2027, 3, 1));
  EXPECT_FALSE(IsOverdue(appeal, Years(5), Noon(absl::CivilDay(2032, 2, 29))));
  EXPECT_TRUE(IsOverdue(appeal, Years(5), Noon(absl::CivilDay(2032, 3, 1))));
}

}  // namespace
}  // namespace parcours::evaluation
