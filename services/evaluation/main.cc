// evaluationd: assessment plans, validation notes, juries, results and
// certificates. The only place where the layers of the service meet.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/documents/inspect.h"
#include "common/documents/pdf_uploads.h"
#include "common/documents/upload_repository.h"
#include "common/documents/upload_service.h"
#include "common/documents/upload_store.h"
#include "common/platform/daemon.h"
#include "common/privacy/erasure.h"
#include "common/privacy/erasure_log.h"
#include "common/privacy/personal_data_work.h"
#include "common/privacy/privacy_rpc.h"
#include "common/status/macros.h"
#include "common/storage/sealing_of_before.h"
#include "services/evaluation/domain/erasure_use_cases.h"
#include "services/evaluation/domain/roster_use_cases.h"
#include "services/evaluation/rpc/assessment_plan_rpc.h"
#include "services/evaluation/rpc/certificate_rpc.h"
#include "services/evaluation/rpc/enrolment_client.h"
#include "services/evaluation/rpc/evaluation_personal_data.h"
#include "services/evaluation/rpc/jury_rpc.h"
#include "services/evaluation/rpc/result_rpc.h"
#include "services/evaluation/rpc/roster_rpc.h"
#include "services/evaluation/rpc/scheduling_client.h"
#include "services/evaluation/rpc/validation_note_rpc.h"
#include "services/evaluation/store/migrations.h"
#include "services/evaluation/store/sql_evaluation_store.h"
#include "services/evaluation/store/stored_note_files.h"
#include "services/evaluation/store/tables.h"

namespace parcours::evaluation {
namespace {

// Files that nothing took, the roster, which follows enrolment, and so do
// erasures.
class EvaluationDueWork final : public platform::DueWork {
 public:
  EvaluationDueWork(platform::Platform& platform, EvaluationStore& store,
                    EnrolmentPort& enrolments,
                    const documents::UploadStore& uploads,
                    privacy::ErasureLog& erasure_log, platform::FeedLag& lag)
      : platform_(platform),
        store_(store),
        enrolments_(enrolments),
        uploads_(uploads),
        erasure_log_(erasure_log),
        lag_(lag),
        personal_data_(
            {privacy::FinishingErasures(
                 platform.database(), platform.flags().database_url, &uploads),
             privacy::Sealing({platform.database(), PartsOfBefore()}),
             privacy::WrappingAnew(platform.database(),
                                   platform.person_secrets(), &uploads)}) {}

  // Nothing here is decided by the passing of time.
  absl::StatusOr<absl::Time> NextDue(absl::Time) override {
    return absl::InfiniteFuture();
  }

  absl::StatusOr<int> RunDue(
      absl::Time now, const std::optional<access::JobLease>& lease) override {
    access::Caller caller = platform_.OwnCaller("CollectUploads", lease);
    caller.now = now;
    RETURN_IF_ERROR(
        documents::CollectExpiredUploads(platform_.database(), uploads_, caller)
            .status());
    return 0;
  }

  absl::Status FollowFeeds(
      const std::optional<access::JobLease>& lease) override {
    const absl::Status followed =
        SynchroniseRoster(store_, enrolments_, erasure_log_,
                          platform_.OwnCaller("FollowEnrolment", lease))
            .status();
    if (followed.ok()) lag_.Level();
    // Whether or not enrolment answers.
    personal_data_.Run(
        [&] { return platform_.OwnCaller("PersonalData", lease); });
    return followed;
  }

 private:
  platform::Platform& platform_;
  EvaluationStore& store_;
  EnrolmentPort& enrolments_;
  const documents::UploadStore& uploads_;
  privacy::ErasureLog& erasure_log_;
  platform::FeedLag& lag_;
  privacy::PersonalDataWork personal_data_;
};

class Evaluationd final : public platform::Application {
 public:
  Evaluationd(platform::Platform& platform,
              std::unique_ptr<documents::UploadStore> uploads)
      : uploads_(std::move(uploads)),
        erasure_log_(platform.flags().erasure_log_file),
        files_(platform.database(), *uploads_,
               {.program = platform.flags().documents_inspector}),
        store_(platform.database()),
        lag_(platform.feed_metrics().Following("enrolment")),
        enrolments_(
            platform.ChannelTo("enrolment", platform.flags().enrolment_address,
                               {"parcours.enrolment.v1.EnrolmentService",
                                "parcours.enrolment.v1.ErasureService",
                                "parcours.platform.v1.ChangeFeedService"}),
            [this](int64_t changes) { lag_.Behind(changes); }),
        scheduling_(platform.ChannelTo(
            "scheduling", platform.flags().scheduling_address,
            {"parcours.scheduling.v1.AttendanceService"})),
        due_work_(platform, store_, enrolments_, *uploads_, erasure_log_, lag_),
        dependencies_{.store = store_,
                      .enrolments = enrolments_,
                      .scheduling = &scheduling_,
                      .files = files_,
                      .erasure_log = erasure_log_,
                      .rules = platform.rules(),
                      .page_tokens = platform.page_tokens(),
                      .feed_token =
                          [&platform](int64_t position) {
                            return platform.FeedToken(position);
                          }},
        assessment_plan_rpc_(platform.shell(), dependencies_),
        validation_note_rpc_(platform.shell(), dependencies_),
        jury_rpc_(platform.shell(), dependencies_),
        result_rpc_(platform.shell(), dependencies_),
        certificate_rpc_(platform.shell(), dependencies_),
        roster_rpc_(platform.shell(), dependencies_),
        personal_data_(dependencies_),
        privacy_rpc_(platform.shell(), platform.database(), personal_data_),
        upload_rpc_(platform.shell(), platform.database(), *uploads_,
                    documents::PdfUploads(
                        {.program = platform.flags().documents_inspector})) {}

  // After a restore: erases again whom the log names.
  absl::Status ReplayErasures(platform::Platform& platform) {
    constexpr char kJob[] = "ReplayErasures";
    return privacy::ReplayErasures(
        erasure_log_, platform.database(), platform.OwnCaller(kJob),
        [&](const std::string& person) {
          return EraseAgain(store_, platform.OwnCaller(kJob),
                            PersonName::FromRecord(person));
        });
  }

  std::vector<rpc::AnyService*> services() override {
    return {&assessment_plan_rpc_, &validation_note_rpc_, &jury_rpc_,
            &result_rpc_,          &certificate_rpc_,     &roster_rpc_,
            &upload_rpc_,          &privacy_rpc_};
  }
  platform::DueWork& due_work() override { return due_work_; }

 private:
  const std::unique_ptr<documents::UploadStore> uploads_;
  privacy::FileErasureLog erasure_log_;
  StoredNoteFiles files_;
  SqlEvaluationStore store_;
  platform::FeedLag& lag_;
  EnrolmentClient enrolments_;
  SchedulingClient scheduling_;
  EvaluationDueWork due_work_;
  const Dependencies dependencies_;
  AssessmentPlanRpc assessment_plan_rpc_;
  ValidationNoteRpc validation_note_rpc_;
  JuryRpc jury_rpc_;
  ResultRpc result_rpc_;
  CertificateRpc certificate_rpc_;
  RosterRpc roster_rpc_;
  EvaluationPersonalData personal_data_;
  privacy::PrivacyRpc privacy_rpc_;
  documents::UploadRpc upload_rpc_;
};

absl::StatusOr<std::unique_ptr<platform::Application>> Compose(
    platform::Platform& platform) {
  RETURN_IF_ERROR(platform.rules().Require({"certification.appeal"}));
  RETURN_IF_ERROR(platform.rules().RequirePeriods(
      {"retention.appeal", "retention.validation_note"}));
  ASSIGN_OR_RETURN(std::unique_ptr<documents::UploadStore> uploads,
                   documents::UploadStore::Open(
                       {.directory = platform.flags().upload_dir,
                        .key_file = platform.flags().upload_key_file}));
  auto evaluationd =
      std::make_unique<Evaluationd>(platform, std::move(uploads));
  RETURN_IF_ERROR(evaluationd->ReplayErasures(platform));
  return evaluationd;
}

}  // namespace
}  // namespace parcours::evaluation

int main(int argc, char** argv) {
  return parcours::platform::RunDaemon(
      {.defaults = {.service = "evaluation",
                    .listen_address = "127.0.0.1:50053",
                    .description =
                        "Validation notes, juries, results and certificates."},
       .migrations = parcours::evaluation::AllMigrations(),
       .submissions =
           {"parcours.evaluation.v1.ValidationNoteService/SubmitNoteVersion"},
       .compose = parcours::evaluation::Compose},
      argc, argv);
}
