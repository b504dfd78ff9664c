#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/crypto/digest.h"
#include "common/documents/upload_repository.h"
#include "common/privacy/erasure.h"
#include "common/rpc/convert.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error.h"
#include "common/storage/feed.h"
#include "common/testing/database_fixture.h"
#include "common/testing/fake_erasure_log.h"
#include "common/testing/pdf.h"
#include "common/testing/raw_rows.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "common/types/record.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/evaluation/domain/erasure_use_cases.h"
#include "services/evaluation/domain/roster_use_cases.h"
#include "services/evaluation/store/migrations.h"
#include "services/evaluation/store/sql_evaluation_store.h"
#include "services/evaluation/testing/evaluation_fixture.h"

namespace parcours::evaluation {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Notes = pb::ValidationNoteService::Stub;
using Juries = pb::JuryService::Stub;
using Results = pb::ResultService::Stub;
using Certificates = pb::CertificateService::Stub;
using Privacy = platform::v1::PrivacyService::Stub;

constexpr char kBody[] = "bodies/opale";
constexpr absl::CivilDay kWriting(2026, 10, 1);
constexpr absl::CivilDay kJuryDay(2027, 1, 20);
constexpr absl::CivilDay kLastOfAppeal(2027, 3, 20);
constexpr absl::CivilDay kNextJuryDay(2027, 6, 10);
constexpr absl::CivilDay kLater(2028, 1, 10);

// What stands of one learner, each where it belongs.
constexpr char kName[] = "Zoé Inventée";
constexpr char kSubject[] = "Un sujet reconnaissable";
constexpr char kRemarks[] = "Une remarque reconnaissable";
constexpr char kAgreedBy[] = "Référente Reconnaissable";
constexpr char kReopening[] = "Une réouverture reconnaissable";
constexpr char kLateness[] = "Un retard reconnaissable";
constexpr char kComments[] = "Un rapport reconnaissable";
constexpr char kReason[] = "Un motif reconnaissable";
constexpr char kStatement[] = "Un exposé reconnaissable";
constexpr char kAnswer[] = "Une réponse reconnaissable";
const char* const kPlanted[] = {kName,      kSubject,  kRemarks,  kAgreedBy,
                                kReopening, kLateness, kComments, kReason,
                                kStatement, kAnswer};

access::Principal PrincipalOf(type::v1::Role role, const std::string& body,
                              const std::string& person = "") {
  access::Principal principal{.subject = "user:caller"};
  principal.roles.Add(role);
  principal.body = body;
  principal.person = person;
  return principal;
}

class EvaluationPrivacyTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  EvaluationPrivacyTest() : fixture_(GetParam()) {}

  // The only value of a column of the rows that `where` selects.
  std::string Raw(const std::string& column, const std::string& table) {
    std::string value;
    EXPECT_OK(fixture_.database().View(
        fixture_.OwnCaller(),
        [&](storage::Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(
              const storage::Rows rows,
              transaction.Query({.sql = Cat("SELECT ", column, " FROM ", table,
                                            " WHERE ", column, " <> ''"),
                                 .values = {}}));
          EXPECT_EQ(rows.size(), 1U) << table;
          if (!rows.empty()) value = rows.front().Text(0);
          return absl::OkStatus();
        }));
    return value;
  }

  // Changes the record as nobody may.
  void Tamper(const std::string& sql, storage::Values values = {}) {
    EXPECT_OK(fixture_.database()
                  .Transact(fixture_.OwnCaller(),
                            [&](storage::Transaction& transaction)
                                -> absl::StatusOr<storage::Outcome> {
                              transaction.Write({.sql = sql, .values = values},
                                                1);
                              return storage::Outcome{};
                            })
                  .status());
  }

  std::vector<std::string> WhereStands(const std::string& text) {
    return testing::WhereStands(fixture_.database(), text);
  }

  std::string PersonOf(const std::string& id) const {
    return Cat("bodies/opale/persons/learner-", id);
  }

  // The learner "a" with something in every place: a late note that was
  // reopened, with a report on it; deferred by a first jury, which is appealed
  // against; and awarded a certificate by the next.
  void LearnerWithAPast() {
    ASSERT_OK(fixture_.Put(fixture_.Plan()));
    EnrolmentFacts facts = MakeLearner(fixture_.cohort(), "a");
    facts.display_name = kName;
    facts.has_measures = true;
    fixture_.enrolment().Put(facts);
    learner_ = facts.name;
    fixture_.AdvanceTo(kWriting);
    ASSERT_OK(Synchronise());

    pb::CreateValidationNoteRequest create;
    create.set_parent(fixture_.cohort().text());
    create.mutable_validation_note()->set_enrolment(learner_.text());
    create.mutable_validation_note()->set_subject("Un premier sujet");
    ASSERT_OK(
        fixture_.Call(fixture_.notes(), &Notes::CreateValidationNote, create));
    note_ = NoteOf(learner_).text();
    pb::AskSubjectChangesRequest changes;
    changes.set_name(note_);
    changes.set_decider("Personne Responsable");
    changes.set_reason(kRemarks);
    ASSERT_OK(
        fixture_.Call(fixture_.notes(), &Notes::AskSubjectChanges, changes));
    // Approving the subject takes remarks away: they are put back below.
    pb::ProposeSubjectRequest propose;
    propose.set_name(note_);
    propose.set_subject(kSubject);
    ASSERT_OK(fixture_.Call(fixture_.notes(), &Notes::ProposeSubject, propose));
    pb::ApproveSubjectRequest approve;
    approve.set_name(note_);
    approve.set_decider("Personne Responsable");
    ASSERT_OK(fixture_.Call(fixture_.notes(), &Notes::ApproveSubject, approve));
    Tamper("UPDATE validation_note SET subject_remarks = $1", {kRemarks});
    pb::AdaptNoteRequest adapt;
    adapt.set_name(note_);
    adapt.mutable_adaptation()->set_min_pages(10);
    adapt.mutable_adaptation()->set_max_pages(20);
    adapt.mutable_adaptation()->set_agreed_by(kAgreedBy);
    ASSERT_OK(fixture_.Call(fixture_.notes(), &Notes::AdaptNote, adapt));
    ASSERT_OK(fixture_.Submit(note_, 15, /*final=*/true));
    pb::ReopenNoteRequest reopen;
    reopen.set_name(note_);
    reopen.set_reason(kReopening);
    ASSERT_OK(fixture_.Call(fixture_.notes(), &Notes::ReopenNote, reopen));
    fixture_.AdvanceTo(absl::CivilDay(2027, 1, 5));
    pb::SubmitNoteVersionRequest submit;
    submit.set_name(note_);
    submit.set_upload(fixture_.Upload(MakePdf(16, "", kName)));
    submit.set_final(true);
    submit.set_late_reason(kLateness);
    submit.set_accept_late(true);
    submit.set_late_accepted_by("Personne Responsable");
    ASSERT_OK(
        fixture_.Call(fixture_.notes(), &Notes::SubmitNoteVersion, submit));

    pb::AssignReaderRequest assign;
    assign.set_parent(note_);
    assign.mutable_reader()->set_person("bodies/opale/persons/reader");
    assign.mutable_reader()->set_person_display_name("Lectrice Inventée");
    const auto reader =
        fixture_.Call(fixture_.notes(), &Notes::AssignReader, assign);
    ASSERT_OK(reader);
    pb::SubmitReaderReportRequest report;
    report.set_name(reader->name());
    report.set_comments(kComments);
    ASSERT_OK(
        fixture_.Call(fixture_.notes(), &Notes::SubmitReaderReport, report));

    fixture_.AdvanceTo(kJuryDay);
    ASSERT_OK(fixture_.Convene("first", kJuryDay));
    ASSERT_OK(fixture_.Open("first"));
    pb::RecordDecisionRequest decide;
    decide.set_parent(fixture_.JuryNamed("first"));
    decide.mutable_decision()->set_enrolment(learner_.text());
    decide.mutable_decision()->set_outcome(pb::Decision::OUTCOME_DEFERRED);
    decide.mutable_decision()->set_reason(kReason);
    const auto decision =
        fixture_.Call(fixture_.juries(), &Juries::RecordDecision, decide);
    ASSERT_OK(decision);
    decision_ = decision->name();
    ASSERT_OK(fixture_.Close("first"));
    pb::LodgeAppealRequest lodge;
    lodge.set_parent(fixture_.cohort().text());
    lodge.mutable_appeal()->set_decision(decision_);
    lodge.mutable_appeal()->set_ground(pb::Appeal::GROUND_MATERIAL_ERROR);
    lodge.mutable_appeal()->set_statement(kStatement);
    const auto appeal =
        fixture_.Call(fixture_.results(), &Results::LodgeAppeal, lodge);
    ASSERT_OK(appeal);
    appeal_ = appeal->name();
    pb::AnswerAppealRequest answer;
    answer.set_name(appeal_);
    answer.set_answer(kAnswer);
    answer.set_answered_by("Personne Responsable");
    ASSERT_OK(
        fixture_.Call(fixture_.results(), &Results::AnswerAppeal, answer));
  }

  void Awarded() {
    fixture_.AdvanceTo(kNextJuryDay);
    ASSERT_OK(fixture_.Convene("next", kNextJuryDay));
    ASSERT_OK(fixture_.Open("next"));
    ASSERT_OK(fixture_.Decide("next", learner_, pb::Decision::OUTCOME_AWARDED));
    ASSERT_OK(fixture_.Close("next"));
    const auto certificate = fixture_.CertificateFor(learner_);
    ASSERT_OK(certificate);
    certificate_ = *certificate;
  }

  absl::Status Synchronise() {
    return SynchroniseRoster(fixture_.store(), fixture_.enrolment(),
                             fixture_.erasure_log(), fixture_.OwnCaller())
        .status();
  }

  absl::Status Finish() {
    return privacy::FinishErasures(
        fixture_.database(), &fixture_.upload_store(), fixture_.OwnCaller());
  }

  // Enrolment has erased the learner, and this service follows.
  void Erase(const std::string& id) {
    fixture_.enrolment().Erase(PersonName::FromRecord(PersonOf(id)));
    ASSERT_OK(Synchronise());
    ASSERT_OK(Finish());
  }

  absl::StatusOr<pb::VerifyCertificateResponse> Verify() {
    pb::VerifyCertificateRequest request;
    request.set_number(certificate_.number());
    request.set_code(certificate_.code());
    return fixture_.Call(fixture_.certificates(),
                         &Certificates::VerifyCertificate, request);
  }

  // The position where the chain is broken; 0: nowhere.
  int64_t BrokenAt() {
    pb::VerifyMinutesRequest request;
    request.set_parent(fixture_.cohort().body());
    const auto answer =
        fixture_.Call(fixture_.juries(), &Juries::VerifyMinutes, request);
    EXPECT_OK(answer);
    EXPECT_EQ(answer->intact(), answer->first_broken_position() == 0);
    return answer->first_broken_position();
  }

  std::vector<std::string> Holds(const std::string& person) {
    const auto holds = TryHolds(person);
    EXPECT_OK(holds);
    std::vector<std::string> resources;
    for (const auto& hold : holds->holds()) {
      EXPECT_EQ(hold.kind(), "under_way");
      resources.push_back(hold.resource());
    }
    return resources;
  }

  absl::StatusOr<std::vector<platform::v1::ExportPersonResponse>> TryExport(
      const std::string& person) {
    platform::v1::ExportPersonRequest request;
    request.set_name(person);
    grpc::ClientContext context;
    const auto reader = fixture_.privacy().ExportPerson(&context, request);
    std::vector<platform::v1::ExportPersonResponse> pieces;
    platform::v1::ExportPersonResponse piece;
    while (reader->Read(&piece)) pieces.push_back(piece);
    RETURN_IF_ERROR(rpc::FromGrpcStatus(reader->Finish()));
    return pieces;
  }
  std::vector<platform::v1::ExportPersonResponse> Export(
      const std::string& person) {
    auto pieces = TryExport(person);
    EXPECT_OK(pieces);
    return pieces.ok() ? *std::move(pieces)
                       : std::vector<platform::v1::ExportPersonResponse>();
  }

  absl::StatusOr<platform::v1::ListLegalHoldsResponse> TryHolds(
      const std::string& person) {
    platform::v1::ListLegalHoldsRequest request;
    request.set_name(person);
    return fixture_.Call(fixture_.privacy(), &Privacy::ListLegalHolds, request);
  }

  absl::StatusOr<platform::v1::RetentionPlan> Plan() {
    return PlanOf(fixture_.cohort().body());
  }
  absl::StatusOr<platform::v1::RetentionPlan> PlanOf(const std::string& body) {
    platform::v1::PlanRetentionRequest request;
    request.set_parent(body);
    return fixture_.Call(fixture_.privacy(), &Privacy::PlanRetention, request);
  }

  absl::StatusOr<platform::v1::RetentionPlan> Apply(const std::string& etag) {
    return ApplyTo(fixture_.cohort().body(), etag);
  }
  absl::StatusOr<platform::v1::RetentionPlan> ApplyTo(const std::string& body,
                                                      const std::string& etag) {
    platform::v1::ApplyRetentionRequest request;
    request.set_parent(body);
    request.set_etag(etag);
    return fixture_.Call(fixture_.privacy(), &Privacy::ApplyRetention, request);
  }

  // Of the folder of files, which lie in folders of their own there.
  int FilesOnDisk() {
    int files = 0;
    const std::filesystem::path folder =
        fixture_.upload_store().PathOf("any").parent_path().parent_path();
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) ++files;
    }
    return files;
  }

  absl::StatusOr<pb::ValidationNote> GetNote() {
    pb::GetValidationNoteRequest request;
    request.set_name(note_);
    return fixture_.Call(fixture_.notes(), &Notes::GetValidationNote, request);
  }

  absl::StatusOr<pb::ReadNoteVersionResponse> ReadNote() {
    pb::ReadNoteVersionRequest request;
    request.set_name(Cat(note_, "/versions/002"));
    request.set_limit(16);
    return fixture_.Call(fixture_.notes(), &Notes::ReadNoteVersion, request);
  }

  EvaluationFixture fixture_;
  EnrolmentName learner_;
  std::string note_;
  std::string decision_;
  std::string appeal_;
  pb::Certificate certificate_;
};

// What stands sealed.

TEST_P(EvaluationPrivacyTest, WhatIsAPersonsOwnStandsSealed) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  const std::pair<const char*, const char*> sealed[] = {
      {"adaptation", "validation_note"},
      {"comments", "note_reader"},
      {"reason", "decision"},
      {"statement", "appeal"},
      {"answer", "appeal"}};
  for (const auto& [column, table] : sealed) {
    EXPECT_THAT(Raw(column, table), StartsWith("\x01")) << column;
  }
  EXPECT_THAT(WhereStands(kAgreedBy), IsEmpty());
  EXPECT_THAT(WhereStands(kComments), IsEmpty());
  EXPECT_THAT(WhereStands(kStatement), IsEmpty());
  EXPECT_THAT(WhereStands(kAnswer), IsEmpty());
  // The reason stands in the minutes too.
  EXPECT_THAT(WhereStands(kReason), ElementsAre("minutes.text"));
  const auto note = GetNote();
  ASSERT_OK(note);
  EXPECT_EQ(note->adaptation().agreed_by(), kAgreedBy);
  EXPECT_EQ(note->adaptation().min_pages(), 10);
}

TEST_P(EvaluationPrivacyTest, WhatWasWrittenBeforeThereWereKeysIsStillRead) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  Tamper("UPDATE validation_note SET adaptation = $1",
         {R"({"min_pages":8,"max_pages":12,"due_date":null,"agreed_by":"x"})"});
  Tamper("UPDATE decision SET reason = $1", {kReason});
  auto note = GetNote();
  ASSERT_OK(note);
  EXPECT_EQ(note->adaptation().min_pages(), 8);
  EXPECT_EQ(BrokenAt(), 0);
  Tamper("UPDATE validation_note SET adaptation = 'null'");
  note = GetNote();
  ASSERT_OK(note);
  EXPECT_FALSE(note->has_adaptation());
}

// Erasing.

TEST_P(EvaluationPrivacyTest, ErasureLeavesNoTextOfThePersonAnywhere) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  ASSERT_NO_FATAL_FAILURE(Awarded());
  // The search finds what is there.
  EXPECT_THAT(
      WhereStands(kName),
      IsSupersetOf({"certificate.holder_display_name", "minutes.text",
                    "result.person_display_name", "roster_entry.display_name",
                    "validation_note.person_display_name"}));
  for (const char* text : {kSubject, kRemarks, kReopening, kLateness}) {
    EXPECT_THAT(WhereStands(text), SizeIs(1)) << text;
  }
  EXPECT_EQ(FilesOnDisk(), 2);
  fixture_.AdvanceTo(kLater);
  ASSERT_THAT(Holds(PersonOf("a")), IsEmpty());

  ASSERT_NO_FATAL_FAILURE(Erase("a"));
  for (const char* text : kPlanted) {
    std::vector<std::string> left = WhereStands(text);
    // Closed minutes and the register of certificates stay.
    std::erase(left, "minutes.text");
    if (text == kName) std::erase(left, "certificate.holder_display_name");
    EXPECT_THAT(left, IsEmpty()) << text;
  }
  EXPECT_EQ(FilesOnDisk(), 0);
  EXPECT_THAT(WhereStands(Cat("learner:", PersonOf("a"))),
              Not(Contains(StartsWith("ownership."))));
}

TEST_P(EvaluationPrivacyTest, WhatIsLeftOfAnErasedPersonIsStillAnswered) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  ASSERT_NO_FATAL_FAILURE(Awarded());
  fixture_.AdvanceTo(kLater);
  ASSERT_NO_FATAL_FAILURE(Erase("a"));
  const auto note = GetNote();
  ASSERT_OK(note);
  EXPECT_EQ(note->person_display_name(), "");
  EXPECT_EQ(note->subject(), "");
  EXPECT_FALSE(note->has_adaptation());
  EXPECT_TRUE(note->final_version().late());
  EXPECT_THAT(note->final_version().sha256(), SizeIs(64));
  EXPECT_THAT(ReadNote(), HasReason(Reason::kNotFound));
  pb::GetDecisionRequest get;
  get.set_name(decision_);
  const auto decision =
      fixture_.Call(fixture_.juries(), &Juries::GetDecision, get);
  ASSERT_OK(decision);
  EXPECT_EQ(decision->reason(), "");
  EXPECT_EQ(decision->outcome(), pb::Decision::OUTCOME_DEFERRED);
  const auto result = fixture_.ResultFor(learner_);
  ASSERT_OK(result);
  EXPECT_EQ(result->person_display_name(), "");
  EXPECT_EQ(result->outcome(), pb::Result::OUTCOME_AWARDED);
  pb::GetJuryPackRequest pack;
  pack.set_name(fixture_.JuryNamed("next"));
  const auto packed =
      fixture_.Call(fixture_.juries(), &Juries::GetJuryPack, pack);
  ASSERT_OK(packed);
  EXPECT_EQ(packed->entries(0).holder_display_name(), kName);
}

TEST_P(EvaluationPrivacyTest, CertificatesOutliveTheirHolders) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  ASSERT_NO_FATAL_FAILURE(Awarded());
  const auto before = Verify();
  ASSERT_OK(before);
  EXPECT_EQ(before->holder_display_name(), kName);
  fixture_.AdvanceTo(kLater);
  ASSERT_NO_FATAL_FAILURE(Erase("a"));
  const auto after = Verify();
  ASSERT_OK(after);
  EXPECT_EQ(after->SerializeAsString(), before->SerializeAsString());
  EXPECT_EQ(fixture_.CertificateFor(learner_)->SerializeAsString(),
            certificate_.SerializeAsString());

  // The owner has no name any more that could replace it.
  pb::ReissueCertificateRequest reissue;
  reissue.set_name(certificate_.name());
  reissue.set_kind(pb::ReissueCertificateRequest::KIND_NAME_CHANGE);
  reissue.set_reason("Un motif");
  EXPECT_THAT(fixture_.Call(fixture_.certificates(),
                            &Certificates::ReissueCertificate, reissue),
              HasReason(Reason::kPersonErased));
  reissue.set_kind(pb::ReissueCertificateRequest::KIND_DUPLICATE);
  ASSERT_OK(fixture_.Call(fixture_.certificates(),
                          &Certificates::ReissueCertificate, reissue));
  EXPECT_EQ(Verify()->SerializeAsString(), before->SerializeAsString());
}

TEST_P(EvaluationPrivacyTest,
       MinutesVerifyAfterAnErasureAndRewrittenOnesDoNot) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  ASSERT_NO_FATAL_FAILURE(Awarded());
  EXPECT_EQ(BrokenAt(), 0);
  fixture_.AdvanceTo(kLater);
  ASSERT_NO_FATAL_FAILURE(Erase("a"));
  EXPECT_EQ(BrokenAt(), 0);
  const std::string where = Cat(" WHERE name = '", decision_, "'");
  const std::string commitment = [&] {
    std::string value;
    EXPECT_OK(fixture_.database().View(
        fixture_.OwnCaller(),
        [&](storage::Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(
              const storage::Rows rows,
              transaction.Query(
                  {.sql = Cat("SELECT reason_commitment FROM decision", where),
                   .values = {}}));
          value = rows.front().Text(0);
          return absl::OkStatus();
        }));
    return value;
  }();
  Tamper(Cat("UPDATE decision SET reason = $1", where), {"Un autre motif"});
  EXPECT_EQ(BrokenAt(), 1);
  Tamper(Cat("UPDATE decision SET reason = ''", where));
  EXPECT_EQ(BrokenAt(), 0);
  Tamper(Cat("UPDATE decision SET reason_commitment = $1", where),
         {crypto::Commitment(crypto::RandomHex(16), "Un autre motif")});
  EXPECT_EQ(BrokenAt(), 1);
  Tamper(Cat("UPDATE decision SET reason_commitment = $1", where),
         {commitment});
  EXPECT_EQ(BrokenAt(), 0);
  Tamper(Cat("UPDATE decision SET outcome = 'AWARDED'", where));
  EXPECT_EQ(BrokenAt(), 1);
}

TEST_P(EvaluationPrivacyTest, ErasureOfAMemberAndReaderTakesTheirNamesOnly) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  ASSERT_NO_FATAL_FAILURE(Awarded());
  ASSERT_THAT(Holds(fixture_.Member(2)), IsEmpty());
  for (const std::string& person :
       {fixture_.Member(2), std::string("bodies/opale/persons/reader")}) {
    ASSERT_OK(ErasePerson(fixture_.store(), fixture_.erasure_log(),
                          fixture_.OwnCaller(),
                          PersonName::FromRecord(person)));
  }
  EXPECT_THAT(WhereStands("Membre 2"), ElementsAre("minutes.text"));
  EXPECT_THAT(WhereStands("Membre 3"), Contains("jury.members"));
  EXPECT_THAT(WhereStands("Lectrice Inventée"), IsEmpty());
  EXPECT_THAT(WhereStands(Cat("jury_member:", fixture_.Member(2))),
              Not(Contains(StartsWith("ownership."))));
  // What was written of the learner is the learner's.
  pb::GetNoteReaderRequest get;
  get.set_name(Cat(note_, "/readers/reader"));
  const auto reader =
      fixture_.Call(fixture_.notes(), &Notes::GetNoteReader, get);
  ASSERT_OK(reader);
  EXPECT_EQ(reader->person_display_name(), "");
  EXPECT_EQ(reader->comments(), kComments);
  EXPECT_EQ(BrokenAt(), 0);
}

TEST_P(EvaluationPrivacyTest, ErasureIsSaidInTheFeedWhenTheFilesAreGone) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  fixture_.AdvanceTo(kLater);
  fixture_.enrolment().Erase(PersonName::FromRecord(PersonOf("a")));
  ASSERT_OK(Synchronise());
  EXPECT_THAT(WhereStands("bodies/opale/erasures/learner-a"), IsEmpty());
  EXPECT_EQ(FilesOnDisk(), 2);
  ASSERT_OK(Finish());
  EXPECT_EQ(FilesOnDisk(), 0);
  EXPECT_THAT(WhereStands("bodies/opale/erasures/learner-a"),
              Contains("change_feed.name"));
}

TEST_P(EvaluationPrivacyTest, ErasingTwiceDoesItOnce) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  fixture_.AdvanceTo(kLater);
  ASSERT_NO_FATAL_FAILURE(Erase("a"));
  const std::string etag = GetNote()->etag();
  ASSERT_NO_FATAL_FAILURE(Erase("a"));
  ASSERT_OK(EraseAgain(fixture_.store(), fixture_.OwnCaller(),
                       PersonName::FromRecord(PersonOf("a"))));
  EXPECT_EQ(GetNote()->etag(), etag);
  EXPECT_THAT(*fixture_.erasure_log().Read(), ElementsAre(PersonOf("a")));
}

TEST_P(EvaluationPrivacyTest, WhoIsNotKnownHereIsErasedToo) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  ASSERT_NO_FATAL_FAILURE(Erase("a"));
  EXPECT_THAT(WhereStands("bodies/opale/erasures/learner-a"),
              Contains("change_feed.name"));
  // What enrolment said before does not come in later.
  EnrolmentFacts late = MakeLearner(fixture_.cohort(), "a");
  late.display_name = kName;
  fixture_.enrolment().Put(late);
  ASSERT_OK(Synchronise());
  EXPECT_THAT(WhereStands(kName), IsEmpty());
  EXPECT_THAT(WhereStands(late.name.text()),
              Contains("roster_entry.enrolment"));
}

TEST_P(EvaluationPrivacyTest, NothingIsWrittenOfAnErasedPersonAnyMore) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  fixture_.AddLearners(2);
  fixture_.AdvanceTo(kLater);
  ASSERT_NO_FATAL_FAILURE(Erase("a"));
  ASSERT_OK(ErasePerson(fixture_.store(), fixture_.erasure_log(),
                        fixture_.OwnCaller(),
                        PersonName::FromRecord(PersonOf("b"))));
  pb::CreateValidationNoteRequest create;
  create.set_parent(fixture_.cohort().text());
  create.mutable_validation_note()->set_enrolment(fixture_.Learner("b").text());
  create.mutable_validation_note()->set_subject("Un sujet");
  EXPECT_THAT(
      fixture_.Call(fixture_.notes(), &Notes::CreateValidationNote, create),
      HasReason(Reason::kPersonErased));
  pb::AssignReaderRequest assign;
  assign.set_parent(note_);
  assign.mutable_reader()->set_person("bodies/opale/persons/other");
  assign.mutable_reader()->set_person_display_name("Lecteur Inventé");
  EXPECT_THAT(fixture_.Call(fixture_.notes(), &Notes::AssignReader, assign),
              HasReason(Reason::kPersonErased));
}

TEST_P(EvaluationPrivacyTest, AJuryGoesOnWithoutACandidateWhoWasErased) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  const auto learners = fixture_.AddLearners(2);
  fixture_.AdvanceTo(kWriting);
  for (const EnrolmentName& learner : learners) {
    fixture_.FinalNote(learner, 17);
  }
  fixture_.AdvanceTo(kJuryDay);
  ASSERT_OK(fixture_.Convene("first", kJuryDay));
  ASSERT_OK(fixture_.Open("first"));
  EXPECT_THAT(Holds(PersonOf("a")), Contains(fixture_.JuryNamed("first")));
  // Only a replay after a restore comes so far.
  ASSERT_NO_FATAL_FAILURE(Erase("a"));
  EXPECT_THAT(
      fixture_.Decide("first", learners[0], pb::Decision::OUTCOME_AWARDED),
      HasReason(Reason::kPersonErased));
  ASSERT_OK(
      fixture_.Decide("first", learners[1], pb::Decision::OUTCOME_AWARDED));
  const auto minutes = fixture_.Close("first");
  ASSERT_OK(minutes);
  EXPECT_THAT(minutes->departed_candidates(), ElementsAre(learners[0].text()));
  EXPECT_EQ(BrokenAt(), 0);
}

TEST_P(EvaluationPrivacyTest, WithoutItsLogNothingIsErased) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  testing::FakeErasureLog no_log;
  no_log.Fail(absl::UnavailableError("the disk is full"));
  EXPECT_EQ(ErasePerson(fixture_.store(), no_log, fixture_.OwnCaller(),
                        PersonName::FromRecord(PersonOf("a")))
                .code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(GetNote()->person_display_name(), kName);
  // The change is not taken as followed.
  fixture_.enrolment().Erase(PersonName::FromRecord(PersonOf("a")));
  EXPECT_FALSE(SynchroniseRoster(fixture_.store(), fixture_.enrolment(), no_log,
                                 fixture_.OwnCaller())
                   .ok());
  ASSERT_OK(Synchronise());
  EXPECT_EQ(GetNote()->person_display_name(), "");
}

TEST_P(EvaluationPrivacyTest, AfterATrimmedFeedErasuresAreReadWhole) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  fixture_.enrolment().Erase(PersonName::FromRecord(PersonOf("a")));
  fixture_.enrolment().TrimFeed();
  ASSERT_OK(Synchronise());
  EXPECT_EQ(GetNote()->person_display_name(), "");
  EXPECT_THAT(ReadNote(), HasReason(Reason::kNotFound));
}

TEST_P(EvaluationPrivacyTest, WhomARestoreBroughtBackIsErasedAgain) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  // The log is kept beside the database: here it names somebody who is there.
  const access::Caller caller = fixture_.OwnCaller();
  ASSERT_OK(fixture_.erasure_log().Append(PersonOf("a"), caller.now));
  int erased = 0;
  const auto again = [&](const std::string& person) {
    ++erased;
    return EraseAgain(fixture_.store(), caller, PersonName::FromRecord(person));
  };
  ASSERT_OK(privacy::ReplayErasures(fixture_.erasure_log(), fixture_.database(),
                                    caller, again));
  EXPECT_EQ(erased, 1);
  EXPECT_EQ(GetNote()->person_display_name(), "");
  ASSERT_OK(privacy::ReplayErasures(fixture_.erasure_log(), fixture_.database(),
                                    caller, again));
  EXPECT_EQ(erased, 1);
}

// Holds.

TEST_P(EvaluationPrivacyTest, HoldsFollowWhatIsUnderWay) {
  EXPECT_THAT(Holds("bodies/opale/persons/nobody"), IsEmpty());
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  const auto learners = fixture_.AddLearners(1);
  ASSERT_OK(Synchronise());
  const std::string person = PersonOf("a");
  fixture_.AdvanceTo(kWriting);
  EXPECT_THAT(Holds(person), IsEmpty());
  fixture_.FinalNote(learners[0], 17);
  EXPECT_THAT(Holds(person), ElementsAre(NoteOf(learners[0]).text()));
  fixture_.AdvanceTo(kJuryDay);
  ASSERT_OK(fixture_.Convene("first", kJuryDay));
  EXPECT_THAT(Holds(fixture_.Member(1)),
              ElementsAre(fixture_.JuryNamed("first")));
  ASSERT_OK(fixture_.Open("first"));
  EXPECT_THAT(Holds(person), ElementsAre(fixture_.JuryNamed("first"),
                                         NoteOf(learners[0]).text()));
  ASSERT_OK(
      fixture_.Decide("first", learners[0], pb::Decision::OUTCOME_REFUSED));
  ASSERT_OK(fixture_.Close("first"));
  EXPECT_THAT(Holds(fixture_.Member(1)), IsEmpty());
  const std::string decision = fixture_.ResultFor(learners[0])->decision();
  fixture_.AdvanceTo(kLastOfAppeal);
  EXPECT_THAT(Holds(person), ElementsAre(decision));
  fixture_.AdvanceTo(kLastOfAppeal + 1);
  EXPECT_THAT(Holds(person), IsEmpty());
}

// Exports.

TEST_P(EvaluationPrivacyTest, AnExportHoldsEverythingAndTheFilesThemselves) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  ASSERT_NO_FATAL_FAILURE(Awarded());
  std::map<std::string, int> kinds;
  std::string said;
  std::map<std::string, std::string> files;
  std::map<std::string, platform::v1::ExportedDocument> documents;
  std::string current;
  for (const auto& piece : Export(PersonOf("a"))) {
    if (piece.has_record()) {
      ++kinds[piece.record().kind()];
      said += piece.record().ShortDebugString();
      said += piece.record().content().DebugString();
      for (const auto& [name, value] : piece.record().content().fields()) {
        said += value.string_value();
      }
    } else if (piece.has_document()) {
      current = piece.document().file_name();
      documents[current] = piece.document();
    } else {
      files[current] += piece.chunk();
    }
  }
  kinds.erase("access");
  EXPECT_EQ(kinds, (std::map<std::string, int>{{"appeal", 1},
                                               {"certificate", 1},
                                               {"decision", 2},
                                               {"noteReader", 1},
                                               {"noteVersion", 2},
                                               {"result", 1},
                                               {"rosterEntry", 1},
                                               {"validationNote", 1}}));
  for (const char* text :
       {kName, kSubject, kReason, kStatement, kAnswer, kComments, kReopening}) {
    EXPECT_THAT(said, HasSubstr(text));
  }
  ASSERT_THAT(files, SizeIs(2));
  const std::string name = "essai-2026-a-002.pdf";
  EXPECT_EQ(files[name], MakePdf(16, "", kName));
  EXPECT_EQ(documents[name].kind(), "VALIDATION_NOTE");
  EXPECT_EQ(documents[name].resource(), Cat(note_, "/versions/002"));
  EXPECT_EQ(documents[name].sha256(), crypto::Sha256Hex(files[name]));
}

TEST_P(EvaluationPrivacyTest, AnExportOfAMemberSaysNothingOfOthers) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  ASSERT_NO_FATAL_FAILURE(Awarded());
  std::map<std::string, int> kinds;
  std::string said;
  for (const auto& piece : Export(fixture_.Member(2))) {
    ASSERT_TRUE(piece.has_record());
    ++kinds[piece.record().kind()];
    said += piece.record().content().DebugString();
  }
  kinds.erase("access");
  EXPECT_EQ(kinds, (std::map<std::string, int>{{"jury", 2}}));
  EXPECT_THAT(said, HasSubstr("Membre 2"));
  EXPECT_THAT(said, Not(HasSubstr("Membre 3")));
  EXPECT_THAT(said, Not(HasSubstr(learner_.text())));
}

TEST_P(EvaluationPrivacyTest, AnExportOfSomebodyErasedHoldsWhatSurvives) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  ASSERT_NO_FATAL_FAILURE(Awarded());
  fixture_.AdvanceTo(kLater);
  ASSERT_NO_FATAL_FAILURE(Erase("a"));
  for (const auto& piece : Export(PersonOf("a"))) {
    EXPECT_FALSE(piece.has_document());
    if (piece.record().kind() == "certificate") continue;
    EXPECT_THAT(piece.ShortDebugString(), Not(HasSubstr("reconnaissable")));
  }
}

TEST_P(EvaluationPrivacyTest, ALearnerExportsThemselvesAndNobodyElse) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  fixture_.AddLearners(2);
  ASSERT_OK(Synchronise());
  fixture_.ActAs(PrincipalOf(type::v1::ROLE_LEARNER, kBody, PersonOf("a")));
  std::map<std::string, int> kinds;
  std::string said;
  for (const auto& piece : Export(PersonOf("a"))) {
    if (piece.has_document()) ++kinds["document"];
    if (!piece.has_record()) continue;
    ++kinds[piece.record().kind()];
    for (const auto& [name, value] : piece.record().content().fields()) {
      said += value.string_value();
    }
    if (piece.record().kind() == "access") {
      EXPECT_FALSE(piece.record().content().fields().contains("subject"));
    }
  }
  kinds.erase("access");
  // What was written of them too, which no other method shows them.
  EXPECT_EQ(kinds, (std::map<std::string, int>{{"appeal", 1},
                                               {"decision", 1},
                                               {"document", 2},
                                               {"noteReader", 1},
                                               {"noteVersion", 2},
                                               {"result", 1},
                                               {"rosterEntry", 1},
                                               {"validationNote", 1}}));
  for (const char* text : {kName, kReason, kComments, kStatement}) {
    EXPECT_THAT(said, HasSubstr(text));
  }
  EXPECT_THAT(TryExport(PersonOf("b")), HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(TryExport(fixture_.Member(2)),
              HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(TryHolds(PersonOf("a")), HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(Plan(), HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(Apply("\"x\""), HasReason(Reason::kPermissionDenied));
}

TEST_P(EvaluationPrivacyTest, WhoMayNotSeeThePersonLearnsNothing) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  for (const access::Principal& refused :
       {PrincipalOf(type::v1::ROLE_COORDINATOR, "bodies/jade"),
        PrincipalOf(type::v1::ROLE_READER, kBody,
                    "bodies/opale/persons/reader"),
        PrincipalOf(type::v1::ROLE_JURY_MEMBER, kBody, fixture_.Member(2))}) {
    fixture_.ActAs(refused);
    EXPECT_THAT(TryExport(PersonOf("a")), HasReason(Reason::kPermissionDenied));
    EXPECT_THAT(TryHolds(PersonOf("a")), HasReason(Reason::kPermissionDenied));
    EXPECT_THAT(Plan(), HasReason(Reason::kPermissionDenied));
    EXPECT_THAT(Apply("\"x\""), HasReason(Reason::kPermissionDenied));
  }
}

TEST_P(EvaluationPrivacyTest, NamesOfNobodyAndOfSomethingElse) {
  ASSERT_OK(fixture_.Put(fixture_.Plan()));
  EXPECT_THAT(Export("bodies/opale/persons/unknown"), IsEmpty());
  EXPECT_THAT(Holds("bodies/opale/persons/unknown"), IsEmpty());
  for (const char* name :
       {"", "bodies/opale", "bodies/opale/persons", "bodies/opale/persons/a/b",
        "persons/a", "bodies/opale/cohorts/c/enrolments/a"}) {
    EXPECT_THAT(TryExport(name), ViolatesField("name")) << name;
    EXPECT_THAT(TryHolds(name), ViolatesField("name")) << name;
  }
  for (const char* parent : {"", "bodies", "bodies/opale/persons/a"}) {
    EXPECT_THAT(PlanOf(parent), ViolatesField("parent")) << parent;
    EXPECT_THAT(ApplyTo(parent, "\"x\""), ViolatesField("parent")) << parent;
  }
  EXPECT_THAT(Apply("\"of another plan\""), HasReason(Reason::kEtagMismatch));
}

// Retention.

TEST_P(EvaluationPrivacyTest, FilesAndAppealsGoWhenTheirTimeIsOver) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  auto plan = Plan();
  ASSERT_OK(plan);
  ASSERT_THAT(plan->classes(), SizeIs(2));
  EXPECT_EQ(plan->classes(0).kind(), "validation_note");
  EXPECT_EQ(plan->classes(0).period_fr(), "5 ans");
  EXPECT_EQ(plan->classes(1).kind(), "appeal");
  const absl::CivilDay due(kJuryDay.year() + 5, kJuryDay.month(),
                           kJuryDay.day());
  fixture_.AdvanceTo(due - 1);
  plan = Plan();
  EXPECT_EQ(plan->classes(0).due_count(), 0);
  EXPECT_EQ(plan->classes(1).due_count(), 0);
  const std::string stale = plan->etag();
  fixture_.AdvanceTo(due);
  EXPECT_THAT(Apply(stale), HasReason(Reason::kEtagMismatch));
  EXPECT_OK(ReadNote());
  plan = Plan();
  EXPECT_THAT(plan->classes(0).resources(), ElementsAre(note_));
  EXPECT_THAT(plan->classes(1).resources(), ElementsAre(appeal_));
  const auto applied = Apply(plan->etag());
  ASSERT_OK(applied);
  EXPECT_EQ(applied->etag(), plan->etag());

  EXPECT_THAT(ReadNote(), HasReason(Reason::kNotFound));
  EXPECT_THAT(WhereStands(kLateness), SizeIs(1));
  pb::GetAppealRequest get;
  get.set_name(appeal_);
  const auto appeal =
      fixture_.Call(fixture_.results(), &Results::GetAppeal, get);
  ASSERT_OK(appeal);
  EXPECT_EQ(appeal->statement(), "");
  EXPECT_EQ(appeal->answer(), "");
  EXPECT_EQ(appeal->state(), pb::Appeal::STATE_DISMISSED);
  ASSERT_OK(documents::CollectExpiredUploads(
      fixture_.database(), fixture_.upload_store(), fixture_.OwnCaller()));
  EXPECT_EQ(FilesOnDisk(), 0);
  // The person and the note are still there.
  EXPECT_EQ(GetNote()->person_display_name(), kName);
  plan = Plan();
  EXPECT_EQ(plan->classes(0).due_count(), 0);
  EXPECT_EQ(plan->classes(1).due_count(), 0);
}

TEST_P(EvaluationPrivacyTest, FilesStayWhileAnAppealWaits) {
  ASSERT_NO_FATAL_FAILURE(LearnerWithAPast());
  Tamper("UPDATE appeal SET state = 'LODGED', answer_time = NULL");
  fixture_.AdvanceTo(absl::CivilDay(2033, 1, 1));
  const auto plan = Plan();
  ASSERT_OK(plan);
  EXPECT_EQ(plan->classes(0).due_count(), 0);
  EXPECT_EQ(plan->classes(1).due_count(), 0);
}

// Rows from before.

constexpr char kRowsOfBefore[] = R"sql(
INSERT INTO result (name, body, version, create_time, update_time, enrolment,
    person, person_display_name, outcome, decision, certificate, proclaim_time)
  VALUES ('bodies/o/cohorts/c/results/a', 'bodies/o', 1, 0, 0,
    'bodies/o/cohorts/c/enrolments/a', 'bodies/o/persons/learner-a', 'A',
    'REFUSED', 'bodies/o/cohorts/c/juries/j/decisions/a', '', 0);
INSERT INTO roster_entry (name, body, version, create_time, update_time,
    enrolment, person, display_name, payer_kind, funder_id, has_measures, state)
  VALUES ('bodies/o/cohorts/c/rosterEntries/b', 'bodies/o', 1, 0, 0,
    'bodies/o/cohorts/c/enrolments/b', 'bodies/o/persons/b', 'B', 'INDIVIDUAL',
    '', 0, 'COMPLETED');
INSERT INTO decision (name, body, version, create_time, update_time, enrolment,
    outcome, reason, reason_salt, deciding_members, corrects, corrected_by,
    decide_time)
  VALUES ('bodies/o/cohorts/c/juries/j/decisions/a', 'bodies/o', 1, 0, 0,
    'bodies/o/cohorts/c/enrolments/a', 'REFUSED', 'A', 'sel', '[]', '', '', 0);
INSERT INTO decision (name, body, version, create_time, update_time, enrolment,
    outcome, reason, reason_salt, deciding_members, corrects, corrected_by,
    decide_time)
  VALUES ('bodies/o/cohorts/c/juries/k/decisions/b', 'bodies/o', 1, 0, 0,
    'bodies/o/cohorts/c/enrolments/b', 'DEFERRED', 'B', 'sel', '[]', '', '', 0);
INSERT INTO appeal (name, body, version, create_time, update_time, decision,
    ground, statement, state, answer, answered_by, enrolment)
  VALUES ('bodies/o/cohorts/c/appeals/x', 'bodies/o', 1, 0, 0,
    'bodies/o/cohorts/c/juries/j/decisions/a', 'MATERIAL_ERROR', 'A', 'LODGED',
    '', '', 'bodies/o/cohorts/c/enrolments/a');
INSERT INTO validation_note (name, body, version, create_time, update_time,
    enrolment, person, person_display_name, state, subject, subject_remarks,
    subject_decider, version_count, final_version, adaptation, reopen_reason)
  VALUES ('bodies/o/cohorts/c/validationNotes/a', 'bodies/o', 1, 0, 0,
    'bodies/o/cohorts/c/enrolments/a', 'bodies/o/persons/learner-a', 'A',
    'FINAL', 'S', '', '', 1, 1, 'null', '');
INSERT INTO note_reader (name, body, version, create_time, update_time, person,
    person_display_name, reported, comments)
  VALUES ('bodies/o/cohorts/c/validationNotes/a/readers/some-reader',
    'bodies/o', 1, 0, 0, 'bodies/o/persons/some-reader', 'R', 1, 'A')
)sql";

class PrivacyMigrationTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  PrivacyMigrationTest() : files_(GetParam()) {
    caller_.principal.subject = "tester";
    caller_.now = absl::FromUnixSeconds(1'800'000'000);
  }

  testing::TestDatabase files_;
  access::Caller caller_{.scope = access::Scope::Installation()};
};

TEST_P(PrivacyMigrationTest, RowsOfBeforeLearnWhoseTheyAre) {
  constexpr int kPrivacy = 102;
  const std::vector<storage::Migration> now = AllMigrations();
  std::vector<storage::Migration> before = now;
  std::erase_if(before, [](const storage::Migration& migration) {
    return migration.number == kPrivacy;
  });
  ASSERT_EQ(before.size() + 1, now.size());
  {
    const auto database = files_.Open(before);
    ASSERT_OK(database->Transact(
        caller_,
        [&](storage::Transaction& transaction)
            -> absl::StatusOr<storage::Outcome> {
          for (const auto sql : absl::StrSplit(kRowsOfBefore, ';')) {
            transaction.Write({.sql = std::string(sql), .values = {}}, 1);
          }
          return storage::Outcome{};
        }));
  }
  const auto database = files_.Open(now);
  SqlEvaluationStore store(*database);
  const auto learner = PersonName::FromRecord("bodies/o/persons/learner-a");
  const auto other = PersonName::FromRecord("bodies/o/persons/b");
  ASSERT_OK(store.View(caller_, [&](EvaluationUnit& unit) -> absl::Status {
    const auto record = unit.RecordOf(caller_.scope, learner);
    EXPECT_OK(record);
    EXPECT_THAT(record->decisions, SizeIs(1));
    EXPECT_THAT(record->appeals, SizeIs(1));
    EXPECT_THAT(record->reports, SizeIs(1));
    EXPECT_THAT(record->notes, SizeIs(1));
    const auto examined = unit.RecordOf(caller_.scope, other);
    EXPECT_OK(examined);
    EXPECT_THAT(examined->decisions, SizeIs(1));
    return absl::OkStatus();
  }));
  ASSERT_OK(EraseAgain(store, caller_, learner));
  for (const char* column : {"appeal.statement", "note_reader.comments",
                             "result.person_display_name"}) {
    EXPECT_THAT(testing::WhereStands(*database, "A"), Not(Contains(column)));
  }
  EXPECT_THAT(testing::WhereStands(*database, "B"),
              Contains("decision.reason"));
}

INSTANTIATE_TEST_SUITE_P(Engines, PrivacyMigrationTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

INSTANTIATE_TEST_SUITE_P(Engines, EvaluationPrivacyTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

}  // namespace
}  // namespace parcours::evaluation
