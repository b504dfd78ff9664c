#ifndef PARCOURS_SERVICES_EVALUATION_TESTING_EVALUATION_FIXTURE_H_
#define PARCOURS_SERVICES_EVALUATION_TESTING_EVALUATION_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/access/caller.h"
#include "common/documents/upload_service.h"
#include "common/privacy/erasure_log.h"
#include "common/privacy/privacy_rpc.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/page_token.h"
#include "common/rules/rule_book.h"
#include "common/testing/database_fixture.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/temp_dir.h"
#include "parcours/evaluation/v1/assessment_plan.grpc.pb.h"
#include "parcours/evaluation/v1/certificate.grpc.pb.h"
#include "parcours/evaluation/v1/jury.grpc.pb.h"
#include "parcours/evaluation/v1/result.grpc.pb.h"
#include "parcours/evaluation/v1/roster.grpc.pb.h"
#include "parcours/evaluation/v1/validation_note.grpc.pb.h"
#include "parcours/platform/v1/privacy.grpc.pb.h"
#include "services/evaluation/rpc/assessment_plan_rpc.h"
#include "services/evaluation/rpc/certificate_rpc.h"
#include "services/evaluation/rpc/evaluation_personal_data.h"
#include "services/evaluation/rpc/jury_rpc.h"
#include "services/evaluation/rpc/result_rpc.h"
#include "services/evaluation/rpc/roster_rpc.h"
#include "services/evaluation/rpc/validation_note_rpc.h"
#include "services/evaluation/store/sql_evaluation_store.h"
#include "services/evaluation/store/stored_note_files.h"
#include "services/evaluation/testing/fake_ports.h"

namespace parcours::evaluation {

// The service on a database of one engine, over a real gRPC connection, with an
// enrolment service in memory. Business time begins on 2 March 2026.
class EvaluationFixture {
 public:
  explicit EvaluationFixture(storage::Engine engine,
                             SchedulingPort* scheduling = nullptr);
  ~EvaluationFixture();

  FakeEnrolment& enrolment() { return enrolment_; }
  const documents::UploadStore& upload_store() const { return *upload_store_; }
  privacy::FileErasureLog& erasure_log() { return erasure_log_; }
  const rules::RuleBook& rules() const { return rules_; }
  // The service's own work at business time.
  access::Caller OwnCaller();
  EvaluationStore& store() { return *store_; }
  storage::Database& database() { return *database_; }
  const CohortName& cohort() const { return cohort_; }

  // Whoever calls from now on; at first the administrator of all bodies.
  void ActAs(access::Principal principal) { principal_ = std::move(principal); }

  // Business time goes to the morning of `day`.
  void AdvanceTo(absl::CivilDay day);

  // Calls a method: Call(fixture.juries(), &pb::JuryService::Stub::GetJury,
  // request).
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(
      Stub& stub,
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) {
    grpc::ClientContext context;
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }

  // A plan as the programme of 2026 has it: notes of 15 to 20 pages written
  // from June to December, a jury of three in January, delegated.
  pb::AssessmentPlan Plan() const;
  absl::StatusOr<pb::AssessmentPlan> Put(const pb::AssessmentPlan& plan);

  // Adds learners "a", "b", … who have completed.
  std::vector<EnrolmentName> AddLearners(int count);
  EnrolmentName Learner(const std::string& id) const;

  // A complete upload of these bytes; its name.
  std::string Upload(const std::string& bytes);
  absl::StatusOr<std::string> TryUpload(
      const std::string& bytes,
      const std::string& content_type = "application/pdf");

  // A note with an approved subject; its name.
  std::string ApprovedNote(const EnrolmentName& enrolment);
  absl::StatusOr<pb::NoteVersion> Submit(const std::string& note, int pages,
                                         bool final);
  // A final note of that many pages.
  void FinalNote(const EnrolmentName& enrolment, int pages);

  // A jury of five, all present unless told, opened on the day it is convened.
  absl::StatusOr<pb::Jury> Convene(const std::string& id, absl::CivilDay day);
  absl::StatusOr<pb::Jury> Open(const std::string& id, int present = 5);
  absl::StatusOr<pb::Decision> Decide(const std::string& jury,
                                      const EnrolmentName& enrolment,
                                      pb::Decision::Outcome outcome,
                                      const std::string& corrects = "");
  absl::StatusOr<pb::Minutes> Close(const std::string& jury);

  std::string JuryNamed(const std::string& id) const;
  std::string Member(int number) const;
  absl::StatusOr<pb::Result> ResultFor(const EnrolmentName& enrolment);
  absl::StatusOr<pb::Certificate> CertificateFor(
      const EnrolmentName& enrolment);

  pb::AssessmentPlanService::Stub& plans() { return *plans_; }
  pb::ValidationNoteService::Stub& notes() { return *notes_; }
  pb::JuryService::Stub& juries() { return *juries_; }
  pb::ResultService::Stub& results() { return *results_; }
  pb::CertificateService::Stub& certificates() { return *certificates_; }
  pb::RosterService::Stub& roster() { return *roster_; }
  platform::v1::UploadService::Stub& uploads() { return *uploads_; }
  platform::v1::PrivacyService::Stub& privacy() { return *privacy_; }

 private:
  const CohortName cohort_ =
      CohortName::FromRecord("bodies/opale/cohorts/essai-2026");
  testing::TempDir folder_;
  privacy::FileErasureLog erasure_log_{folder_.File("erasures.log")};
  testing::TestDatabase test_database_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<documents::UploadStore> upload_store_;
  std::unique_ptr<SqlEvaluationStore> store_;
  std::unique_ptr<StoredNoteFiles> files_;
  rules::RuleBook rules_;
  rpc::PageTokens page_tokens_{"a key that only tests know"};
  FakeEnrolment enrolment_;
  std::unique_ptr<EvaluationPersonalData> personal_data_;
  access::Principal principal_;
  RpcFixture rpc_{[this](rpc::ShellOptions& options) {
    options.identify = [this](const auto&) {
      return absl::StatusOr<access::Principal>(principal_);
    };
  }};
  std::vector<std::unique_ptr<rpc::AnyService>> services_;
  std::unique_ptr<pb::AssessmentPlanService::Stub> plans_;
  std::unique_ptr<pb::ValidationNoteService::Stub> notes_;
  std::unique_ptr<pb::JuryService::Stub> juries_;
  std::unique_ptr<pb::ResultService::Stub> results_;
  std::unique_ptr<pb::CertificateService::Stub> certificates_;
  std::unique_ptr<pb::RosterService::Stub> roster_;
  std::unique_ptr<platform::v1::UploadService::Stub> uploads_;
  std::unique_ptr<platform::v1::PrivacyService::Stub> privacy_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_TESTING_EVALUATION_FIXTURE_H_
