#include "services/evaluation/domain/legal_holds.h"

#include <string>
#include <vector>

#include "common/rules/rule_book.h"
#include "common/testing/status_matchers.h"
#include "common/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/evaluation/testing/samples.h"

namespace parcours::evaluation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::CivilDay kProclaimed(2026, 12, 31);
// Two months later, in a shorter month.
constexpr absl::CivilDay kLastOfAppeal(2027, 2, 28);

rules::RuleBook Rules() {
  auto rules = rules::RuleBook::Parse(R"(
      book: "fr"
      rules {
        id: "certification.appeal"
        description_fr: "Recours"
        unit: UNIT_MONTHS
        values {
          effective_from { year: 2001 month: 1 day: 1 }
          value: 2
          article: "Article d’essai"
          source: "essai"
          certainty: CERTAINTY_HOUSE
        }
      })",
                                      "test");
  EXPECT_OK(rules);
  return *std::move(rules);
}

class LegalHoldsTest : public ::testing::Test {
 protected:
  LegalHoldsTest() {
    record_.person = learner_.person;
    record_.roster = {learner_};
  }

  // The resources that hold at noon of `day`; all of it is under way.
  std::vector<std::string> HeldOn(absl::CivilDay day) {
    const auto holds =
        LegalHoldsOn(record_, Rules(), ParisMidnight(day) + absl::Hours(12));
    EXPECT_OK(holds);
    std::vector<std::string> resources;
    for (const privacy::LegalHold& hold : *holds) {
      EXPECT_EQ(hold.kind, "under_way");
      EXPECT_FALSE(hold.until.has_value());
      resources.push_back(hold.resource);
    }
    return resources;
  }

  ValidationNote Note(int64_t versions) {
    ValidationNote note;
    note.name = NoteOf(learner_.enrolment);
    note.enrolment = learner_.enrolment;
    note.version_count = versions;
    return note;
  }

  Result Decided() {
    Result result;
    result.name = ResultOf(learner_.enrolment);
    result.enrolment = learner_.enrolment;
    result.decision = DecisionOf(SampleJury().name, learner_.enrolment);
    result.proclaim_time = ParisMidnight(kProclaimed) + absl::Hours(15);
    return result;
  }

  RosterEntry learner_ = SampleLearner("a");
  PersonRecord record_;
};

TEST_F(LegalHoldsTest, NothingHoldsWhomNothingIsUnderWayFor) {
  EXPECT_THAT(HeldOn(kProclaimed), IsEmpty());
  record_.notes = {Note(0)};
  EXPECT_THAT(HeldOn(kProclaimed), IsEmpty());
}

TEST_F(LegalHoldsTest, ANoteThatWasHandedInWaitsForItsResult) {
  record_.notes = {Note(1)};
  EXPECT_THAT(HeldOn(kProclaimed),
              ElementsAre(NoteOf(learner_.enrolment).text()));
  Result completed = Decided();
  completed.decision = DecisionName();
  record_.results = {completed};
  EXPECT_THAT(HeldOn(kProclaimed), IsEmpty());
}

TEST_F(LegalHoldsTest, NobodyExaminesWhoHasLeft) {
  record_.notes = {Note(1)};
  record_.roster[0].state = EnrolmentState::kDroppedOut;
  EXPECT_THAT(HeldOn(kProclaimed), IsEmpty());
}

TEST_F(LegalHoldsTest, ADecisionHoldsUntilTheLastDayOfAppeal) {
  record_.results = {Decided()};
  const std::string decision = Decided().decision.text();
  EXPECT_THAT(HeldOn(kProclaimed), ElementsAre(decision));
  EXPECT_THAT(HeldOn(kLastOfAppeal), ElementsAre(decision));
  EXPECT_THAT(HeldOn(kLastOfAppeal + 1), IsEmpty());
}

TEST_F(LegalHoldsTest, AnAppealHoldsUntilItIsAnswered) {
  record_.results = {Decided()};
  Appeal appeal;
  appeal.name = AppealName::FromRecord(SampleCohort().text() + "/appeals/x");
  record_.appeals = {appeal};
  EXPECT_THAT(HeldOn(kLastOfAppeal + 1), ElementsAre(appeal.name.text()));
  record_.appeals[0].state = AppealState::kDismissed;
  EXPECT_THAT(HeldOn(kLastOfAppeal + 1), IsEmpty());
}

TEST_F(LegalHoldsTest, ASessionAndAJuryOfTheirsHoldUntilTheyAreClosed) {
  record_.sessions = {SampleJury()};
  EXPECT_THAT(HeldOn(kProclaimed), ElementsAre(SampleJury().name.text()));
  record_.sessions.clear();
  record_.juries = {SampleJury()};
  EXPECT_THAT(HeldOn(kProclaimed), ElementsAre(SampleJury().name.text()));
  record_.juries[0].state = JuryState::kClosed;
  EXPECT_THAT(HeldOn(kProclaimed), IsEmpty());
}

TEST_F(LegalHoldsTest, ACertificateHoldsNobody) {
  record_.certificates = {Certificate{}};
  EXPECT_THAT(HeldOn(kProclaimed), IsEmpty());
}

}  // namespace
}  // namespace parcours::evaluation
