#include "services/evaluation/testing/evaluation_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/documents/pdf_uploads.h"
#include "common/rpc/convert.h"
#include "common/testing/pdf.h"
#include "common/text/view.h"
#include "gtest/gtest.h"
#include "services/evaluation/store/migrations.h"

namespace parcours::evaluation {
namespace {

google::type::Date Month(int year, int month) {
  google::type::Date date;
  date.set_year(year);
  date.set_month(month);
  return date;
}

const char* Variable(const char* name) {
  const char* const value = std::getenv(name);
  EXPECT_NE(value, nullptr) << name;
  return value == nullptr ? "" : value;
}

rules::RuleBook LoadRules() {
  auto rules = rules::RuleBook::Load(Variable("PARCOURS_RULES_FILE"));
  EXPECT_TRUE(rules.ok()) << rules.status();
  return *std::move(rules);
}

}  // namespace

EvaluationFixture::EvaluationFixture(storage::Engine engine,
                                     SchedulingPort* scheduling)
    : test_database_(engine),
      database_(test_database_.Open(AllMigrations())),
      rules_(LoadRules()) {
  principal_.subject = "local-administrator";
  principal_.roles.Add(type::v1::ROLE_ADMINISTRATOR);
  auto uploads = documents::UploadStore::Open(
      {.directory = folder_.File("files"), .key_file = folder_.File("key")});
  EXPECT_TRUE(uploads.ok()) << uploads.status();
  upload_store_ = *std::move(uploads);
  store_ = std::make_unique<SqlEvaluationStore>(*database_);
  files_ = std::make_unique<StoredNoteFiles>(
      *database_, *upload_store_,
      documents::InspectorOptions{
          .program = Variable("PARCOURS_DOCUMENTS_INSPECTOR")});
  const Dependencies dependencies{
      .store = *store_,
      .enrolments = enrolment_,
      .scheduling = scheduling,
      .files = *files_,
      .erasure_log = erasure_log_,
      .rules = rules_,
      .page_tokens = page_tokens_,
      .feed_token = [](int64_t position) { return std::to_string(position); }};
  rpc::Shell& shell = rpc_.shell();
  services_.push_back(std::make_unique<AssessmentPlanRpc>(shell, dependencies));
  services_.push_back(std::make_unique<ValidationNoteRpc>(shell, dependencies));
  services_.push_back(std::make_unique<JuryRpc>(shell, dependencies));
  services_.push_back(std::make_unique<ResultRpc>(shell, dependencies));
  services_.push_back(std::make_unique<CertificateRpc>(shell, dependencies));
  services_.push_back(std::make_unique<RosterRpc>(shell, dependencies));
  services_.push_back(std::make_unique<documents::UploadRpc>(
      shell, *database_, *upload_store_,
      documents::PdfUploads(
          {.program = Variable("PARCOURS_DOCUMENTS_INSPECTOR")})));
  personal_data_ = std::make_unique<EvaluationPersonalData>(dependencies);
  services_.push_back(std::make_unique<privacy::PrivacyRpc>(shell, *database_,
                                                            *personal_data_));
  std::vector<rpc::AnyService*> served;
  for (const auto& service : services_) served.push_back(service.get());
  rpc_.Serve(served);
  plans_ = pb::AssessmentPlanService::NewStub(rpc_.channel());
  notes_ = pb::ValidationNoteService::NewStub(rpc_.channel());
  juries_ = pb::JuryService::NewStub(rpc_.channel());
  results_ = pb::ResultService::NewStub(rpc_.channel());
  certificates_ = pb::CertificateService::NewStub(rpc_.channel());
  roster_ = pb::RosterService::NewStub(rpc_.channel());
  uploads_ = platform::v1::UploadService::NewStub(rpc_.channel());
  privacy_ = platform::v1::PrivacyService::NewStub(rpc_.channel());
}

EvaluationFixture::~EvaluationFixture() { rpc_.StopServing(); }

access::Caller EvaluationFixture::OwnCaller() {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = "service:evaluation";
  caller.method = "Test";
  caller.now = rpc_.clock().Now();
  return caller;
}

void EvaluationFixture::AdvanceTo(absl::CivilDay day) {
  const absl::Time morning = ParisMidnight(day) + absl::Hours(9);
  EXPECT_TRUE(rpc_.clock().AdvanceTo(morning).ok());
}

pb::AssessmentPlan EvaluationFixture::Plan() const {
  pb::AssessmentPlan plan;
  plan.set_name(PlanOf(cohort_).text());
  type::v1::AssessmentOptions& options = *plan.mutable_options();
  options.set_note_required(true);
  options.set_note_min_pages(15);
  options.set_note_max_pages(20);
  options.set_jury_required(true);
  options.set_jury_quorum(3);
  *plan.mutable_calendar()->mutable_writing_start_date() = Month(2026, 6);
  *plan.mutable_calendar()->mutable_writing_end_date() = Month(2026, 12);
  *plan.mutable_calendar()->mutable_jury_date() = Month(2027, 1);
  plan.set_certification_mode(type::v1::CERTIFICATION_MODE_DELEGATED);
  plan.mutable_certification_mandate()->set_reference("Mandat 2026-1");
  *plan.mutable_certification_mandate()->mutable_effective_from() =
      rpc::DateOf(absl::CivilDay(2026, 1, 1));
  plan.set_certificate_title("Certificat d’essai");
  plan.mutable_credit_wording()->set_wording("dispense de l’unité U1");
  plan.set_certifier_display_name("Certificateur d’essai");
  return plan;
}

absl::StatusOr<pb::AssessmentPlan> EvaluationFixture::Put(
    const pb::AssessmentPlan& plan) {
  pb::UpdateAssessmentPlanRequest request;
  *request.mutable_assessment_plan() = plan;
  request.mutable_update_mask()->add_paths("*");
  request.set_allow_missing(true);
  return Call(plans(), &pb::AssessmentPlanService::Stub::UpdateAssessmentPlan,
              request);
}

std::vector<EnrolmentName> EvaluationFixture::AddLearners(int count) {
  std::vector<EnrolmentName> names;
  for (int i = 0; i < count; ++i) {
    const std::string id(1, static_cast<char>('a' + i));
    const EnrolmentFacts facts = MakeLearner(cohort_, id);
    enrolment_.Put(facts);
    names.push_back(facts.name);
  }
  return names;
}

EnrolmentName EvaluationFixture::Learner(const std::string& id) const {
  return ChildName<EnrolmentName>(cohort_, "enrolments", id);
}

std::string EvaluationFixture::Upload(const std::string& bytes) {
  const auto uploaded = TryUpload(bytes);
  EXPECT_TRUE(uploaded.ok()) << uploaded.status();
  return uploaded.value_or("");
}

absl::StatusOr<std::string> EvaluationFixture::TryUpload(
    const std::string& bytes, const std::string& content_type) {
  platform::v1::CreateUploadRequest request;
  request.set_parent(cohort_.body());
  request.mutable_upload()->set_byte_size(static_cast<int64_t>(bytes.size()));
  request.mutable_upload()->set_content_type(content_type);
  const auto created = Call(
      uploads(), &platform::v1::UploadService::Stub::CreateUpload, request);
  if (!created.ok()) return created.status();
  grpc::ClientContext context;
  platform::v1::Upload received;
  const auto writer = uploads().WriteUpload(&context, &received);
  constexpr std::size_t kChunk = 65536;
  for (std::size_t at = 0; at < bytes.size(); at += kChunk) {
    platform::v1::WriteUploadRequest chunk;
    chunk.set_name(created->name());
    chunk.set_write_offset(static_cast<int64_t>(at));
    chunk.set_data(bytes.substr(at, kChunk));
    // What was refused meanwhile is what Finish says.
    if (!writer->Write(chunk)) break;
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  return created->name();
}

std::string EvaluationFixture::ApprovedNote(const EnrolmentName& enrolment) {
  pb::CreateValidationNoteRequest create;
  create.set_parent(cohort_.text());
  create.mutable_validation_note()->set_enrolment(enrolment.text());
  create.mutable_validation_note()->set_subject("Un sujet d’essai");
  const auto note = Call(
      notes(), &pb::ValidationNoteService::Stub::CreateValidationNote, create);
  EXPECT_TRUE(note.ok()) << note.status();
  pb::ApproveSubjectRequest approve;
  approve.set_name(NoteOf(enrolment).text());
  approve.set_decider("Personne Responsable");
  const auto approved =
      Call(notes(), &pb::ValidationNoteService::Stub::ApproveSubject, approve);
  EXPECT_TRUE(approved.ok()) << approved.status();
  return approve.name();
}

absl::StatusOr<pb::NoteVersion> EvaluationFixture::Submit(
    const std::string& note, int pages, bool final) {
  pb::SubmitNoteVersionRequest request;
  request.set_name(note);
  request.set_upload(Upload(MakePdf(pages, "", note)));
  request.set_final(final);
  return Call(notes(), &pb::ValidationNoteService::Stub::SubmitNoteVersion,
              request);
}

void EvaluationFixture::FinalNote(const EnrolmentName& enrolment, int pages) {
  const auto version = Submit(ApprovedNote(enrolment), pages, /*final=*/true);
  EXPECT_TRUE(version.ok()) << version.status();
}

std::string EvaluationFixture::JuryNamed(const std::string& id) const {
  return ChildName<JuryName>(cohort_, "juries", id).text();
}

std::string EvaluationFixture::Member(int number) const {
  return Cat(cohort_.body(), "/persons/member-", number);
}

absl::StatusOr<pb::Jury> EvaluationFixture::Convene(const std::string& id,
                                                    absl::CivilDay day) {
  pb::CreateJuryRequest request;
  request.set_parent(cohort_.text());
  request.set_jury_id(id);
  *request.mutable_jury()->mutable_session_date() = rpc::DateOf(day);
  request.mutable_jury()->set_place("Salle d’essai");
  for (int i = 1; i <= 5; ++i) {
    pb::JuryMember& member = *request.mutable_jury()->add_members();
    member.set_person(Member(i));
    member.set_person_display_name(Cat("Membre ", i));
    member.set_role(i == 1 ? pb::JuryMember::ROLE_PRESIDENT
                           : pb::JuryMember::ROLE_MEMBER);
  }
  return Call(juries(), &pb::JuryService::Stub::CreateJury, request);
}

absl::StatusOr<pb::Jury> EvaluationFixture::Open(const std::string& id,
                                                 int present) {
  pb::OpenJuryRequest request;
  request.set_name(JuryNamed(id));
  for (int i = 1; i <= present; ++i) request.add_present_members(Member(i));
  return Call(juries(), &pb::JuryService::Stub::OpenJury, request);
}

absl::StatusOr<pb::Decision> EvaluationFixture::Decide(
    const std::string& jury, const EnrolmentName& enrolment,
    pb::Decision::Outcome outcome, const std::string& corrects) {
  pb::RecordDecisionRequest request;
  request.set_parent(JuryNamed(jury));
  request.mutable_decision()->set_enrolment(enrolment.text());
  request.mutable_decision()->set_outcome(outcome);
  if (outcome != pb::Decision::OUTCOME_AWARDED) {
    request.mutable_decision()->set_reason("Un motif d’essai");
  }
  request.mutable_decision()->set_corrects(corrects);
  return Call(juries(), &pb::JuryService::Stub::RecordDecision, request);
}

absl::StatusOr<pb::Minutes> EvaluationFixture::Close(const std::string& jury) {
  pb::CloseMinutesRequest request;
  request.set_name(JuryNamed(jury));
  return Call(juries(), &pb::JuryService::Stub::CloseMinutes, request);
}

absl::StatusOr<pb::Result> EvaluationFixture::ResultFor(
    const EnrolmentName& enrolment) {
  pb::GetResultRequest request;
  request.set_name(ResultOf(enrolment).text());
  return Call(results(), &pb::ResultService::Stub::GetResult, request);
}

absl::StatusOr<pb::Certificate> EvaluationFixture::CertificateFor(
    const EnrolmentName& enrolment) {
  const auto result = ResultFor(enrolment);
  if (!result.ok()) return result.status();
  pb::GetCertificateRequest request;
  request.set_name(result->certificate());
  return Call(certificates(), &pb::CertificateService::Stub::GetCertificate,
              request);
}

}  // namespace parcours::evaluation
