#include "services/evaluation/domain/assessment_plan.h"

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "services/evaluation/testing/samples.h"

namespace parcours::evaluation {
namespace {

absl::Status Check(const AssessmentPlan& plan) {
  FieldViolations violations;
  Validate(plan, violations);
  return violations.ToStatus();
}

TEST(PlanDateTest, MonthReachesFromItsFirstToItsLastDay) {
  const PlanDate february{.year = 2028, .month = 2};
  EXPECT_EQ(february.First(), absl::CivilDay(2028, 2, 1));
  EXPECT_EQ(february.Last(), absl::CivilDay(2028, 2, 29));
  const PlanDate day{.year = 2026, .month = 12, .day = 15};
  EXPECT_EQ(day.First(), day.Last());
}

TEST(MandateTest, IsInForceFromItsFirstToItsLastDay) {
  CertificationMandate mandate{.reference = "M",
                               .effective_from = absl::CivilDay(2026, 1, 1)};
  EXPECT_FALSE(mandate.InForceOn(absl::CivilDay(2025, 12, 31)));
  EXPECT_TRUE(mandate.InForceOn(absl::CivilDay(2026, 1, 1)));
  EXPECT_TRUE(mandate.InForceOn(absl::CivilDay(2050, 1, 1)));
  mandate.effective_until = absl::CivilDay(2026, 12, 31);
  EXPECT_TRUE(mandate.InForceOn(absl::CivilDay(2026, 12, 31)));
  EXPECT_FALSE(mandate.InForceOn(absl::CivilDay(2027, 1, 1)));
}

TEST(AssessmentPlanTest, AcceptsTheSampleAndOneWithoutAssessment) {
  EXPECT_OK(Check(SamplePlan()));
  EXPECT_OK(Check(AssessmentPlan()));
}

TEST(AssessmentPlanTest, NamesEveryFieldThatDoesNotFit) {
  AssessmentPlan plan = SamplePlan();
  plan.note_max_pages = 0;
  EXPECT_THAT(Check(plan),
              ViolatesField("assessment_plan.options.note_max_pages"));
  plan = SamplePlan();
  plan.note_min_pages = plan.note_max_pages + 1;
  EXPECT_THAT(Check(plan),
              ViolatesField("assessment_plan.options.note_min_pages"));
  plan = SamplePlan();
  plan.jury_required = false;
  EXPECT_THAT(Check(plan),
              ViolatesField("assessment_plan.options.jury_required"));
  plan = SamplePlan();
  plan.jury_date.reset();
  plan.writing_end.reset();
  EXPECT_THAT(Check(plan), ViolatesField("assessment_plan.calendar.jury_date"));
  EXPECT_THAT(Check(plan),
              ViolatesField("assessment_plan.calendar.writing_end_date"));
  plan = SamplePlan();
  plan.writing_start = PlanDate{.year = 2027, .month = 2};
  EXPECT_THAT(Check(plan), HasReason(Reason::kDatesOutOfOrder));
  plan = SamplePlan();
  plan.pass_mark_hundredths = 1000;
  EXPECT_THAT(Check(plan), ViolatesField("assessment_plan.options.marked"));
  plan = SamplePlan();
  plan.certification_mandate.reset();
  plan.certificate_title.clear();
  EXPECT_THAT(Check(plan),
              ViolatesField("assessment_plan.certification_mandate"));
  EXPECT_THAT(Check(plan), ViolatesField("assessment_plan.certificate_title"));
  plan.certification_mode = CertificationMode::kHandover;
  EXPECT_OK(Check(plan));
}

TEST(AssessmentPlanTest, NotesAreDueOnTheLastDayOfWritingUnlessTold) {
  AssessmentPlan plan = SamplePlan();
  EXPECT_EQ(plan.NoteDueDate(), absl::CivilDay(2026, 12, 31));
  plan.note_due_date = absl::CivilDay(2026, 12, 4);
  EXPECT_EQ(plan.NoteDueDate(), absl::CivilDay(2026, 12, 4));
}

TEST(AssessmentPlanTest, SaysWhatIsNotAskedFor) {
  AssessmentPlan plan;
  EXPECT_THAT(CheckJuryRequired(plan), HasReason(Reason::kNoJury));
  EXPECT_THAT(CheckNoteRequired(plan), HasReason(Reason::kNoJury));
  plan.jury_required = true;
  EXPECT_OK(CheckJuryRequired(plan));
  EXPECT_THAT(CheckNoteRequired(plan), HasReason(Reason::kNoteNotRequired));
  plan.note_required = true;
  EXPECT_OK(CheckNoteRequired(plan));
}

}  // namespace
}  // namespace parcours::evaluation
