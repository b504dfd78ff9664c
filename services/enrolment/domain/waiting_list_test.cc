#include "services/enrolment/domain/waiting_list.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "services/enrolment/testing/record.h"

namespace parcours::enrolment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WaitingListTest : public RecordTest {
 protected:
  static Cohort OfTwo() {
    Cohort cohort = SampleCohort();
    cohort.capacity = 2;
    cohort.minimum = 1;
    return cohort;
  }
};

TEST_P(WaitingListTest, AFreedPlaceGoesToTheFirstAdmittedInLine) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const auto holders = record.AdmitMany(1, 2);
  // The first who waits is not admitted yet.
  const ApplicationName not_admitted = record.Submitted(3).name;
  const auto waiting = record.AdmitMany(4, 2);
  ASSERT_OK(record.Withdraw(holders[0]));
  EXPECT_EQ(record.PlaceOf(not_admitted), PlaceState::kWaitlisted);
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
  EXPECT_EQ(record.PlaceOf(waiting[1]), PlaceState::kWaitlisted);
  const Application offered = record.Read(waiting[0]).application;
  EXPECT_EQ(offered.place_expire_time, Paris(2026, 2, 5, 10));
  EXPECT_THAT(record.StoryOf(waiting[0]).back().text_fr,
              HasSubstr("jusqu’au 5 février 2026 à 10 h 00"));
  EXPECT_THAT(record.StoryOf(waiting[0]).back().rule,
              HasSubstr("place.offer_validity"));
}

TEST_P(WaitingListTest, ARefusalOffersOnAndAReopeningComesLast) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const auto holders = record.AdmitMany(1, 2);
  const auto waiting = record.AdmitMany(3, 1);
  ASSERT_OK(record.Refuse(holders[1]));
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
  const ApplicationView reopened = Must(record.Reopen(holders[1]));
  EXPECT_EQ(reopened.application.rank, 4);
  EXPECT_EQ(reopened.application.place_state, PlaceState::kWaitlisted);
  EXPECT_EQ(reopened.application.review_state, ReviewState::kReceived);
  EXPECT_THAT(record.StatesOf(holders[1]),
              ElementsAre(PlaceState::kHeld, PlaceState::kReleased,
                          PlaceState::kWaitlisted));
}

TEST_P(WaitingListTest, AnAcceptedOfferIsHeldUntilTheCommitment) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const auto holders = record.AdmitMany(1, 2);
  const auto waiting = record.AdmitMany(3, 1);
  EXPECT_THAT(record.Accept(waiting[0]), HasReason(Reason::kNoPlace));
  ASSERT_OK(record.Withdraw(holders[0]));
  const ApplicationView accepted = Must(record.Accept(waiting[0]));
  EXPECT_EQ(accepted.application.place_state, PlaceState::kHeld);
  EXPECT_EQ(accepted.application.place_expire_time, Paris(2026, 3, 5));
  EXPECT_EQ(record.ReadCohort().counts.taken(), 2);
}

TEST_P(WaitingListTest, ADeclinedOfferGoesToTheNext) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const auto holders = record.AdmitMany(1, 2);
  const auto waiting = record.AdmitMany(3, 2);
  ASSERT_OK(record.Withdraw(holders[0]));
  ASSERT_OK(record.Decline(waiting[0], /*keep_rank=*/false));
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kReleased);
  EXPECT_EQ(record.PlaceOf(waiting[1]), PlaceState::kOffered);
}

TEST_P(WaitingListTest, APassedOfferGoesToTheNextAndTheRankIsKept) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const auto holders = record.AdmitMany(1, 2);
  const auto waiting = record.AdmitMany(3, 2);
  ASSERT_OK(record.Withdraw(holders[0]));
  const ApplicationView passed =
      Must(record.Decline(waiting[0], /*keep_rank=*/true));
  EXPECT_EQ(passed.application.place_state, PlaceState::kWaitlisted);
  EXPECT_EQ(passed.application.rank, 3);
  EXPECT_EQ(passed.waiting_position, 1);
  EXPECT_EQ(record.PlaceOf(waiting[1]), PlaceState::kOffered);
  // The next free place is for the lower rank again.
  ASSERT_OK(record.Withdraw(holders[1]));
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
}

TEST_P(WaitingListTest, AnOfferExpiresAtItsInstantAndIsOfferedOn) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const auto holders = record.AdmitMany(1, 2);
  const auto waiting = record.AdmitMany(3, 2);
  ASSERT_OK(record.Withdraw(holders[0]));
  const absl::Time expires =
      *record.Read(waiting[0]).application.place_expire_time;
  record.now = expires;
  const int64_t rows = record.RowsWritten();
  // Nobody has run the timer, and still it is too late.
  EXPECT_THAT(record.Accept(waiting[0]), HasReason(Reason::kOfferExpired));
  EXPECT_THAT(record.Decline(waiting[0], true),
              HasReason(Reason::kOfferExpired));
  EXPECT_EQ(record.RowsWritten(), rows);
  record.AdvanceTo(expires);
  EXPECT_THAT(record.StatesOf(waiting[0]),
              ElementsAre(PlaceState::kWaitlisted, PlaceState::kOffered,
                          PlaceState::kReleased));
  EXPECT_EQ(record.PlaceOf(waiting[1]), PlaceState::kOffered);
  EXPECT_EQ(record.StoryOf(waiting[0]).back().cause, "PlaceDeadline");
}

TEST_P(WaitingListTest, AtOwnCostWhenThePayerIsTooLate) {
  Cohort cohort = OfTwo();
  cohort.start_date = absl::CivilDay(2026, 2, 9);
  TestRecord record(GetParam(), SampleProgramme(), cohort);
  const auto holders = record.AdmitMany(1, 2);
  const ApplicationName waiting =
      record.Admitted(3, {.kind = PayerKind::kCpf, .funder_id = "cpf"}).name;
  ASSERT_OK(record.Withdraw(holders[0]));
  EXPECT_THAT(record.StoryOf(waiting).back().text_fr,
              HasSubstr("à vos frais, ou passez"));
  const auto refused = record.Accept(waiting);
  EXPECT_THAT(refused, HasReason(Reason::kOwnChoiceNeeded));
  EXPECT_EQ(MetadataOf(refused.status()).at("payer"), "CPF");
  const ApplicationView accepted =
      Must(record.Accept(waiting, /*at_own_cost=*/true));
  EXPECT_EQ(accepted.application.payer.kind, PayerKind::kIndividual);
  EXPECT_EQ(accepted.application.place_state, PlaceState::kHeld);
}

TEST_P(WaitingListTest, ADropOutInMayCallsNobody) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const Enrolment enrolment = record.Confirmed(1);
  record.Confirmed(2);
  const auto waiting = record.AdmitMany(3, 1);
  record.AdvanceTo(Paris(2026, 5, 11, 10));
  ASSERT_OK(StartEnrolment(record.store(), record.Call("StartEnrolment"),
                           enrolment.name));
  const Enrolment ended =
      Must(record.End(enrolment.name, EnrolmentState::kDroppedOut));
  EXPECT_EQ(ended.state, EnrolmentState::kDroppedOut);
  EXPECT_EQ(ended.end_date, absl::CivilDay(2026, 5, 11));
  EXPECT_EQ(record.PlaceOf(enrolment.application), PlaceState::kReleased);
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kWaitlisted);
  EXPECT_EQ(record.ReadCohort().counts.offered, 0);
  // What was delivered stays due: the agreement stands.
  EXPECT_EQ(record.AgreementsOf(enrolment.application).front().state,
            AgreementState::kSigned);
}

TEST_P(WaitingListTest, ANoShowBeforeTheCutoffCallsTheNext) {
  Cohort cohort = OfTwo();
  cohort.entry_cutoff_date = absl::CivilDay(2026, 3, 23);
  TestRecord record(GetParam(), SampleProgramme(), cohort);
  const Enrolment enrolment = record.Confirmed(1);
  record.Confirmed(2);
  const auto waiting = record.AdmitMany(3, 1);
  record.AdvanceTo(Paris(2026, 3, 22, 10));
  ASSERT_OK(record.End(enrolment.name, EnrolmentState::kNoShow));
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
  // Never beyond the cut-off, however long an offer stays open.
  record.now = Paris(2026, 3, 23, 23, 59);
  EXPECT_OK(record.Accept(waiting[0]));
}

TEST_P(WaitingListTest, MoreCapacityIsOfferedAtOnce) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  record.AdmitMany(1, 2);
  const auto waiting = record.AdmitMany(3, 3);
  const auto raise = [&](int64_t capacity, Mode mode) {
    return UpdateCohort(record.store(), record.rules,
                        record.Call("UpdateCohort"),
                        {.name = record.cohort,
                         .apply =
                             [capacity](Cohort& cohort) {
                               cohort.capacity = capacity;
                               return absl::OkStatus();
                             },
                         .mode = mode});
  };
  const int64_t rows = record.RowsWritten();
  ASSERT_OK(raise(4, Mode::kValidateOnly));
  EXPECT_EQ(record.RowsWritten(), rows);
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kWaitlisted);
  ASSERT_OK(raise(4, Mode::kCommit));
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
  EXPECT_EQ(record.PlaceOf(waiting[1]), PlaceState::kOffered);
  EXPECT_EQ(record.PlaceOf(waiting[2]), PlaceState::kWaitlisted);
  // And never less than is held, offers included.
  const int64_t raised = record.RowsWritten();
  const auto refused = raise(3, Mode::kCommit);
  EXPECT_THAT(refused, HasReason(Reason::kCapacityBelowHeld));
  EXPECT_EQ(MetadataOf(refused.status()).at("held"), "4");
  EXPECT_THAT(MetadataOf(refused.status()).at("holders"),
              HasSubstr("bodies/essai/cohorts/essai-2026/applications/"));
  EXPECT_EQ(record.RowsWritten(), raised);
  EXPECT_EQ(record.ReadCohort().cohort.capacity, 4);
}

TEST_P(WaitingListTest, AHeldPlaceLapsesAtItsDeadlineUnlessCommitted) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const ApplicationName idle = record.Admitted(1).name;
  const ApplicationName committed = record.Committed(2).name;
  const auto waiting = record.AdmitMany(3, 1);
  EXPECT_EQ(record.Read(idle).application.place_expire_time, Paris(2026, 3, 5));
  EXPECT_FALSE(
      record.Read(committed).application.place_expire_time.has_value());
  record.AdvanceTo(Paris(2026, 3, 5));
  EXPECT_EQ(record.PlaceOf(idle), PlaceState::kReleased);
  EXPECT_EQ(record.PlaceOf(committed), PlaceState::kHeld);
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
  EXPECT_OK(record.Confirm(committed));
}

TEST_P(WaitingListTest, ADeadlineCountsBeforeTheTimerHasRun) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const ApplicationName late = record.Admitted(1).name;
  const Agreement agreement = Must(record.DrawUp(late));
  record.Admitted(2);
  const auto waiting = record.AdmitMany(3, 1);
  record.now = Paris(2026, 3, 5);
  const int64_t rows = record.RowsWritten();
  EXPECT_THAT(record.Sign(agreement.name),
              HasReason(Reason::kIllegalTransition));
  const auto confirmed = ConfirmPlace(
      record.store(), record.rules, record.Call("ConfirmPlace"), late,
      {.kind = CommitmentKind::kPurchaseOrder, .reference = "BC-1"});
  EXPECT_THAT(confirmed, HasReason(Reason::kNoPlace));
  EXPECT_EQ(MetadataOf(confirmed.status()).at("state"), "RELEASED");
  EXPECT_THAT(record.FailFunding(late), HasReason(Reason::kNoPlace));
  EXPECT_EQ(record.RowsWritten(), rows);
  // What changes anything settles first what was due.
  ASSERT_OK(record.SetPayer(late, record.Employer()));
  EXPECT_THAT(record.StatesOf(late),
              ElementsAre(PlaceState::kHeld, PlaceState::kReleased));
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
  EXPECT_EQ(record.Read(agreement.name).state, AgreementState::kEnded);
}

TEST_P(WaitingListTest, ALatePieceComesAfterItsRankIsLost) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const ApplicationName name = record.Submitted(1).name;
  record.Admitted(2);
  const auto waiting = record.AdmitMany(3, 1);
  const ApplicationView asked = Must(
      RequestPiece(record.store(), record.rules, record.Call("RequestPiece"),
                   name, PieceKind::kCv, "illisible"));
  EXPECT_EQ(asked.application.review_state, ReviewState::kAwaitingPieces);
  EXPECT_EQ(asked.application.rank, 1);
  ASSERT_EQ(asked.application.pieces_due_time, Paris(2026, 2, 10));

  record.now = Paris(2026, 2, 10);
  const ApplicationView late = Must(record.Attach(name, PieceKind::kCv));
  EXPECT_EQ(late.application.rank, 4);
  EXPECT_EQ(late.application.place_state, PlaceState::kWaitlisted);
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
  EXPECT_EQ(record.ReadCohort().counts.taken(), 2);
  EXPECT_THAT(record.StatesOf(name),
              ElementsAre(PlaceState::kHeld, PlaceState::kNone,
                          PlaceState::kWaitlisted));
}

TEST_P(WaitingListTest, APieceInTimeKeepsTheRank) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const ApplicationName name = record.Submitted(1).name;
  ASSERT_OK(RequestPiece(record.store(), record.rules,
                         record.Call("RequestPiece"), name, PieceKind::kCv,
                         "illisible"));
  record.now = Paris(2026, 2, 9, 23, 59);
  const ApplicationView repaired = Must(record.Attach(name, PieceKind::kCv));
  EXPECT_EQ(repaired.application.rank, 1);
  EXPECT_EQ(repaired.application.place_state, PlaceState::kHeld);
  EXPECT_FALSE(repaired.application.pieces_due_time.has_value());
  EXPECT_EQ(
      Must(NextDueTime(record.store(), record.Call(), absl::InfiniteFuture())),
      absl::InfiniteFuture());
}

PARCOURS_ON_BOTH_ENGINES(WaitingListTest);

}  // namespace
}  // namespace parcours::enrolment
