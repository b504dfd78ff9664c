#include "services/evaluation/domain/result.h"

#include "common/rules/rule_book.h"
#include "common/status/error.h"
#include "common/testing/status_matchers.h"
#include "common/time/clock.h"
#include "gtest/gtest.h"
#include "services/evaluation/testing/samples.h"

namespace parcours::evaluation {
namespace {

rules::RuleBook Rules(int months) {
  auto rules = rules::RuleBook::Parse(
      R"(book: "fr"
         rules {
           id: "certification.appeal"
           description_fr: "Recours"
           unit: UNIT_MONTHS
           values {
             effective_from { year: 2001 month: 1 day: 1 }
             value: )" +
          std::to_string(months) + R"(
             article: "Article d’essai"
             source: "essai"
             certainty: CERTAINTY_HOUSE
           }
         })",
      "test");
  EXPECT_OK(rules);
  return *std::move(rules);
}

class AppealTest : public ::testing::Test {
 protected:
  AppealTest() {
    result_.decision =
        DecisionOf(SampleJury().name, SampleLearner("a").enrolment);
    result_.proclaim_time =
        ParisMidnight(absl::CivilDay(2026, 12, 31)) + absl::Hours(15);
    appeal_.decision = result_.decision;
    appeal_.statement = "Une erreur";
  }

  absl::Status On(absl::CivilDay day, int months = 2) {
    return CheckAppeal(appeal_, result_, Rules(months),
                       ParisMidnight(day) + absl::Hours(12));
  }

  Result result_;
  Appeal appeal_;
};

TEST_F(AppealTest, IsPossibleForTheMonthsOfTheRule) {
  EXPECT_OK(On(absl::CivilDay(2027, 1, 15)));
  // 31 December and two months: the last day of a shorter month.
  EXPECT_OK(On(absl::CivilDay(2027, 2, 28)));
  const absl::Status late = On(absl::CivilDay(2027, 3, 1));
  EXPECT_THAT(late, HasReason(Reason::kAppealPeriodOver));
  EXPECT_EQ(MetadataOf(late).at("ended"), "2027-02-28");
  EXPECT_EQ(MetadataOf(late).at("article"), "Article d’essai");
  EXPECT_OK(On(absl::CivilDay(2027, 3, 31), 3));
}

TEST_F(AppealTest, IsAboutTheDecisionInForceAndSaysWhy) {
  appeal_.statement.clear();
  EXPECT_THAT(On(absl::CivilDay(2027, 1, 15)),
              HasReason(Reason::kReasonRequired));
  appeal_.statement = "Une erreur";
  appeal_.decision =
      DecisionOf(SampleJury().name, SampleLearner("b").enrolment);
  EXPECT_THAT(On(absl::CivilDay(2027, 1, 15)),
              HasReason(Reason::kUnknownReference));
}

TEST_F(AppealTest, IsAnsweredOnceWithAReason) {
  EXPECT_THAT(AnswerAppeal(appeal_, true, "", "Quelqu’un", absl::UnixEpoch()),
              HasReason(Reason::kReasonRequired));
  ASSERT_OK(AnswerAppeal(appeal_, false, "Rien d’établi", "Quelqu’un",
                         absl::UnixEpoch()));
  EXPECT_EQ(appeal_.state, AppealState::kDismissed);
  EXPECT_THAT(
      AnswerAppeal(appeal_, true, "Et puis si", "Quelqu’un", absl::UnixEpoch()),
      HasReason(Reason::kIllegalTransition));
}

TEST(ResultTest, OnlyADeferralAwaitsAnotherJury) {
  EXPECT_TRUE(AwaitsJury(std::nullopt));
  for (const auto& [outcome, awaits] :
       std::initializer_list<std::pair<ResultOutcome, bool>>{
           {ResultOutcome::kDeferred, true},
           {ResultOutcome::kAwarded, false},
           {ResultOutcome::kRefused, false},
           {ResultOutcome::kCompleted, false}}) {
    Result result;
    result.outcome = outcome;
    EXPECT_EQ(AwaitsJury(result), awaits) << NameOf(outcome);
  }
}

TEST(RosterTest, CopiesOnlyWhatChanges) {
  EnrolmentFacts facts{.name = SampleLearner("a").enrolment,
                       .display_name = "Candidate a",
                       .state = EnrolmentState::kEnrolled};
  RosterEntry entry;
  EXPECT_TRUE(Copy(facts, entry));
  EXPECT_FALSE(Copy(facts, entry));
  facts.state = EnrolmentState::kDroppedOut;
  EXPECT_TRUE(Copy(facts, entry));
  EXPECT_TRUE(HasLeft(entry.state));
  EXPECT_FALSE(MayBeAssessed(entry.state));
}

}  // namespace
}  // namespace parcours::evaluation
