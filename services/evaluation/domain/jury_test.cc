#include "services/evaluation/domain/jury.h"

#include "common/status/error.h"
#include "common/testing/status_matchers.h"
#include "common/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/evaluation/testing/samples.h"

namespace parcours::evaluation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

const absl::Time kSession = ParisMidnight(absl::CivilDay(2027, 1, 20));

EnrolmentName Learner(const std::string& id) {
  return SampleLearner(id).enrolment;
}

Jury OpenedJury(std::vector<EnrolmentName> candidates, int present = 5) {
  Jury jury = SampleJury();
  std::vector<PersonName> people;
  for (int i = 1; i <= present; ++i) people.push_back(SampleMember(i));
  EXPECT_OK(
      OpenSession(jury, SamplePlan(), people, std::move(candidates), kSession));
  return jury;
}

Decision DecisionOn(const Jury& jury, const std::string& id,
                    DecisionOutcome outcome) {
  Decision decision;
  decision.enrolment = Learner(id);
  decision.name = DecisionOf(jury.name, decision.enrolment);
  decision.outcome = outcome;
  decision.reason = "Un motif secret";
  decision.reason_salt = "salt";
  return decision;
}

Conflict ConflictOf(int member, const std::string& id) {
  Conflict conflict;
  conflict.person = SampleMember(member);
  conflict.enrolment = Learner(id);
  return conflict;
}

TEST(JuryTest, HasOnePresidentNobodyTwiceAndItsQuorum) {
  const AssessmentPlan plan = SamplePlan();
  EXPECT_OK(CheckMembers(SampleJury(), plan));
  Jury jury = SampleJury();
  jury.members[0].role = MemberRole::kMember;
  EXPECT_THAT(CheckMembers(jury, plan), ViolatesField("jury.members"));
  jury = SampleJury();
  jury.members[3].role = MemberRole::kPresident;
  EXPECT_THAT(CheckMembers(jury, plan), ViolatesField("jury.members[3].role"));
  jury = SampleJury();
  jury.members[4].person = SampleMember(2);
  EXPECT_THAT(CheckMembers(jury, plan),
              ViolatesField("jury.members[4].person"));
  jury = SampleJury();
  jury.members.resize(2);
  EXPECT_THAT(CheckMembers(jury, plan), HasReason(Reason::kQuorumNotMet));
}

TEST(JuryTest, OpensOnItsDayWithItsQuorum) {
  const std::vector<PersonName> three = {SampleMember(1), SampleMember(2),
                                         SampleMember(3)};
  Jury jury = SampleJury();
  EXPECT_THAT(
      OpenSession(jury, SamplePlan(), three, {}, kSession - absl::Seconds(1)),
      HasReason(Reason::kTooEarly));
  EXPECT_THAT(OpenSession(jury, SamplePlan(), {SampleMember(9)}, {}, kSession),
              ViolatesField("present_members[0]"));
  jury = SampleJury();
  EXPECT_THAT(OpenSession(jury, SamplePlan(),
                          {SampleMember(1), SampleMember(2)}, {}, kSession),
              HasReason(Reason::kQuorumNotMet));
  jury = SampleJury();
  EXPECT_OK(OpenSession(jury, SamplePlan(), three, {}, kSession));
  EXPECT_THAT(OpenSession(jury, SamplePlan(), three, {}, kSession),
              HasReason(Reason::kIllegalTransition));
}

TEST(JuryTest, QuorumIsThePlansNumber) {
  AssessmentPlan plan = SamplePlan();
  plan.jury_quorum = 1;
  Jury jury = SampleJury();
  ASSERT_OK(OpenSession(jury, plan, {SampleMember(2)}, {}, kSession));
  Decision decision = DecisionOn(jury, "a", DecisionOutcome::kAwarded);
  EXPECT_OK(SettleDecidingMembers(jury, {}, decision));
  EXPECT_THAT(decision.deciding_members, ElementsAre(SampleMember(2)));
}

TEST(JuryTest, DecidesOnlyWhileItSits) {
  Jury jury = SampleJury();
  EXPECT_THAT(CheckSits(jury, "RecordDecision"),
              HasReason(Reason::kIllegalTransition));
  EXPECT_OK(CheckConvened(jury, "UpdateJury"));
  jury.state = JuryState::kOpen;
  EXPECT_OK(CheckSits(jury, "RecordDecision"));
  EXPECT_THAT(CheckConvened(jury, "UpdateJury"),
              HasReason(Reason::kIllegalTransition));
  jury.state = JuryState::kClosed;
  EXPECT_THAT(CheckSits(jury, "RecordDecision"),
              HasReason(Reason::kMinutesClosed));
}

TEST(JuryTest, MembersInConflictDoNotCount) {
  const Jury jury = OpenedJury({Learner("a")}, 4);
  Decision decision = DecisionOn(jury, "a", DecisionOutcome::kAwarded);
  ASSERT_OK(SettleDecidingMembers(jury, {ConflictOf(1, "a")}, decision));
  EXPECT_THAT(decision.deciding_members, SizeIs(3));
  decision.deciding_members.clear();
  EXPECT_THAT(SettleDecidingMembers(
                  jury, {ConflictOf(1, "a"), ConflictOf(2, "a")}, decision),
              HasReason(Reason::kQuorumNotMet));
}

TEST(JuryTest, NamedMembersArePresentWithoutConflictAndCountedOnce) {
  const Jury jury = OpenedJury({Learner("a")}, 4);
  Decision decision = DecisionOn(jury, "a", DecisionOutcome::kAwarded);
  decision.deciding_members = {SampleMember(5)};
  EXPECT_THAT(SettleDecidingMembers(jury, {}, decision),
              HasReason(Reason::kUnknownReference));
  decision.deciding_members = {SampleMember(1)};
  EXPECT_THAT(SettleDecidingMembers(jury, {ConflictOf(1, "a")}, decision),
              HasReason(Reason::kConflictOfInterest));
  decision.deciding_members = {SampleMember(1), SampleMember(1),
                               SampleMember(1)};
  EXPECT_THAT(SettleDecidingMembers(jury, {}, decision),
              HasReason(Reason::kQuorumNotMet));
}

TEST(DecisionTest, NeedsAReasonUnlessItAwards) {
  const AssessmentPlan plan = SamplePlan();
  Decision decision;
  for (const auto& [outcome, legal] :
       std::map<DecisionOutcome, bool>{{DecisionOutcome::kAwarded, true},
                                       {DecisionOutcome::kDeferred, false},
                                       {DecisionOutcome::kRefused, false}}) {
    decision.outcome = outcome;
    EXPECT_EQ(CheckDecision(decision, plan).ok(), legal) << NameOf(outcome);
  }
}

TEST(DecisionTest, HasAMarkWhereTheProgrammeMarks) {
  AssessmentPlan plan = SamplePlan();
  Decision decision;
  decision.outcome = DecisionOutcome::kAwarded;
  decision.mark_hundredths = 1400;
  EXPECT_THAT(CheckDecision(decision, plan),
              HasReason(Reason::kFieldOutOfRange));
  plan.marked = true;
  EXPECT_OK(CheckDecision(decision, plan));
  decision.mark_hundredths.reset();
  EXPECT_THAT(CheckDecision(decision, plan), HasReason(Reason::kFieldRequired));
}

class MinutesTest : public ::testing::Test {
 protected:
  absl::StatusOr<Minutes> Close() {
    return CloseSession(jury_, {.plan = plan_,
                                .decisions = decisions_,
                                .candidates = candidates_,
                                .departed = departed_,
                                .position = 2,
                                .previous_digest = "before",
                                .now = kSession + absl::Hours(6)});
  }

  AssessmentPlan plan_ = SamplePlan();
  Jury jury_ = OpenedJury({Learner("a"), Learner("b")});
  std::vector<Decision> decisions_ = {
      DecisionOn(jury_, "a", DecisionOutcome::kAwarded),
      DecisionOn(jury_, "b", DecisionOutcome::kDeferred)};
  std::vector<MinutesCandidate> candidates_ = {{.enrolment = Learner("a"),
                                                .display_name = "Candidate a",
                                                .page_count = 12,
                                                .out_of_range = true,
                                                .late = true}};
  std::vector<EnrolmentName> departed_;
};

TEST_F(MinutesTest, CloseOnceAndForEver) {
  const auto minutes = Close();
  ASSERT_OK(minutes);
  EXPECT_EQ(jury_.state, JuryState::kClosed);
  EXPECT_EQ(minutes->awarded_count, 1);
  EXPECT_EQ(minutes->deferred_count, 1);
  EXPECT_THAT(minutes->text, HasSubstr("Candidate a (note de 12 pages, hors de "
                                       "la fourchette demandée, remise en "
                                       "retard) : certificat décerné"));
  EXPECT_THAT(minutes->text, HasSubstr("Membre 1, présidence : présent·e"));
  EXPECT_THAT(Close(), HasReason(Reason::kMinutesClosed));
}

TEST_F(MinutesTest, NeedADecisionOnEverybodyWhoHasNotLeft) {
  decisions_.pop_back();
  const auto missing = Close();
  EXPECT_THAT(missing, HasReason(Reason::kDecisionsMissing));
  EXPECT_EQ(MetadataOf(missing.status()).at("candidates"), Learner("b").text());
  EXPECT_EQ(jury_.state, JuryState::kOpen);
  departed_ = {Learner("b")};
  EXPECT_OK(Close());
}

TEST_F(MinutesTest, DigestCoversEveryFact) {
  const auto minutes = Close();
  ASSERT_OK(minutes);
  EXPECT_EQ(DigestOf(*minutes, decisions_), minutes->digest);
  const auto differs = [&](auto change) {
    Minutes other = *minutes;
    std::vector<Decision> decisions = decisions_;
    change(other, decisions);
    return DigestOf(other, decisions) != minutes->digest;
  };
  EXPECT_TRUE(differs([](Minutes& m, auto&) { m.previous_digest = "x"; }));
  EXPECT_TRUE(differs([](Minutes& m, auto&) { m.position = 3; }));
  EXPECT_TRUE(differs([](Minutes& m, auto&) { m.text += "."; }));
  EXPECT_TRUE(differs([](Minutes& m, auto&) { m.departed = {Learner("z")}; }));
  EXPECT_TRUE(differs([](Minutes&, auto& d) { d.pop_back(); }));
  EXPECT_TRUE(differs(
      [](Minutes&, auto& d) { d[1].outcome = DecisionOutcome::kAwarded; }));
  EXPECT_TRUE(differs([](Minutes&, auto& d) { d[1].reason = "autre"; }));
  EXPECT_TRUE(differs([](Minutes&, auto& d) { d[0].mark_hundredths = 1; }));
  // Who corrects it later is not a fact of this session.
  EXPECT_FALSE(
      differs([](Minutes&, auto& d) { d[0].corrected_by = d[1].name; }));
}

}  // namespace
}  // namespace parcours::evaluation
