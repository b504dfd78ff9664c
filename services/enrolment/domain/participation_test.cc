#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "services/enrolment/testing/record.h"

namespace parcours::enrolment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What becomes of a confirmed participation: its payer, its place, its end.
class ParticipationTest : public RecordTest {
 protected:
  static Cohort OfTwo() {
    Cohort cohort = SampleCohort();
    cohort.capacity = 2;
    cohort.minimum = 1;
    return cohort;
  }
};

TEST_P(ParticipationTest, IsConfirmedWithAdmissionAndCommitment) {
  TestRecord record(GetParam());
  const ApplicationName name = record.Submitted(1).name;
  const auto neither = record.Confirm(name);
  EXPECT_THAT(neither, HasReason(Reason::kNotCommitted));
  EXPECT_EQ(MetadataOf(neither.status()).at("missing"),
            "admission, written commitment of the payer");
  ASSERT_OK(record.Admit(name));
  EXPECT_THAT(record.Confirm(name), HasReason(Reason::kNotCommitted));
  const Agreement agreement = Must(record.DrawUp(name));
  EXPECT_THAT(record.Confirm(name), HasReason(Reason::kNotCommitted));
  ASSERT_OK(record.Sign(agreement.name));
  const Enrolment enrolment = Must(record.Confirm(name));
  EXPECT_EQ(enrolment.state, EnrolmentState::kEnrolled);
  EXPECT_EQ(enrolment.person_display_name, "Candidate N1");
  EXPECT_EQ(enrolment.payer_kind, PayerKind::kIndividual);
  EXPECT_EQ(record.PlaceOf(name), PlaceState::kConfirmed);
  EXPECT_THAT(record.Confirm(name), HasReason(Reason::kNoPlace));
  EXPECT_THAT(record.Refuse(name), HasReason(Reason::kIllegalTransition));
  EXPECT_THAT(record.Withdraw(name), HasReason(Reason::kIllegalTransition));
}

TEST_P(ParticipationTest, IsConfirmedByThePayersOwnAct) {
  TestRecord record(GetParam());
  const ApplicationName employed = record.Admitted(1, record.Employer()).name;
  const auto confirm = [&](const Commitment& commitment) {
    return ConfirmPlace(record.store(), record.rules,
                        record.Call("ConfirmPlace"), employed, commitment);
  };
  EXPECT_THAT(confirm({.kind = CommitmentKind::kPurchaseOrder}),
              ViolatesField("commitment_reference"));
  EXPECT_THAT(
      confirm({.kind = CommitmentKind::kEdofAcceptance, .reference = "EDOF-1"}),
      HasReason(Reason::kNotCommitted));
  const Enrolment enrolment = Must(
      confirm({.kind = CommitmentKind::kPurchaseOrder, .reference = "BC-1"}));
  EXPECT_EQ(enrolment.commitment, CommitmentKind::kPurchaseOrder);
  EXPECT_EQ(enrolment.commitment_reference, "BC-1");
  EXPECT_EQ(enrolment.organisation, record.employer);
}

TEST_P(ParticipationTest, NobodyEntersAfterTheCutoff) {
  TestRecord record(GetParam());
  const ApplicationName name = record.Committed(1).name;
  record.AdvanceTo(Paris(2026, 3, 17));
  const auto late = record.Confirm(name);
  EXPECT_THAT(late, HasReason(Reason::kEntryCutoffPassed));
  EXPECT_EQ(MetadataOf(late.status()).at("cutoff"), "2026-03-16");
}

TEST_P(ParticipationTest, KeepsItsNameWhenThePayerChanges) {
  TestRecord record(GetParam());
  const Enrolment enrolment = record.Confirmed(1, record.Employer());
  const ApplicationName name = enrolment.application;
  const ApplicationView changed =
      Must(record.SetPayer(name, record.Individual()));
  EXPECT_EQ(changed.application.place_state, PlaceState::kHeld);
  EXPECT_EQ(changed.application.place_expire_time, Paris(2026, 3, 5));
  EXPECT_EQ(record.AgreementsOf(name).front().state, AgreementState::kEnded);
  EXPECT_EQ(record.Read(enrolment.name).state, EnrolmentState::kEnrolled);
  EXPECT_EQ(record.Read(enrolment.name).payer_kind, PayerKind::kEmployer);
  EXPECT_THAT(record.Confirm(name), HasReason(Reason::kNotCommitted));

  const Agreement contract = record.Commit(name);
  EXPECT_EQ(contract.kind, AgreementKind::kContract);
  EXPECT_EQ(contract.price_cents, 172500);
  const Enrolment again = Must(record.Confirm(name));
  EXPECT_EQ(again.name, enrolment.name);
  EXPECT_EQ(again.payer_kind, PayerKind::kIndividual);
  EXPECT_TRUE(again.organisation.empty());
  EXPECT_EQ(record.Count("SELECT COUNT(*) FROM enrolment"), 1);
  EXPECT_THAT(record.StatesOf(name),
              ElementsAre(PlaceState::kHeld, PlaceState::kConfirmed,
                          PlaceState::kHeld, PlaceState::kConfirmed));
}

TEST_P(ParticipationTest, MayChangeItsPayerDuringTheCourse) {
  TestRecord record(GetParam());
  const Enrolment enrolment = record.Confirmed(1, record.Employer());
  record.AdvanceTo(Paris(2026, 5, 4, 10));
  ASSERT_OK(StartEnrolment(record.store(), record.Call("StartEnrolment"),
                           enrolment.name));
  ASSERT_OK(record.SetPayer(enrolment.application, record.Individual()));
  record.Commit(enrolment.application);
  // Long after the entry cut-off: who takes part does not enter.
  const Enrolment again = Must(record.Confirm(enrolment.application));
  EXPECT_EQ(again.name, enrolment.name);
  EXPECT_EQ(again.state, EnrolmentState::kStarted);
}

TEST_P(ParticipationTest, EndsWhenTheNewPayerNeverCommits) {
  TestRecord record(GetParam());
  const Enrolment enrolment = record.Confirmed(1, record.Employer());
  ASSERT_OK(record.SetPayer(enrolment.application, record.Individual()));
  record.AdvanceTo(Paris(2026, 3, 5));
  EXPECT_EQ(record.PlaceOf(enrolment.application), PlaceState::kReleased);
  EXPECT_EQ(record.Read(enrolment.name).state, EnrolmentState::kWithdrawn);
}

TEST_P(ParticipationTest, AnotherFunderOfTheSamePayerChangesNoAgreement) {
  TestRecord record(GetParam());
  const Payer opco{.kind = PayerKind::kOpco, .organisation = record.employer};
  const Enrolment enrolment = record.Confirmed(1, opco);
  Payer afdas = opco;
  afdas.funder_id = "afdas";
  ASSERT_OK(record.SetPayer(enrolment.application, afdas));
  EXPECT_EQ(record.PlaceOf(enrolment.application), PlaceState::kConfirmed);
  EXPECT_EQ(record.AgreementsOf(enrolment.application).front().state,
            AgreementState::kSigned);
  EXPECT_EQ(record.Read(enrolment.name).funder_id, "afdas");
}

// Every way in which a place at risk is lost.
TEST_P(ParticipationTest, EndsWithAPlaceAtRisk) {
  const struct {
    const char* how;
    std::function<void(TestRecord&, const ApplicationName&)> lose;
  } cases[] = {
      {"lapses",
       [](TestRecord& record, const ApplicationName&) {
         record.AdvanceTo(record.now + absl::Hours(48));
       }},
      {"is refused",
       [](TestRecord& record, const ApplicationName& name) {
         EXPECT_OK(record.Refuse(name));
       }},
      {"is withdrawn",
       [](TestRecord& record, const ApplicationName& name) {
         EXPECT_OK(record.Withdraw(name));
       }},
  };
  for (const auto& c : cases) {
    for (const bool started : {false, true}) {
      SCOPED_TRACE(::testing::Message() << c.how << " " << started);
      Cohort cohort = OfTwo();
      cohort.start_date = absl::CivilDay(2026, 2, 2);
      TestRecord record(GetParam(), SampleProgramme(), cohort);
      const Enrolment enrolment = record.Confirmed(1, record.Employer());
      const ApplicationName name = enrolment.application;
      record.Confirmed(2);
      const auto waiting = record.AdmitMany(3, 1);
      if (started) {
        ASSERT_OK(StartEnrolment(record.store(), record.Call("StartEnrolment"),
                                 enrolment.name));
      }
      const ApplicationView at_risk = Must(record.FailFunding(name));
      EXPECT_EQ(at_risk.application.place_state, PlaceState::kAtRisk);
      EXPECT_EQ(at_risk.application.place_expire_time, Paris(2026, 2, 4, 10));
      EXPECT_EQ(record.ReadCohort().counts.taken(), 2);
      c.lose(record, name);
      EXPECT_EQ(record.PlaceOf(name), PlaceState::kReleased);
      const Enrolment lost = record.Read(enrolment.name);
      EXPECT_EQ(lost.state, started ? EnrolmentState::kDroppedOut
                                    : EnrolmentState::kWithdrawn);
      EXPECT_FALSE(lost.end_reason.empty());
      EXPECT_TRUE(lost.end_date.has_value());
      EXPECT_EQ(record.AgreementsOf(name).front().state,
                started ? AgreementState::kSigned : AgreementState::kEnded);
      EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
    }
  }
}

TEST_P(ParticipationTest, SurvivesAPlaceAtRiskWithANewPayer) {
  TestRecord record(GetParam());
  const Enrolment enrolment = record.Confirmed(1, record.Employer());
  const ApplicationName name = enrolment.application;
  ASSERT_OK(record.FailFunding(name));
  const ApplicationView chosen =
      Must(record.SetPayer(name, record.Individual()));
  EXPECT_EQ(chosen.application.place_state, PlaceState::kAtRisk);
  EXPECT_EQ(chosen.application.place_expire_time, Paris(2026, 2, 4, 10));
  record.Commit(name);
  record.AdvanceTo(Paris(2026, 2, 6, 10));
  const Enrolment again = Must(record.Confirm(name));
  EXPECT_EQ(again.name, enrolment.name);
  EXPECT_EQ(again.payer_kind, PayerKind::kIndividual);
}

TEST_P(ParticipationTest, FollowsTheCourseToItsEnd) {
  TestRecord record(GetParam());
  const Enrolment enrolment = record.Confirmed(1, record.Employer());
  const auto start = [&] {
    return StartEnrolment(record.store(), record.Call("StartEnrolment"),
                          enrolment.name);
  };
  const auto complete = [&] {
    return CompleteEnrolment(record.store(), record.Call("CompleteEnrolment"),
                             enrolment.name);
  };
  EXPECT_THAT(start(), HasReason(Reason::kTooEarly));
  record.AdvanceTo(Paris(2026, 3, 16, 9));
  ASSERT_OK(start());
  EXPECT_THAT(start(), HasReason(Reason::kIllegalTransition));
  EXPECT_THAT(complete(), HasReason(Reason::kTooEarly));
  record.AdvanceTo(Paris(2026, 11, 17, 18));
  EXPECT_EQ(Must(complete()).state, EnrolmentState::kCompleted);
  // Nothing that concerns the payment can take it away.
  EXPECT_THAT(record.FailFunding(enrolment.application),
              HasReason(Reason::kIllegalTransition));
  EXPECT_THAT(record.SetPayer(enrolment.application, record.Individual()),
              HasReason(Reason::kIllegalTransition));
  EXPECT_THAT(record.End(enrolment.name, EnrolmentState::kDroppedOut),
              HasReason(Reason::kIllegalTransition));
}

class ReplacementTest : public ParticipationTest {
 protected:
  static absl::StatusOr<Enrolment> Replace(TestRecord& record,
                                           const Enrolment& leaving,
                                           const ApplicationName& newcomer,
                                           std::string_view request_id = "") {
    return ReplaceLearner(record.store(), record.rules,
                          record.Call("ReplaceLearner", request_id),
                          leaving.name, newcomer, "Mutation");
  }
};

TEST_P(ReplacementTest, ByOneWhoWaitsOvertakesNobody) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const Enrolment leaving = record.Confirmed(1, record.Employer());
  record.Admitted(2);
  const auto waiting = record.AdmitMany(3, 2);
  const Enrolment entered = Must(Replace(record, leaving, waiting[1], "id-1"));
  EXPECT_EQ(entered.state, EnrolmentState::kEnrolled);
  EXPECT_EQ(entered.application, waiting[1]);
  EXPECT_EQ(entered.organisation, record.employer);
  EXPECT_EQ(record.Read(leaving.name).state, EnrolmentState::kReplaced);
  EXPECT_EQ(record.PlaceOf(leaving.application), PlaceState::kReleased);
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kWaitlisted);
  EXPECT_EQ(record.Read(waiting[0]).waiting_position, 1);
  EXPECT_EQ(record.ReadCohort().counts.taken(), 2);
  EXPECT_THAT(record.StoryOf(waiting[1]).back().text_fr,
              HasSubstr("personne n’est dépassé"));
  // The convention goes on with the newcomer.
  EXPECT_EQ(record.AgreementsOf(waiting[1]).front().state,
            AgreementState::kSigned);
  const int64_t rows = record.RowsWritten();
  EXPECT_EQ(Must(Replace(record, leaving, waiting[1], "id-1")).name,
            entered.name);
  EXPECT_EQ(record.RowsWritten(), rows);
}

TEST_P(ReplacementTest, ByOneWithAnOfferFreesTheOffer) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const Enrolment leaving = record.Confirmed(1, record.Employer());
  const ApplicationName other = record.Admitted(2).name;
  const auto waiting = record.AdmitMany(3, 2);
  ASSERT_OK(record.Withdraw(other));
  ASSERT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
  ASSERT_OK(Replace(record, leaving, waiting[0]));
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kConfirmed);
  EXPECT_EQ(record.PlaceOf(waiting[1]), PlaceState::kOffered);
  EXPECT_EQ(record.ReadCohort().counts.taken(), 2);
}

TEST_P(ReplacementTest, HasItsConditions) {
  TestRecord record(GetParam());
  const Enrolment employed = record.Confirmed(1, record.Employer());
  const Enrolment paying = record.Confirmed(2);
  const ApplicationName placed = record.Admitted(3).name;
  const ApplicationName received = record.Submitted(4).name;
  const int64_t rows = record.RowsWritten();
  EXPECT_THAT(Replace(record, employed, received),
              HasReason(Reason::kNotCommitted));
  EXPECT_THAT(Replace(record, employed, placed),
              HasReason(Reason::kIllegalTransition));
  EXPECT_THAT(Replace(record, paying, received),
              HasReason(Reason::kNotApplicableToKind));
  EXPECT_EQ(record.RowsWritten(), rows);
  ASSERT_OK(record.FailFunding(employed.application));
  EXPECT_THAT(Replace(record, employed, received),
              HasReason(Reason::kNotCommitted));
  record.now = Paris(2026, 3, 17);
  EXPECT_THAT(Replace(record, paying, received),
              HasReason(Reason::kEntryCutoffPassed));
}

PARCOURS_ON_BOTH_ENGINES(ParticipationTest);
PARCOURS_ON_BOTH_ENGINES(ReplacementTest);

}  // namespace
}  // namespace parcours::enrolment
