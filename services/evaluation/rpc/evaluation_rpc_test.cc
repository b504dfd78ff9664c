#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/rpc/convert.h"
#include "common/status/error.h"
#include "common/testing/pdf.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "common/types/record.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/evaluation/testing/evaluation_fixture.h"

namespace parcours::evaluation {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Notes = pb::ValidationNoteService::Stub;
using Juries = pb::JuryService::Stub;
using Results = pb::ResultService::Stub;
using Certificates = pb::CertificateService::Stub;
using Plans = pb::AssessmentPlanService::Stub;
using Roster = pb::RosterService::Stub;

constexpr absl::CivilDay kWriting(2026, 10, 1);
constexpr absl::CivilDay kJuryDay(2027, 1, 20);
constexpr absl::CivilDay kNextJuryDay(2027, 6, 10);
constexpr char kRequestId[] = "0190b2d0-7d3b-7000-8000-000000000001";

constexpr auto kAwarded = pb::Decision::OUTCOME_AWARDED;
constexpr auto kDeferred = pb::Decision::OUTCOME_DEFERRED;
constexpr auto kRefused = pb::Decision::OUTCOME_REFUSED;

class EvaluationRpcTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  EvaluationRpcTest() : fixture_(GetParam()) {}

  // Learners with a final note each, on the day of the jury.
  std::vector<EnrolmentName> Candidates(int count) {
    EXPECT_OK(fixture_.Put(fixture_.Plan()));
    std::vector<EnrolmentName> learners = fixture_.AddLearners(count);
    fixture_.AdvanceTo(kWriting);
    for (const EnrolmentName& learner : learners) {
      fixture_.FinalNote(learner, 17);
    }
    fixture_.AdvanceTo(kJuryDay);
    return learners;
  }

  // An open session on them.
  std::vector<EnrolmentName> Session(int count) {
    std::vector<EnrolmentName> learners = Candidates(count);
    EXPECT_OK(fixture_.Convene("first", kJuryDay));
    EXPECT_OK(fixture_.Open("first"));
    return learners;
  }

  absl::StatusOr<pb::VerifyCertificateResponse> Verify(
      const std::string& number, const std::string& code) {
    pb::VerifyCertificateRequest request;
    request.set_number(number);
    request.set_code(code);
    return fixture_.Call(fixture_.certificates(),
                         &Certificates::VerifyCertificate, request);
  }

  absl::StatusOr<pb::Conflict> Declare(int member,
                                       const EnrolmentName& enrolment) {
    pb::DeclareConflictRequest request;
    request.set_parent(fixture_.cohort().text());
    request.mutable_conflict()->set_person(fixture_.Member(member));
    request.mutable_conflict()->set_enrolment(enrolment.text());
    request.mutable_conflict()->set_category(pb::CONFLICT_CATEGORY_EMPLOYMENT);
    return fixture_.Call(fixture_.juries(), &Juries::DeclareConflict, request);
  }

  absl::Status Synchronise() {
    return fixture_
        .Call(fixture_.roster(), &Roster::SynchroniseRoster,
              pb::SynchroniseRosterRequest())
        .status();
  }

  EvaluationFixture fixture_;
};

// Plans.

TEST_P(EvaluationRpcTest, PlanComesBackAsItWasGivenAndTwiceChangesNothing) {
  const auto created = fixture_.Put(fixture_.Plan());
  ASSERT_OK(created);
  EXPECT_EQ(created->calendar().writing_end_date().day(), 0);
  EXPECT_EQ(created->options().jury_quorum(), 3);
  const auto again = fixture_.Put(fixture_.Plan());
  ASSERT_OK(again);
  EXPECT_EQ(again->etag(), created->etag());
  EXPECT_EQ(again->SerializeAsString(), created->SerializeAsString());
}

TEST_P(EvaluationRpcTest, PlanChangesOnlyWhatTheMaskNames) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  pb::UpdateAssessmentPlanRequest request;
  request.mutable_assessment_plan()->set_name(fixture_.Plan().name());
  request.mutable_assessment_plan()->set_action_title("Un autre titre");
  request.mutable_update_mask()->add_paths("action_title");
  const auto updated =
      fixture_.Call(fixture_.plans(), &Plans::UpdateAssessmentPlan, request);
  ASSERT_OK(updated);
  EXPECT_EQ(updated->action_title(), "Un autre titre");
  EXPECT_EQ(updated->options().jury_quorum(), 3);
  request.mutable_update_mask()->add_paths("create_time");
  EXPECT_THAT(
      fixture_.Call(fixture_.plans(), &Plans::UpdateAssessmentPlan, request),
      HasReason(Reason::kUpdateMaskInvalid));
}

TEST_P(EvaluationRpcTest, PlanThatDoesNotFitTogetherIsRefusedWhole) {
  pb::AssessmentPlan plan = fixture_.Plan();
  plan.mutable_options()->set_jury_quorum(0);
  plan.mutable_options()->set_note_min_pages(21);
  plan.clear_certification_mandate();
  *plan.mutable_note_due_date() = rpc::DateOf(absl::CivilDay(2027, 3, 1));
  const auto refused = fixture_.Put(plan);
  EXPECT_THAT(refused, HasReason(Reason::kInvalidFields));
  for (const char* field : {"assessment_plan.options.jury_quorum",
                            "assessment_plan.options.note_min_pages",
                            "assessment_plan.certification_mandate",
                            "assessment_plan.calendar.jury_date"}) {
    EXPECT_THAT(refused, ViolatesField(field));
  }
  pb::GetAssessmentPlanRequest get;
  get.set_name(plan.name());
  EXPECT_THAT(fixture_.Call(fixture_.plans(), &Plans::GetAssessmentPlan, get),
              HasReason(Reason::kNotFound));
}

TEST_P(EvaluationRpcTest, PlanRefusesAStaleEtag) {
  const auto created = fixture_.Put(fixture_.Plan());
  ASSERT_OK(created);
  pb::AssessmentPlan plan = fixture_.Plan();
  plan.set_action_title("Une fois");
  ASSERT_OK(fixture_.Put(plan));
  plan.set_action_title("Deux fois");
  plan.set_etag(created->etag());
  EXPECT_THAT(fixture_.Put(plan), HasReason(Reason::kEtagMismatch));
}

// Notes.

TEST_P(EvaluationRpcTest, NoteGoesFromItsSubjectToItsFinalVersion) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  fixture_.AddLearners(1);
  fixture_.AdvanceTo(kWriting);
  pb::CreateValidationNoteRequest create;
  create.set_parent(fixture_.cohort().text());
  create.mutable_validation_note()->set_enrolment(fixture_.Learner("a").text());
  create.mutable_validation_note()->set_subject("Un premier sujet");
  create.set_request_id(kRequestId);
  const auto created =
      fixture_.Call(fixture_.notes(), &Notes::CreateValidationNote, create);
  ASSERT_OK(created);
  EXPECT_EQ(created->state(), pb::ValidationNote::STATE_SUBJECT_PROPOSED);
  EXPECT_EQ(created->person_display_name(), "Candidate a");
  EXPECT_EQ(created->due_date().month(), 12);
  EXPECT_EQ(created->due_date().day(), 31);
  const auto repeated =
      fixture_.Call(fixture_.notes(), &Notes::CreateValidationNote, create);
  ASSERT_OK(repeated);
  EXPECT_EQ(repeated->SerializeAsString(), created->SerializeAsString());
  create.clear_request_id();
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::CreateValidationNote, create),
      HasReason(Reason::kAlreadyExists));

  const std::string note = created->name();
  EXPECT_THAT(fixture_.Submit(note, 3, false),
              HasReason(Reason::kIllegalTransition));

  pb::AskSubjectChangesRequest changes;
  changes.set_name(note);
  changes.set_decider("Personne Responsable");
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::AskSubjectChanges, changes),
      HasReason(Reason::kReasonRequired));
  changes.set_reason("À préciser");
  const auto asked =
      fixture_.Call(fixture_.notes(), &Notes::AskSubjectChanges, changes);
  ASSERT_OK(asked);
  EXPECT_EQ(asked->subject_remarks(), "À préciser");

  pb::ProposeSubjectRequest propose;
  propose.set_name(note);
  propose.set_subject("Un second sujet");
  ASSERT_OK(fixture_.Call(fixture_.notes(), &Notes::ProposeSubject, propose));
  pb::ApproveSubjectRequest approve;
  approve.set_name(note);
  approve.set_decider("Personne Responsable");
  ASSERT_OK(fixture_.Call(fixture_.notes(), &Notes::ApproveSubject, approve));

  const auto draft = fixture_.Submit(note, 9, false);
  ASSERT_OK(draft);
  EXPECT_EQ(draft->page_count(), 9);
  const auto final = fixture_.Submit(note, 18, true);
  ASSERT_OK(final);
  EXPECT_FALSE(final->out_of_range());
  EXPECT_FALSE(final->late());
  EXPECT_THAT(final->warnings(), IsEmpty());
  EXPECT_THAT(final->sha256(), SizeIs(64));
  EXPECT_GT(final->submit_time().seconds(), 0);
  EXPECT_THAT(fixture_.Submit(note, 18, true),
              HasReason(Reason::kIllegalTransition));

  pb::GetValidationNoteRequest get;
  get.set_name(note);
  const auto got =
      fixture_.Call(fixture_.notes(), &Notes::GetValidationNote, get);
  ASSERT_OK(got);
  EXPECT_EQ(got->state(), pb::ValidationNote::STATE_FINAL);
  EXPECT_EQ(got->version_count(), 2);
  EXPECT_EQ(got->final_version().name(), final->name());

  pb::ReadNoteVersionRequest read;
  read.set_name(final->name());
  read.set_limit(10);
  const auto part =
      fixture_.Call(fixture_.notes(), &Notes::ReadNoteVersion, read);
  ASSERT_OK(part);
  EXPECT_EQ(part->data().substr(0, 5), "%PDF-");
  EXPECT_EQ(part->next_offset(), 10);
}

TEST_P(EvaluationRpcTest, NoteOutOfRangeIsAcceptedWithAWarning) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  const auto learners = fixture_.AddLearners(2);
  fixture_.AdvanceTo(kWriting);
  const auto short_note =
      fixture_.Submit(fixture_.ApprovedNote(learners[0]), 12, true);
  ASSERT_OK(short_note);
  EXPECT_TRUE(short_note->out_of_range());
  ASSERT_THAT(short_note->warnings(), SizeIs(1));
  EXPECT_THAT(short_note->warnings(0), HasSubstr("12 pages"));

  const std::string adapted = fixture_.ApprovedNote(learners[1]);
  pb::AdaptNoteRequest adapt;
  adapt.set_name(adapted);
  adapt.mutable_adaptation()->set_min_pages(8);
  adapt.mutable_adaptation()->set_max_pages(12);
  adapt.mutable_adaptation()->set_agreed_by("Personne Référente");
  ASSERT_OK(fixture_.Call(fixture_.notes(), &Notes::AdaptNote, adapt));
  const auto within = fixture_.Submit(adapted, 12, true);
  ASSERT_OK(within);
  EXPECT_FALSE(within->out_of_range());
}

TEST_P(EvaluationRpcTest, LateNoteNeedsAReasonAndAnAgreement) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  const auto learners = fixture_.AddLearners(1);
  fixture_.AdvanceTo(kWriting);
  const std::string note = fixture_.ApprovedNote(learners[0]);
  fixture_.AdvanceTo(absl::CivilDay(2027, 1, 4));
  ASSERT_OK(fixture_.Submit(note, 16, false));
  const auto refused = fixture_.Submit(note, 16, true);
  EXPECT_THAT(refused, HasReason(Reason::kNoteLate));
  EXPECT_EQ(MetadataOf(refused.status()).at("due"), "2026-12-31");

  pb::SubmitNoteVersionRequest request;
  request.set_name(note);
  request.set_upload(fixture_.Upload(MakePdf(16)));
  request.set_final(true);
  request.set_late_reason("Un empêchement");
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::SubmitNoteVersion, request),
      HasReason(Reason::kNoteLate));
  request.set_accept_late(true);
  request.set_late_accepted_by("Personne Responsable");
  const auto accepted =
      fixture_.Call(fixture_.notes(), &Notes::SubmitNoteVersion, request);
  ASSERT_OK(accepted);
  EXPECT_TRUE(accepted->late());
  EXPECT_EQ(accepted->late_accepted_by(), "Personne Responsable");
}

TEST_P(EvaluationRpcTest, NoteRefusesFilesThatAreNoReadablePdf) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  const auto learners = fixture_.AddLearners(1);
  fixture_.AdvanceTo(kWriting);
  const std::string note = fixture_.ApprovedNote(learners[0]);
  const struct {
    std::string bytes;
    Reason reason;
  } cases[] = {
      {"plain text", Reason::kUploadWrongType},
      {"PK\x03\x04 a word processor's file", Reason::kUploadWrongType},
      {"%PDF-1.4 and nothing else", Reason::kUploadUnreadable},
      {MakePdf(2, "/OpenAction << /S /JavaScript /JS (x) >>"),
       Reason::kUploadActiveContent},
  };
  for (const auto& [bytes, reason] : cases) {
    EXPECT_THAT(fixture_.TryUpload(bytes), HasReason(reason));
  }
  EXPECT_THAT(fixture_.TryUpload(MakePdf(2), "image/png"),
              HasReason(Reason::kUploadWrongType));
  EXPECT_THAT(
      fixture_.TryUpload(MakePdf(2), "application/vnd.oasis.opendocument.text"),
      HasReason(Reason::kUploadOfficeDocument));
  pb::SubmitNoteVersionRequest unknown;
  unknown.set_name(note);
  unknown.set_upload("bodies/opale/uploads/never-announced");
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::SubmitNoteVersion, unknown),
      HasReason(Reason::kUnknownReference));
  unknown.set_upload("bodies/another/uploads/never-announced");
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::SubmitNoteVersion, unknown),
      HasReason(Reason::kUnknownReference));
  pb::GetValidationNoteRequest get;
  get.set_name(note);
  EXPECT_EQ(fixture_.Call(fixture_.notes(), &Notes::GetValidationNote, get)
                ->version_count(),
            0);
}

TEST_P(EvaluationRpcTest, UploadIsTakenOnceHoweverOftenTheCallIsMade) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  const auto learners = fixture_.AddLearners(1);
  fixture_.AdvanceTo(kWriting);
  pb::SubmitNoteVersionRequest request;
  request.set_name(fixture_.ApprovedNote(learners[0]));
  request.set_upload(fixture_.Upload(MakePdf(16)));
  request.set_request_id(kRequestId);
  const auto first =
      fixture_.Call(fixture_.notes(), &Notes::SubmitNoteVersion, request);
  ASSERT_OK(first);
  const auto second =
      fixture_.Call(fixture_.notes(), &Notes::SubmitNoteVersion, request);
  ASSERT_OK(second);
  EXPECT_EQ(second->SerializeAsString(), first->SerializeAsString());
  request.clear_request_id();
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::SubmitNoteVersion, request),
      HasReason(Reason::kUnknownReference));
}

TEST_P(EvaluationRpcTest, NoteIsForThoseWhoTakePart) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  EnrolmentFacts gone = MakeLearner(fixture_.cohort(), "gone");
  gone.state = EnrolmentState::kDroppedOut;
  fixture_.enrolment().Put(gone);
  pb::CreateValidationNoteRequest create;
  create.set_parent(fixture_.cohort().text());
  create.mutable_validation_note()->set_subject("Un sujet");
  create.mutable_validation_note()->set_enrolment(gone.name.text());
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::CreateValidationNote, create),
      HasReason(Reason::kNotACandidate));
  create.mutable_validation_note()->set_enrolment(
      fixture_.Learner("unknown").text());
  const auto unknown =
      fixture_.Call(fixture_.notes(), &Notes::CreateValidationNote, create);
  EXPECT_THAT(unknown, HasReason(Reason::kUnknownReference));
  EXPECT_THAT(unknown, ViolatesField("validation_note.enrolment"));
  fixture_.enrolment().SetDown(true);
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::CreateValidationNote, create),
      HasReason(Reason::kOwnerUnavailable));
}

TEST_P(EvaluationRpcTest, ReaderReportsOnceAndNeverInAConflict) {
  pb::AssessmentPlan plan = fixture_.Plan();
  plan.mutable_options()->set_marked(true);
  ASSERT_OK(fixture_.Put(plan));
  const auto learners = fixture_.AddLearners(1);
  ASSERT_OK(Synchronise());
  fixture_.AdvanceTo(kWriting);
  fixture_.FinalNote(learners[0], 16);
  const std::string note = NoteOf(learners[0]).text();
  ASSERT_OK(Declare(1, learners[0]));
  EXPECT_THAT(Declare(1, learners[0]), HasReason(Reason::kAlreadyExists));

  pb::AssignReaderRequest assign;
  assign.set_parent(note);
  assign.mutable_reader()->set_person(fixture_.Member(1));
  assign.mutable_reader()->set_person_display_name("Lectrice Une");
  EXPECT_THAT(fixture_.Call(fixture_.notes(), &Notes::AssignReader, assign),
              HasReason(Reason::kConflictOfInterest));
  assign.mutable_reader()->set_person(fixture_.Member(2));
  const auto reader =
      fixture_.Call(fixture_.notes(), &Notes::AssignReader, assign);
  ASSERT_OK(reader);

  pb::SubmitReaderReportRequest report;
  report.set_name(reader->name());
  report.set_comments("Une lecture d’essai");
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::SubmitReaderReport, report),
      ViolatesField("mark_hundredths"));
  report.set_mark_hundredths(2001);
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::SubmitReaderReport, report),
      HasReason(Reason::kFieldOutOfRange));
  report.set_mark_hundredths(1450);
  const auto reported =
      fixture_.Call(fixture_.notes(), &Notes::SubmitReaderReport, report);
  ASSERT_OK(reported);
  EXPECT_TRUE(reported->reported());
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::SubmitReaderReport, report),
      HasReason(Reason::kIllegalTransition));
}

TEST_P(EvaluationRpcTest, FinalNoteIsReopenedUntilItsJurySits) {
  const auto learners = Candidates(2);
  pb::ReopenNoteRequest reopen;
  reopen.set_name(NoteOf(learners[0]).text());
  reopen.set_reason("Une pièce manque");
  ASSERT_OK(fixture_.Call(fixture_.notes(), &Notes::ReopenNote, reopen));
  EXPECT_THAT(fixture_.Call(fixture_.notes(), &Notes::ReopenNote, reopen),
              HasReason(Reason::kIllegalTransition));
  ASSERT_OK(fixture_.Convene("first", kJuryDay));
  ASSERT_OK(fixture_.Open("first"));
  reopen.set_name(NoteOf(learners[1]).text());
  EXPECT_THAT(fixture_.Call(fixture_.notes(), &Notes::ReopenNote, reopen),
              HasReason(Reason::kIllegalTransition));
}

// Juries.

TEST_P(EvaluationRpcTest, JuryAwardsDefersAndRefuses) {
  const auto learners = Session(3);
  ASSERT_OK(fixture_.Decide("first", learners[0], kAwarded));
  const auto missing = fixture_.Close("first");
  EXPECT_THAT(missing, HasReason(Reason::kDecisionsMissing));
  EXPECT_THAT(MetadataOf(missing.status()).at("candidates"),
              HasSubstr(learners[2].text()));
  ASSERT_OK(fixture_.Decide("first", learners[1], kDeferred));
  ASSERT_OK(fixture_.Decide("first", learners[2], kRefused));
  const auto minutes = fixture_.Close("first");
  ASSERT_OK(minutes);
  EXPECT_EQ(minutes->awarded_count(), 1);
  EXPECT_EQ(minutes->deferred_count(), 1);
  EXPECT_EQ(minutes->refused_count(), 1);
  EXPECT_EQ(minutes->position(), 1);
  EXPECT_THAT(minutes->text(), HasSubstr("Candidate a"));
  EXPECT_THAT(minutes->text(), HasSubstr("17 pages"));
  EXPECT_THAT(minutes->text(), Not(HasSubstr("ECTS")));

  EXPECT_THAT(fixture_.Decide("first", learners[2], kAwarded),
              HasReason(Reason::kMinutesClosed));
  EXPECT_THAT(fixture_.Close("first"), HasReason(Reason::kMinutesClosed));
  EXPECT_EQ(fixture_.ResultFor(learners[0])->outcome(),
            pb::Result::OUTCOME_AWARDED);
  EXPECT_EQ(fixture_.ResultFor(learners[1])->outcome(),
            pb::Result::OUTCOME_DEFERRED);
  EXPECT_EQ(fixture_.ResultFor(learners[2])->outcome(),
            pb::Result::OUTCOME_REFUSED);
  EXPECT_THAT(fixture_.ResultFor(learners[2])->certificate(), IsEmpty());

  const auto certificate = fixture_.CertificateFor(learners[0]);
  ASSERT_OK(certificate);
  EXPECT_EQ(certificate->number(), "OPALE-2027-0001");
  EXPECT_EQ(certificate->state(), pb::Certificate::STATE_ISSUED);
  EXPECT_THAT(certificate->code(), SizeIs(10));
  EXPECT_EQ(certificate->mandate_reference(), "Mandat 2026-1");
}

TEST_P(EvaluationRpcTest, DeferredCandidateIsSeenByTheNextJury) {
  const auto learners = Session(2);
  ASSERT_OK(fixture_.Decide("first", learners[0], kAwarded));
  ASSERT_OK(fixture_.Decide("first", learners[1], kDeferred));
  ASSERT_OK(fixture_.Close("first"));
  fixture_.AdvanceTo(kNextJuryDay);
  ASSERT_OK(fixture_.Convene("second", kNextJuryDay));
  const auto opened = fixture_.Open("second");
  ASSERT_OK(opened);
  ASSERT_THAT(opened->candidates(), SizeIs(1));
  EXPECT_EQ(opened->candidates(0), learners[1].text());
  EXPECT_THAT(fixture_.Decide("second", learners[0], kRefused),
              HasReason(Reason::kNotACandidate));
  ASSERT_OK(fixture_.Decide("second", learners[1], kAwarded));
  const auto minutes = fixture_.Close("second");
  ASSERT_OK(minutes);
  EXPECT_EQ(minutes->position(), 2);
  EXPECT_THAT(minutes->previous_digest(), SizeIs(64));
  EXPECT_EQ(fixture_.CertificateFor(learners[1])->number(), "OPALE-2027-0002");
}

TEST_P(EvaluationRpcTest, CorrectionIsANewDecisionThatNamesTheOld) {
  const auto learners = Session(2);
  const auto award = fixture_.Decide("first", learners[0], kAwarded);
  const auto refusal = fixture_.Decide("first", learners[1], kRefused);
  ASSERT_OK(award);
  ASSERT_OK(refusal);
  ASSERT_OK(fixture_.Close("first"));
  const auto revoked_before = fixture_.CertificateFor(learners[0]);
  ASSERT_OK(revoked_before);

  fixture_.AdvanceTo(kNextJuryDay);
  ASSERT_OK(fixture_.Convene("second", kNextJuryDay));
  ASSERT_OK(fixture_.Open("second"));
  EXPECT_THAT(fixture_.Decide("second", learners[1], kAwarded, award->name()),
              HasReason(Reason::kUnknownReference));
  ASSERT_OK(fixture_.Decide("second", learners[1], kAwarded, refusal->name()));
  ASSERT_OK(fixture_.Decide("second", learners[0], kRefused, award->name()));
  ASSERT_OK(fixture_.Close("second"));

  pb::GetDecisionRequest get;
  get.set_name(refusal->name());
  const auto old = fixture_.Call(fixture_.juries(), &Juries::GetDecision, get);
  ASSERT_OK(old);
  EXPECT_EQ(old->outcome(), kRefused);
  EXPECT_THAT(old->corrected_by(), HasSubstr("/juries/second/"));
  EXPECT_EQ(fixture_.CertificateFor(learners[1])->number(), "OPALE-2027-0002");
  EXPECT_THAT(fixture_.ResultFor(learners[0])->certificate(), IsEmpty());
  const auto verified =
      Verify(revoked_before->number(), revoked_before->code());
  ASSERT_OK(verified);
  EXPECT_EQ(verified->state(), pb::Certificate::STATE_REVOKED);
}

TEST_P(EvaluationRpcTest, QuorumCountsWhoIsPresentWithoutAConflict) {
  const auto learners = Candidates(2);
  ASSERT_OK(Synchronise());
  ASSERT_OK(Declare(2, learners[0]));
  ASSERT_OK(fixture_.Convene("first", kJuryDay));
  EXPECT_THAT(fixture_.Open("first", 2), HasReason(Reason::kQuorumNotMet));
  ASSERT_OK(fixture_.Open("first", 3));
  const auto short_of_one = fixture_.Decide("first", learners[0], kAwarded);
  EXPECT_THAT(short_of_one, HasReason(Reason::kQuorumNotMet));
  EXPECT_EQ(MetadataOf(short_of_one.status()).at("present"), "2");
  const auto decided = fixture_.Decide("first", learners[1], kAwarded);
  ASSERT_OK(decided);
  EXPECT_THAT(decided->deciding_members(), SizeIs(3));

  pb::RecordDecisionRequest named;
  named.set_parent(fixture_.JuryNamed("first"));
  named.mutable_decision()->set_enrolment(learners[0].text());
  named.mutable_decision()->set_outcome(kAwarded);
  named.mutable_decision()->add_deciding_members(fixture_.Member(2));
  EXPECT_THAT(fixture_.Call(fixture_.juries(), &Juries::RecordDecision, named),
              HasReason(Reason::kConflictOfInterest));
  named.mutable_decision()->set_deciding_members(0, fixture_.Member(5));
  EXPECT_THAT(fixture_.Call(fixture_.juries(), &Juries::RecordDecision, named),
              HasReason(Reason::kUnknownReference));
}

TEST_P(EvaluationRpcTest, OwnerIsAskedAtTheMomentOfAward) {
  const auto learners = Session(3);
  fixture_.enrolment().SetDown(true);
  EXPECT_THAT(fixture_.Decide("first", learners[0], kAwarded),
              HasReason(Reason::kOwnerUnavailable));
  ASSERT_OK(fixture_.Decide("first", learners[1], kRefused));
  fixture_.enrolment().SetDown(false);
  ASSERT_OK(fixture_.Decide("first", learners[0], kAwarded));

  EnrolmentFacts excluded = MakeLearner(fixture_.cohort(), "a");
  excluded.state = EnrolmentState::kExcluded;
  fixture_.enrolment().Put(excluded);
  EnrolmentFacts withdrawn = MakeLearner(fixture_.cohort(), "c");
  withdrawn.state = EnrolmentState::kWithdrawn;
  fixture_.enrolment().Put(withdrawn);
  const auto left = fixture_.Decide("first", learners[2], kAwarded);
  EXPECT_THAT(left, HasReason(Reason::kNotACandidate));
  EXPECT_EQ(MetadataOf(left.status()).at("cause"), "WITHDRAWN");

  fixture_.enrolment().SetDown(true);
  EXPECT_THAT(fixture_.Close("first"), HasReason(Reason::kOwnerUnavailable));
  fixture_.enrolment().SetDown(false);
  // Awarded, then excluded: the award cannot stand.
  EXPECT_THAT(fixture_.Close("first"), HasReason(Reason::kNotACandidate));
  ASSERT_OK(fixture_.Decide("first", learners[0], kRefused));
  const auto minutes = fixture_.Close("first");
  ASSERT_OK(minutes);
  ASSERT_THAT(minutes->departed_candidates(), SizeIs(1));
  EXPECT_EQ(minutes->departed_candidates(0), learners[2].text());
}

TEST_P(EvaluationRpcTest, AwardNeedsAFinalNoteAndOtherDecisionsAReason) {
  const auto learners = Candidates(1);
  fixture_.AddLearners(2);
  ASSERT_OK(fixture_.Convene("first", kJuryDay));
  ASSERT_OK(fixture_.Open("first"));
  const auto without_note =
      fixture_.Decide("first", fixture_.Learner("b"), kAwarded);
  EXPECT_THAT(without_note, HasReason(Reason::kNotACandidate));
  EXPECT_EQ(MetadataOf(without_note.status()).at("cause"), "NO_FINAL_NOTE");
  ASSERT_OK(fixture_.Decide("first", fixture_.Learner("b"), kDeferred));
  pb::RecordDecisionRequest request;
  request.set_parent(fixture_.JuryNamed("first"));
  request.mutable_decision()->set_enrolment(learners[0].text());
  request.mutable_decision()->set_outcome(kRefused);
  const auto silent =
      fixture_.Call(fixture_.juries(), &Juries::RecordDecision, request);
  EXPECT_THAT(silent, HasReason(Reason::kReasonRequired));
  EXPECT_THAT(silent, ViolatesField("decision.reason"));
  request.mutable_decision()->set_reason("Un motif");
  request.mutable_decision()->set_mark_hundredths(900);
  EXPECT_THAT(
      fixture_.Call(fixture_.juries(), &Juries::RecordDecision, request),
      ViolatesField("decision.mark_hundredths"));
}

TEST_P(EvaluationRpcTest, JuryIsConvenedBeforeItSits) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  const auto learners = fixture_.AddLearners(1);
  ASSERT_OK(fixture_.Convene("first", kJuryDay));
  EXPECT_THAT(fixture_.Convene("first", kJuryDay),
              HasReason(Reason::kAlreadyExists));
  EXPECT_THAT(fixture_.Open("first"), HasReason(Reason::kTooEarly));
  EXPECT_THAT(fixture_.Decide("first", learners[0], kRefused),
              HasReason(Reason::kIllegalTransition));
  EXPECT_THAT(fixture_.Close("first"), HasReason(Reason::kIllegalTransition));

  pb::UpdateJuryRequest update;
  update.mutable_jury()->set_name(fixture_.JuryNamed("first"));
  update.mutable_jury()->set_place("Une autre salle");
  update.mutable_update_mask()->add_paths("place");
  const auto moved =
      fixture_.Call(fixture_.juries(), &Juries::UpdateJury, update);
  ASSERT_OK(moved);
  EXPECT_EQ(moved->place(), "Une autre salle");
  EXPECT_THAT(moved->members(), SizeIs(5));

  fixture_.AdvanceTo(kJuryDay);
  ASSERT_OK(fixture_.Convene("second", kJuryDay));
  ASSERT_OK(fixture_.Open("first"));
  EXPECT_THAT(fixture_.Open("second"), HasReason(Reason::kIllegalTransition));
  EXPECT_THAT(fixture_.Call(fixture_.juries(), &Juries::UpdateJury, update),
              HasReason(Reason::kIllegalTransition));
  pb::AssessmentPlan plan = fixture_.Plan();
  plan.mutable_options()->set_jury_quorum(2);
  EXPECT_THAT(fixture_.Put(plan), HasReason(Reason::kIllegalTransition));
}

TEST_P(EvaluationRpcTest, JuryHasOnePresidentAndEnoughMembers) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  pb::CreateJuryRequest request;
  request.set_parent(fixture_.cohort().text());
  *request.mutable_jury()->mutable_session_date() = rpc::DateOf(kJuryDay);
  for (int i = 1; i <= 2; ++i) {
    pb::JuryMember& member = *request.mutable_jury()->add_members();
    member.set_person(fixture_.Member(i));
    member.set_person_display_name("Membre");
    member.set_role(pb::JuryMember::ROLE_PRESIDENT);
  }
  EXPECT_THAT(fixture_.Call(fixture_.juries(), &Juries::CreateJury, request),
              ViolatesField("jury.members[1].role"));
  request.mutable_jury()->mutable_members(1)->set_role(
      pb::JuryMember::ROLE_MEMBER);
  EXPECT_THAT(fixture_.Call(fixture_.juries(), &Juries::CreateJury, request),
              HasReason(Reason::kQuorumNotMet));
  request.mutable_jury()->mutable_members(1)->set_person(fixture_.Member(1));
  EXPECT_THAT(fixture_.Call(fixture_.juries(), &Juries::CreateJury, request),
              ViolatesField("jury.members[1].person"));
}

TEST_P(EvaluationRpcTest, CandidatesAreShownWithWhatTheJuryMayLookAt) {
  const auto learners = Session(2);
  ASSERT_OK(fixture_.Decide("first", learners[1], kDeferred));
  pb::ListJuryCandidatesRequest request;
  request.set_parent(fixture_.JuryNamed("first"));
  request.set_page_size(1);
  const auto first =
      fixture_.Call(fixture_.juries(), &Juries::ListJuryCandidates, request);
  ASSERT_OK(first);
  ASSERT_THAT(first->candidates(), SizeIs(1));
  EXPECT_EQ(first->candidates(0).note_page_count(), 17);
  EXPECT_FALSE(first->candidates(0).has_attended_minutes());
  EXPECT_THAT(first->candidates(0).decision(), IsEmpty());
  request.set_page_token(first->next_page_token());
  const auto second =
      fixture_.Call(fixture_.juries(), &Juries::ListJuryCandidates, request);
  ASSERT_OK(second);
  ASSERT_THAT(second->candidates(), SizeIs(1));
  EXPECT_THAT(second->candidates(0).decision(), HasSubstr("/decisions/b"));
  EXPECT_THAT(second->next_page_token(), IsEmpty());
}

// Minutes and certificates.

TEST_P(EvaluationRpcTest, ChangedMinutesDoNotVerify) {
  const auto learners = Session(1);
  ASSERT_OK(fixture_.Decide("first", learners[0], kRefused));
  const auto minutes = fixture_.Close("first");
  ASSERT_OK(minutes);
  pb::VerifyMinutesRequest request;
  request.set_parent("bodies/opale");
  request.set_position(1);
  request.set_digest(minutes->digest());
  const auto intact =
      fixture_.Call(fixture_.juries(), &Juries::VerifyMinutes, request);
  ASSERT_OK(intact);
  EXPECT_TRUE(intact->intact());
  EXPECT_EQ(intact->length(), 1);

  // Rewritten consistently: the outcome, and the digest with it.
  access::Caller forger{
      .principal = {.subject = "forger", .roles = {}, .body = ""},
      .scope = access::Scope::Installation(),
      .method = "Forge",
      .request_id = "",
      .request_digest = "",
      .now = absl::Now()};
  ASSERT_OK(fixture_.store().Change(
      forger, [&](EvaluationUnit& unit) -> absl::StatusOr<std::string> {
        auto decisions = unit.DecisionsOf(
            forger.scope, JuryName::FromRecord(fixture_.JuryNamed("first")));
        if (!decisions.ok()) return decisions.status();
        decisions->front().outcome = DecisionOutcome::kAwarded;
        unit.decisions().Update(decisions->front());
        return std::string("decision");
      }));
  const auto changed =
      fixture_.Call(fixture_.juries(), &Juries::VerifyMinutes, request);
  ASSERT_OK(changed);
  EXPECT_FALSE(changed->intact());
  EXPECT_EQ(changed->first_broken_position(), 1);
  ASSERT_OK(fixture_.store().Change(
      forger, [&](EvaluationUnit& unit) -> absl::StatusOr<std::string> {
        auto chain = unit.MinutesOfBody(forger.scope,
                                        BodyName::FromRecord("bodies/opale"));
        if (!chain.ok()) return chain.status();
        auto decisions = unit.DecisionsOf(forger.scope, chain->front().jury());
        if (!decisions.ok()) return decisions.status();
        chain->front().digest = DigestOf(chain->front(), *decisions);
        unit.minutes().Update(chain->front());
        return std::string("minutes");
      }));
  const auto rewritten =
      fixture_.Call(fixture_.juries(), &Juries::VerifyMinutes, request);
  ASSERT_OK(rewritten);
  EXPECT_FALSE(rewritten->intact()) << "against the digest that was kept";
  request.set_position(2);
  request.set_digest(std::string(64, 'a'));
  const auto truncated =
      fixture_.Call(fixture_.juries(), &Juries::VerifyMinutes, request);
  ASSERT_OK(truncated);
  EXPECT_FALSE(truncated->intact());
}

TEST_P(EvaluationRpcTest, VerificationSaysOneThingToWhoHasNotBoth) {
  const auto learners = Session(1);
  ASSERT_OK(fixture_.Decide("first", learners[0], kAwarded));
  ASSERT_OK(fixture_.Close("first"));
  const auto certificate = fixture_.CertificateFor(learners[0]);
  ASSERT_OK(certificate);
  std::string typed = certificate->code();
  for (char& c : typed) c = static_cast<char>(std::tolower(c));
  typed.insert(5, " - ");
  const auto genuine = Verify(certificate->number(), typed);
  ASSERT_OK(genuine);
  EXPECT_EQ(genuine->title(), "Certificat d’essai");
  EXPECT_EQ(genuine->holder_display_name(), "Candidate a");
  EXPECT_EQ(genuine->state(), pb::Certificate::STATE_ISSUED);
  EXPECT_EQ(genuine->credit_wording(), "dispense de l’unité U1");

  const auto number_alone = Verify(certificate->number(), "");
  const auto wrong_code = Verify(certificate->number(), "0000000000");
  const auto unknown = Verify("OPALE-2027-9999", certificate->code());
  EXPECT_THAT(number_alone, HasReason(Reason::kPermissionDenied));
  EXPECT_EQ(number_alone.status(), wrong_code.status());
  EXPECT_EQ(number_alone.status(), unknown.status());
}

TEST_P(EvaluationRpcTest, CertificateIsReissuedUnderItsNumber) {
  const auto learners = Session(1);
  ASSERT_OK(fixture_.Decide("first", learners[0], kAwarded));
  ASSERT_OK(fixture_.Close("first"));
  const auto first = fixture_.CertificateFor(learners[0]);
  ASSERT_OK(first);
  pb::ReissueCertificateRequest request;
  request.set_name(first->name());
  request.set_kind(pb::ReissueCertificateRequest::KIND_DUPLICATE);
  EXPECT_THAT(fixture_.Call(fixture_.certificates(),
                            &Certificates::ReissueCertificate, request),
              HasReason(Reason::kReasonRequired));
  request.set_reason("Perdu");
  const auto duplicate = fixture_.Call(
      fixture_.certificates(), &Certificates::ReissueCertificate, request);
  ASSERT_OK(duplicate);
  EXPECT_TRUE(duplicate->duplicate());
  EXPECT_EQ(duplicate->issue_count(), 2);

  EnrolmentFacts renamed = MakeLearner(fixture_.cohort(), "a");
  renamed.display_name = "Candidate Autrement";
  fixture_.enrolment().Put(renamed);
  request.set_kind(pb::ReissueCertificateRequest::KIND_NAME_CHANGE);
  request.set_reason("Changement d’état civil");
  const auto reissued = fixture_.Call(
      fixture_.certificates(), &Certificates::ReissueCertificate, request);
  ASSERT_OK(reissued);
  EXPECT_EQ(reissued->number(), first->number());
  EXPECT_EQ(reissued->code(), first->code());
  EXPECT_EQ(reissued->holder_display_name(), "Candidate Autrement");
  EXPECT_FALSE(reissued->duplicate());
  EXPECT_THAT(reissued->ShortDebugString(), Not(HasSubstr("Candidate a")));
}

TEST_P(EvaluationRpcTest, NothingIsSignedWithoutAMandateInForce) {
  pb::AssessmentPlan plan = fixture_.Plan();
  *plan.mutable_certification_mandate()->mutable_effective_until() =
      rpc::DateOf(absl::CivilDay(2026, 12, 31));
  const auto learners = Session(1);
  ASSERT_OK(fixture_.Put(plan));
  ASSERT_OK(fixture_.Decide("first", learners[0], kAwarded));
  EXPECT_THAT(fixture_.Close("first"), HasReason(Reason::kNotMandated));
  EXPECT_THAT(fixture_.ResultFor(learners[0]), HasReason(Reason::kNotFound));
  plan.mutable_certification_mandate()->clear_effective_until();
  ASSERT_OK(fixture_.Put(plan));
  ASSERT_OK(fixture_.Close("first"));
  EXPECT_EQ(fixture_.CertificateFor(learners[0])->number(), "OPALE-2027-0001")
      << "the refused attempt took no number";
}

TEST_P(EvaluationRpcTest, HandedOverResultGetsTheCertifiersNumberLater) {
  const auto learners = Candidates(2);
  pb::AssessmentPlan plan = fixture_.Plan();
  plan.set_certification_mode(type::v1::CERTIFICATION_MODE_HANDOVER);
  plan.clear_certification_mandate();
  ASSERT_OK(fixture_.Put(plan));
  ASSERT_OK(fixture_.Convene("first", kJuryDay));
  ASSERT_OK(fixture_.Open("first"));
  for (const EnrolmentName& learner : learners) {
    ASSERT_OK(fixture_.Decide("first", learner, kAwarded));
  }
  pb::GetJuryPackRequest pack_request;
  pack_request.set_name(fixture_.JuryNamed("first"));
  EXPECT_THAT(
      fixture_.Call(fixture_.juries(), &Juries::GetJuryPack, pack_request),
      HasReason(Reason::kIllegalTransition));
  ASSERT_OK(fixture_.Close("first"));
  const auto pack =
      fixture_.Call(fixture_.juries(), &Juries::GetJuryPack, pack_request);
  ASSERT_OK(pack);
  ASSERT_THAT(pack->entries(), SizeIs(2));
  EXPECT_THAT(pack->entries(0).certificate_number(), IsEmpty());
  EXPECT_THAT(pack->entries(0).note_sha256(), SizeIs(64));

  pb::RecordCertifierNumberRequest record;
  record.set_name(pack->entries(0).certificate());
  record.set_number("CERT-42");
  const auto recorded = fixture_.Call(
      fixture_.certificates(), &Certificates::RecordCertifierNumber, record);
  ASSERT_OK(recorded);
  EXPECT_EQ(recorded->state(), pb::Certificate::STATE_ISSUED);
  EXPECT_THAT(recorded->code(), IsEmpty());
  EXPECT_THAT(Verify("CERT-42", ""), HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(fixture_.Call(fixture_.certificates(),
                            &Certificates::RecordCertifierNumber, record),
              HasReason(Reason::kIllegalTransition));
  record.set_name(pack->entries(1).certificate());
  EXPECT_THAT(fixture_.Call(fixture_.certificates(),
                            &Certificates::RecordCertifierNumber, record),
              HasReason(Reason::kAlreadyExists));
}

TEST_P(EvaluationRpcTest, ClosingTwiceUnderOneRequestIdNumbersOnce) {
  const auto learners = Session(2);
  for (const EnrolmentName& learner : learners) {
    ASSERT_OK(fixture_.Decide("first", learner, kAwarded));
  }
  pb::CloseMinutesRequest request;
  request.set_name(fixture_.JuryNamed("first"));
  request.set_request_id(kRequestId);
  std::vector<absl::StatusOr<pb::Minutes>> answers(
      4, absl::UnknownError("not called"));
  std::vector<std::thread> callers;
  for (auto& answer : answers) {
    callers.emplace_back([&] {
      answer = fixture_.Call(fixture_.juries(), &Juries::CloseMinutes, request);
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const auto& answer : answers) {
    ASSERT_OK(answer);
    EXPECT_EQ(answer->digest(), answers[0]->digest());
  }
  pb::ListCertificatesRequest list;
  list.set_parent("bodies/opale");
  list.set_cohort(fixture_.cohort().text());
  const auto certificates = fixture_.Call(
      fixture_.certificates(), &Certificates::ListCertificates, list);
  ASSERT_OK(certificates);
  EXPECT_THAT(certificates->certificates(), SizeIs(2));
}

TEST_P(EvaluationRpcTest, NumbersHaveNoGapsUnderConcurrency) {
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  const BodyName body = BodyName::FromRecord("bodies/opale");
  std::vector<std::vector<int64_t>> given(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const access::Caller caller{
          .principal = {.subject = "test", .roles = {}, .body = ""},
          .scope = access::Scope::Installation(),
          .method = "Number",
          .request_id = "",
          .request_digest = "",
          .now = absl::Now()};
      for (int i = 0; i < kEach; ++i) {
        int64_t number = 0;
        const bool commit = i % 5 != 4;
        const auto outcome = fixture_.store().Change(
            caller, [&](EvaluationUnit& unit) -> absl::StatusOr<std::string> {
              const auto next =
                  unit.NextInSeries(body, Series::kCertificate, 2027);
              if (!next.ok()) return next.status();
              number = *next;
              if (!commit) return absl::CancelledError("not this time");
              return std::string("number");
            });
        if (outcome.ok()) given[static_cast<std::size_t>(t)].push_back(number);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<int64_t> all;
  std::size_t count = 0;
  for (const auto& numbers : given) {
    all.insert(numbers.begin(), numbers.end());
    count += numbers.size();
  }
  EXPECT_EQ(count, static_cast<std::size_t>(kThreads * kEach * 4 / 5));
  EXPECT_EQ(all.size(), count) << "no number twice";
  EXPECT_EQ(*all.begin(), 1);
  EXPECT_EQ(*all.rbegin(), static_cast<int64_t>(count)) << "no gap";
}

// Results.

TEST_P(EvaluationRpcTest, ProgrammeWithoutJuryGivesResultsOfItsOwn) {
  pb::AssessmentPlan plan;
  plan.set_name(PlanOf(fixture_.cohort()).text());
  plan.mutable_options();
  ASSERT_OK(fixture_.Put(plan));
  fixture_.AddLearners(3);
  EnrolmentFacts started = MakeLearner(fixture_.cohort(), "c");
  started.state = EnrolmentState::kStarted;
  fixture_.enrolment().Put(started);
  EXPECT_THAT(fixture_.Convene("first", kJuryDay), HasReason(Reason::kNoJury));
  pb::CreateValidationNoteRequest create;
  create.set_parent(fixture_.cohort().text());
  create.mutable_validation_note()->set_subject("Un sujet");
  create.mutable_validation_note()->set_enrolment(fixture_.Learner("a").text());
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::CreateValidationNote, create),
      HasReason(Reason::kNoJury));

  pb::CompleteWithoutJuryRequest request;
  request.set_parent(fixture_.cohort().text());
  const auto first =
      fixture_.Call(fixture_.results(), &Results::CompleteWithoutJury, request);
  ASSERT_OK(first);
  EXPECT_EQ(first->result_count(), 2);
  started.state = EnrolmentState::kCompleted;
  fixture_.enrolment().Put(started);
  EXPECT_EQ(
      fixture_.Call(fixture_.results(), &Results::CompleteWithoutJury, request)
          ->result_count(),
      3);
  const auto result = fixture_.ResultFor(fixture_.Learner("a"));
  ASSERT_OK(result);
  EXPECT_EQ(result->outcome(), pb::Result::OUTCOME_COMPLETED);
  EXPECT_THAT(result->certificate(), IsEmpty());
}

TEST_P(EvaluationRpcTest, ProgrammeWithAJuryIsNotCompletedWithout) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  pb::CompleteWithoutJuryRequest request;
  request.set_parent(fixture_.cohort().text());
  EXPECT_THAT(
      fixture_.Call(fixture_.results(), &Results::CompleteWithoutJury, request),
      HasReason(Reason::kIllegalTransition));
}

TEST_P(EvaluationRpcTest, AppealIsLodgedInTimeAgainstTheDecisionInForce) {
  const auto learners = Session(1);
  const auto refusal = fixture_.Decide("first", learners[0], kRefused);
  ASSERT_OK(refusal);
  pb::LodgeAppealRequest lodge;
  lodge.set_parent(fixture_.cohort().text());
  lodge.mutable_appeal()->set_decision(refusal->name());
  lodge.mutable_appeal()->set_ground(pb::Appeal::GROUND_MATERIAL_ERROR);
  EXPECT_THAT(fixture_.Call(fixture_.results(), &Results::LodgeAppeal, lodge),
              HasReason(Reason::kReasonRequired));
  lodge.mutable_appeal()->set_statement("Une page n’a pas été lue");
  EXPECT_THAT(fixture_.Call(fixture_.results(), &Results::LodgeAppeal, lodge),
              HasReason(Reason::kUnknownReference));
  ASSERT_OK(fixture_.Close("first"));
  const auto appeal =
      fixture_.Call(fixture_.results(), &Results::LodgeAppeal, lodge);
  ASSERT_OK(appeal);
  EXPECT_THAT(fixture_.Call(fixture_.results(), &Results::LodgeAppeal, lodge),
              HasReason(Reason::kIllegalTransition));
  pb::AnswerAppealRequest answer;
  answer.set_name(appeal->name());
  answer.set_upheld(true);
  answer.set_answer("L’erreur est établie");
  answer.set_answered_by("Personne Responsable");
  const auto answered =
      fixture_.Call(fixture_.results(), &Results::AnswerAppeal, answer);
  ASSERT_OK(answered);
  EXPECT_EQ(answered->state(), pb::Appeal::STATE_UPHELD);
  fixture_.AdvanceTo(absl::CivilDay(2027, 3, 20));
  ASSERT_OK(fixture_.Call(fixture_.results(), &Results::LodgeAppeal, lodge));
  fixture_.AdvanceTo(absl::CivilDay(2027, 3, 21));
  const auto late =
      fixture_.Call(fixture_.results(), &Results::LodgeAppeal, lodge);
  EXPECT_THAT(late, HasReason(Reason::kAppealPeriodOver));
  EXPECT_EQ(MetadataOf(late.status()).at("article"), "CJA R421-1");
}

// Roster.

TEST_P(EvaluationRpcTest, RosterFollowsEnrolment) {
  fixture_.AddLearners(20);
  const auto applied =
      fixture_.Call(fixture_.roster(), &Roster::SynchroniseRoster,
                    pb::SynchroniseRosterRequest());
  ASSERT_OK(applied);
  EXPECT_EQ(applied->applied_count(), 20);
  const auto nothing =
      fixture_.Call(fixture_.roster(), &Roster::SynchroniseRoster,
                    pb::SynchroniseRosterRequest());
  ASSERT_OK(nothing);
  EXPECT_EQ(nothing->applied_count(), 0);
  EnrolmentFacts gone = MakeLearner(fixture_.cohort(), "b");
  gone.state = EnrolmentState::kDroppedOut;
  fixture_.enrolment().Put(gone);
  ASSERT_OK(Synchronise());
  pb::ListRosterEntriesRequest list;
  list.set_parent(fixture_.cohort().text());
  list.set_page_size(500);
  const auto listed =
      fixture_.Call(fixture_.roster(), &Roster::ListRosterEntries, list);
  ASSERT_OK(listed);
  ASSERT_THAT(listed->roster_entries(), SizeIs(20));
  EXPECT_EQ(listed->roster_entries(1).state(), "DROPPED_OUT");
}

TEST_P(EvaluationRpcTest, RosterIsReadWholeAfterATrimmedFeed) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  fixture_.AddLearners(2);
  ASSERT_OK(Synchronise());
  EnrolmentFacts gone = MakeLearner(fixture_.cohort(), "a");
  gone.state = EnrolmentState::kExcluded;
  fixture_.enrolment().Put(gone);
  fixture_.enrolment().TrimFeed();
  ASSERT_OK(Synchronise());
  pb::ListRosterEntriesRequest list;
  list.set_parent(fixture_.cohort().text());
  const auto listed =
      fixture_.Call(fixture_.roster(), &Roster::ListRosterEntries, list);
  ASSERT_OK(listed);
  EXPECT_EQ(listed->roster_entries(0).state(), "EXCLUDED");
}

// The boundary.

TEST_P(EvaluationRpcTest, BadInputNamesItsFieldAndWritesNothing) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  fixture_.AddLearners(1);
  const auto create =
      [&](const std::string& parent, const std::string& enrolment,
          const std::string& subject, const std::string& request_id) {
        pb::CreateValidationNoteRequest request;
        request.set_parent(parent);
        request.mutable_validation_note()->set_enrolment(enrolment);
        request.mutable_validation_note()->set_subject(subject);
        request.set_request_id(request_id);
        return fixture_
            .Call(fixture_.notes(), &Notes::CreateValidationNote, request)
            .status();
      };
  const std::string cohort = fixture_.cohort().text();
  const std::string learner = fixture_.Learner("a").text();
  EXPECT_THAT(create("bodies/opale", learner, "Un sujet", ""),
              ViolatesField("parent"));
  EXPECT_THAT(create(cohort, "no name", "Un sujet", ""),
              ViolatesField("validation_note.enrolment"));
  EXPECT_THAT(create(cohort, learner, "", ""),
              HasReason(Reason::kFieldRequired));
  EXPECT_THAT(create(cohort, learner, std::string(10'000, 'x'), ""),
              HasReason(Reason::kFieldTooLong));
  EXPECT_THAT(create(cohort, learner, "Un\x01sujet", ""),
              HasReason(Reason::kFieldForbiddenCharacter));
  EXPECT_THAT(create(cohort, learner, "Un sujet", "not-a-uuid"),
              ViolatesField("request_id"));
  EXPECT_THAT(create("bodies/opale/cohorts/autre", learner, "Un sujet", ""),
              HasReason(Reason::kUnknownReference));
  EXPECT_THAT(create("bodies/opale/cohorts/autre",
                     "bodies/opale/cohorts/autre/enrolments/a", "Un sujet", ""),
              HasReason(Reason::kUnknownReference));
  pb::ListValidationNotesRequest list;
  list.set_parent(cohort);
  const auto listed =
      fixture_.Call(fixture_.notes(), &Notes::ListValidationNotes, list);
  ASSERT_OK(listed);
  EXPECT_THAT(listed->validation_notes(), IsEmpty());
  list.set_page_size(-1);
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::ListValidationNotes, list),
      ViolatesField("page_size"));
  list.set_page_size(1);
  list.set_page_token("made-up");
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::ListValidationNotes, list),
      HasReason(Reason::kPageTokenInvalid));
}

TEST_P(EvaluationRpcTest, NotesAreListedByStateInPages) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  const auto learners = fixture_.AddLearners(3);
  fixture_.AdvanceTo(kWriting);
  for (const EnrolmentName& learner : learners) fixture_.ApprovedNote(learner);
  ASSERT_OK(fixture_.Submit(NoteOf(learners[1]).text(), 5, false));
  pb::ListValidationNotesRequest list;
  list.set_parent(fixture_.cohort().text());
  list.set_state(pb::ValidationNote::STATE_SUBJECT_APPROVED);
  list.set_page_size(1);
  const auto first =
      fixture_.Call(fixture_.notes(), &Notes::ListValidationNotes, list);
  ASSERT_OK(first);
  ASSERT_THAT(first->validation_notes(), SizeIs(1));
  list.set_page_token(first->next_page_token());
  const auto second =
      fixture_.Call(fixture_.notes(), &Notes::ListValidationNotes, list);
  ASSERT_OK(second);
  ASSERT_THAT(second->validation_notes(), SizeIs(1));
  EXPECT_EQ(second->validation_notes(0).enrolment(), learners[2].text());
  EXPECT_THAT(second->next_page_token(), IsEmpty());
  list.set_state(pb::ValidationNote::STATE_DRAFT);
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::ListValidationNotes, list),
      HasReason(Reason::kPageTokenInvalid));
}

INSTANTIATE_TEST_SUITE_P(Engines, EvaluationRpcTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

class AttendanceTest : public ::testing::TestWithParam<storage::Engine> {};

TEST_P(AttendanceTest, IsShownAndBlocksNothing) {
  const CohortName cohort =
      CohortName::FromRecord("bodies/opale/cohorts/essai-2026");
  FakeScheduling scheduling(
      {{.enrolment = ChildName<EnrolmentName>(cohort, "enrolments", "a"),
        .attended_minutes = 100,
        .due_minutes = 5400}});
  EvaluationFixture fixture(GetParam(), &scheduling);
  pb::AssessmentPlan plan = fixture.Plan();
  plan.mutable_options()->set_attendance_floor_basis_points(7500);
  ASSERT_OK(fixture.Put(plan));
  const auto learners = fixture.AddLearners(1);
  fixture.AdvanceTo(kWriting);
  fixture.FinalNote(learners[0], 16);
  fixture.AdvanceTo(kJuryDay);
  ASSERT_OK(fixture.Convene("first", kJuryDay));
  ASSERT_OK(fixture.Open("first"));
  pb::ListJuryCandidatesRequest request;
  request.set_parent(fixture.JuryNamed("first"));
  const auto listed =
      fixture.Call(fixture.juries(), &Juries::ListJuryCandidates, request);
  ASSERT_OK(listed);
  ASSERT_THAT(listed->candidates(), SizeIs(1));
  EXPECT_EQ(listed->candidates(0).attended_minutes(), 100);
  EXPECT_TRUE(listed->candidates(0).below_attendance_floor());
  EXPECT_OK(fixture.Decide("first", learners[0], kAwarded));
  EXPECT_OK(fixture.Close("first"));
}

INSTANTIATE_TEST_SUITE_P(Engines, AttendanceTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

}  // namespace
}  // namespace parcours::evaluation
