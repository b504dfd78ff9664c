#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "services/enrolment/testing/record.h"

namespace parcours::enrolment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SubmissionTest : public RecordTest {
 protected:
  Cohort Small(int64_t capacity) {
    Cohort cohort = SampleCohort();
    cohort.capacity = capacity;
    cohort.minimum = 1;
    return cohort;
  }
};

absl::StatusOr<ApplicationView> Submit(TestRecord& record,
                                       const Application& application,
                                       std::vector<NewPiece> pieces,
                                       std::string_view request_id = "",
                                       Mode mode = Mode::kCommit) {
  return SubmitApplication(record.store(), record.rules,
                           record.Call("SubmitApplication", request_id),
                           record.cohort, application, pieces, mode);
}

TEST_P(SubmissionTest, OfACompleteFileGivesRankAndPlaceInOrderOfArrival) {
  TestRecord record(GetParam(), SampleProgramme(), Small(2));
  const Application first = record.Submitted(1);
  const Application second = record.Submitted(2);
  const ApplicationView third =
      Must(Submit(record, record.Declaration(3), record.RequiredFiles()));
  EXPECT_EQ(first.rank, 1);
  EXPECT_EQ(first.place_state, PlaceState::kHeld);
  EXPECT_EQ(first.review_state, ReviewState::kReceived);
  EXPECT_EQ(second.rank, 2);
  EXPECT_EQ(third.application.rank, 3);
  EXPECT_EQ(third.application.place_state, PlaceState::kWaitlisted);
  EXPECT_EQ(third.waiting_position, 1);
  EXPECT_THAT(third.missing_pieces, IsEmpty());
  const CohortView cohort = record.ReadCohort();
  EXPECT_EQ(cohort.counts.held, 2);
  EXPECT_EQ(cohort.counts.waitlisted, 1);
  EXPECT_THAT(record.StatesOf(third.application.name),
              ElementsAre(PlaceState::kWaitlisted));
  EXPECT_EQ(Must(GetResource<Person>(record.store(), record.Call(),
                                     &EnrolmentUnit::persons, first.person))
                .family_name,
            "N1");
}

TEST_P(SubmissionTest, OfAnIncompleteFileRanksWithItsLastPiece) {
  TestRecord record(GetParam());
  const ApplicationView submitted =
      Must(Submit(record, record.Declaration(1), {record.File()}));
  const ApplicationName name = submitted.application.name;
  EXPECT_EQ(submitted.application.review_state, ReviewState::kAwaitingPieces);
  EXPECT_EQ(submitted.application.rank, 0);
  EXPECT_EQ(submitted.application.place_state, PlaceState::kNone);
  EXPECT_THAT(submitted.missing_pieces, ElementsAre(PieceKind::kLetter));
  EXPECT_THAT(record.Admit(name), HasReason(Reason::kFileIncomplete));

  // Somebody else's file is complete first.
  EXPECT_EQ(record.Submitted(2).rank, 1);
  const ApplicationView complete =
      Must(record.Attach(name, PieceKind::kLetter));
  EXPECT_EQ(complete.application.rank, 2);
  EXPECT_EQ(complete.application.place_state, PlaceState::kHeld);
  EXPECT_THAT(complete.missing_pieces, IsEmpty());
  EXPECT_EQ(complete.application.pieces.size(), 2U);
}

TEST_P(SubmissionTest, RanksAtOnceWhereThePreRegistrationDoes) {
  Programme programme = SampleProgramme();
  programme.rank_event = RankEvent::kPreRegistration;
  TestRecord record(GetParam(), programme);
  const ApplicationView view = Must(Submit(record, record.Declaration(1), {}));
  EXPECT_EQ(view.application.rank, 1);
  EXPECT_EQ(view.application.place_state, PlaceState::kHeld);
  EXPECT_EQ(view.application.review_state, ReviewState::kAwaitingPieces);
}

TEST_P(SubmissionTest, RanksWithTheSignatureWhereTheCommitmentDoes) {
  Programme programme = SampleProgramme();
  programme.rank_event = RankEvent::kCommitment;
  TestRecord record(GetParam(), programme, Small(1));
  const ApplicationName early = record.Admitted(1).name;
  const ApplicationName late = record.Admitted(2).name;
  EXPECT_EQ(record.Read(early).application.rank, 0);
  EXPECT_THAT(record.Confirm(early), HasReason(Reason::kNoPlace));
  record.Commit(late);
  record.Commit(early);
  EXPECT_EQ(record.Read(late).application.rank, 1);
  EXPECT_EQ(record.PlaceOf(late), PlaceState::kHeld);
  EXPECT_EQ(record.Read(early).application.rank, 2);
  EXPECT_EQ(record.PlaceOf(early), PlaceState::kWaitlisted);
  EXPECT_OK(record.Confirm(late));
}

TEST_P(SubmissionTest, OfTheSamePersonIsRefusedUntilWithdrawn) {
  TestRecord record(GetParam());
  const ApplicationName name = record.Submitted(1).name;
  Application again = record.Declaration(1);
  again.family_name = " n1 ";
  const int64_t rows = record.RowsWritten();
  EXPECT_THAT(Submit(record, again, {}), HasReason(Reason::kAlreadyApplied));
  EXPECT_EQ(record.RowsWritten(), rows);
  ASSERT_OK(record.Withdraw(name));
  EXPECT_OK(Submit(record, again, {}));
}

TEST_P(SubmissionTest, BelowTheConditionsIsAdmittedByDerogationOnly) {
  TestRecord record(GetParam());
  Application declaration = record.Declaration(1);
  declaration.qualification = {.years_after_bac = 3, .experience_years = 2};
  const ApplicationView view =
      Must(Submit(record, declaration, record.RequiredFiles()));
  EXPECT_FALSE(view.application.meets_access_conditions);
  const ApplicationName name = view.application.name;
  const int64_t rows = record.RowsWritten();
  EXPECT_THAT(record.Admit(name), HasReason(Reason::kAccessConditionsNotMet));
  EXPECT_EQ(record.RowsWritten(), rows);
  const ApplicationView admitted = Must(AdmitApplication(
      record.store(), record.rules, record.Call("AdmitApplication"), name,
      {.decider = "Personne Une", .reason = "Parcours associatif"},
      "Attestation du 2 février 2026", /*etag=*/""));
  EXPECT_TRUE(admitted.application.decision.derogation);
  EXPECT_EQ(admitted.application.decision.derogation_proof,
            "Attestation du 2 février 2026");
  // Whether volunteering counts is a rule.
  Application volunteer = record.Declaration(2);
  volunteer.qualification = {.volunteering_years = 3};
  EXPECT_TRUE(
      Must(Submit(record, volunteer, {})).application.meets_access_conditions);
  record.rules = FrenchRulesWhere("admission.volunteering_counts", 0);
  Application another = record.Declaration(3);
  another.qualification = {.volunteering_years = 3};
  EXPECT_FALSE(
      Must(Submit(record, another, {})).application.meets_access_conditions);
}

TEST_P(SubmissionTest, IsMadeOnceForEachRequestId) {
  TestRecord record(GetParam());
  const std::vector<NewPiece> files = record.RequiredFiles();
  const ApplicationView first =
      Must(Submit(record, record.Declaration(1), files, "id-1"));
  const int64_t rows = record.RowsWritten();
  const ApplicationView again =
      Must(Submit(record, record.Declaration(1), files, "id-1"));
  EXPECT_EQ(again.application.name, first.application.name);
  EXPECT_EQ(again.application.rank, 1);
  EXPECT_EQ(record.RowsWritten(), rows);

  access::Caller other = record.Call("SubmitApplication", "id-1", "autre");
  EXPECT_THAT(
      SubmitApplication(record.store(), record.rules, other, record.cohort,
                        record.Declaration(2), {}, Mode::kCommit),
      HasReason(Reason::kRequestIdReused));
  EXPECT_EQ(record.RowsWritten(), rows);
}

TEST_P(SubmissionTest, OnlyCheckedWritesNothing) {
  TestRecord record(GetParam());
  const std::vector<NewPiece> files = record.RequiredFiles();
  const int64_t rows = record.RowsWritten();
  const ApplicationView checked = Must(
      Submit(record, record.Declaration(1), files, "", Mode::kValidateOnly));
  EXPECT_EQ(checked.application.rank, 1);
  EXPECT_EQ(record.RowsWritten(), rows);
  EXPECT_THAT(
      GetApplication(record.store(), record.Call(), checked.application.name),
      HasReason(Reason::kNotFound));
  // The uploads are still to be taken.
  EXPECT_OK(Submit(record, record.Declaration(1), files));
}

TEST_P(SubmissionTest, TakesEachUploadOnce) {
  TestRecord record(GetParam());
  const std::vector<NewPiece> files = record.RequiredFiles();
  ASSERT_OK(Submit(record, record.Declaration(1), files));
  const int64_t rows = record.RowsWritten();
  const auto stolen = Submit(record, record.Declaration(2), files);
  EXPECT_THAT(stolen, HasReason(Reason::kUnknownReference));
  EXPECT_THAT(stolen, ViolatesField("pieces[0].upload"));
  EXPECT_EQ(record.RowsWritten(), rows);
}

TEST_P(SubmissionTest, TakesAnUploadNamedTwiceOnce) {
  TestRecord record(GetParam());
  std::vector<NewPiece> files = record.RequiredFiles();
  ASSERT_EQ(files.size(), 2U);
  files[1].upload = files[0].upload;
  const int64_t rows = record.RowsWritten();
  const auto submitted = Submit(record, record.Declaration(1), files);
  EXPECT_THAT(submitted, HasReason(Reason::kUnknownReference));
  EXPECT_THAT(submitted, ViolatesField("pieces[1].upload"));
  EXPECT_EQ(record.RowsWritten(), rows);
}

TEST_P(SubmissionTest, IsRecordedInTheFeedWithinItsScopes) {
  TestRecord record(GetParam());
  const Application application = record.Submitted(1, record.Employer());
  std::string scopes;
  ASSERT_OK(record.database().View(
      record.Call(), [&](storage::Transaction& transaction) -> absl::Status {
        const auto rows = transaction.Query(
            {.sql = "SELECT scopes_after, cause, version FROM change_feed"
                    " WHERE name = $1",
             .values = {application.name.text()}});
        if (!rows.ok()) return rows.status();
        EXPECT_EQ(rows->size(), 1U);
        scopes = rows->front().Text(0);
        EXPECT_EQ(rows->front().Text(1), "SubmitApplication");
        EXPECT_EQ(rows->front().Integer(2), 1);
        return absl::OkStatus();
      }));
  for (const std::string& scope :
       {record.body.text(), record.cohort.text(), application.person.text(),
        record.employer.text()}) {
    EXPECT_THAT(scopes, HasSubstr(Cat("\n", scope, "\n")));
  }
}

TEST_P(SubmissionTest, ManyAtOnceFillThePlacesWithoutGapOrTie) {
  constexpr int kCandidates = 24;
  TestRecord record(GetParam(), SampleProgramme(), Small(7));
  std::vector<std::vector<NewPiece>> files;
  for (int i = 0; i < kCandidates; ++i) files.push_back(record.RequiredFiles());
  std::vector<std::thread> threads;
  for (int lane = 0; lane < 4; ++lane) {
    threads.emplace_back([&, lane] {
      for (int i = lane; i < kCandidates; i += 4) {
        EXPECT_OK(Submit(record, record.Declaration(i),
                         files[static_cast<std::size_t>(i)]));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Page<ApplicationView> all =
      Must(ListApplications(record.store(), record.Call(), record.cohort,
                            {.by_rank = true}, {.size = 100, .after_key = ""}));
  ASSERT_EQ(all.items.size(), static_cast<std::size_t>(kCandidates));
  for (int i = 0; i < kCandidates; ++i) {
    const ApplicationView& view = all.items[static_cast<std::size_t>(i)];
    EXPECT_EQ(view.application.rank, i + 1);
    EXPECT_EQ(view.application.place_state,
              i < 7 ? PlaceState::kHeld : PlaceState::kWaitlisted);
    EXPECT_EQ(view.waiting_position, std::max(0, i - 6));
  }
}

PARCOURS_ON_BOTH_ENGINES(SubmissionTest);

}  // namespace
}  // namespace parcours::enrolment
