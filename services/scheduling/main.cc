// schedulingd: venues, calendars, rosters, attendance and completion records.
// The only place where the layers of the service meet.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/platform/daemon.h"
#include "common/privacy/erasure.h"
#include "common/privacy/erasure_log.h"
#include "common/privacy/personal_data_work.h"
#include "common/privacy/privacy_rpc.h"
#include "common/status/macros.h"
#include "common/storage/sealing_of_before.h"
#include "services/scheduling/domain/erasure_use_cases.h"
#include "services/scheduling/domain/retention.h"
#include "services/scheduling/domain/roster_use_cases.h"
#include "services/scheduling/rpc/attendance_rpc.h"
#include "services/scheduling/rpc/calendar_rpc.h"
#include "services/scheduling/rpc/completion_rpc.h"
#include "services/scheduling/rpc/enrolment_client.h"
#include "services/scheduling/rpc/roster_rpc.h"
#include "services/scheduling/rpc/scheduling_personal_data.h"
#include "services/scheduling/rpc/venue_rpc.h"
#include "services/scheduling/store/migrations.h"
#include "services/scheduling/store/sql_scheduling_store.h"
#include "services/scheduling/store/tables.h"

namespace parcours::scheduling {
namespace {

// Nothing falls due here; the roster follows enrolment, and so do erasures.
class SchedulingDueWork final : public platform::DueWork {
 public:
  // All outlive this.
  SchedulingDueWork(platform::Platform& platform, SchedulingStore& store,
                    EnrolmentPort& enrolment, privacy::ErasureLog& erasure_log,
                    platform::FeedLag& lag)
      : platform_(platform),
        store_(store),
        enrolment_(enrolment),
        erasure_log_(erasure_log),
        lag_(lag),
        personal_data_(
            {privacy::FinishingErasures(platform.database(),
                                        platform.flags().database_url,
                                        /*uploads=*/nullptr),
             privacy::Sealing({platform.database(), PartsOfBefore()}),
             privacy::WrappingAnew(platform.database(),
                                   platform.person_secrets(),
                                   /*uploads=*/nullptr)}) {}

  absl::StatusOr<absl::Time> NextDue(absl::Time) override {
    return absl::InfiniteFuture();
  }
  absl::StatusOr<int> RunDue(absl::Time,
                             const std::optional<access::JobLease>&) override {
    return 0;
  }

  absl::Status FollowFeeds(
      const std::optional<access::JobLease>& lease) override {
    // Whether or not enrolment answers.
    personal_data_.Run(
        [&] { return platform_.OwnCaller("PersonalData", lease); });
    RETURN_IF_ERROR(
        ApplyEnrolmentChanges(store_, enrolment_, erasure_log_,
                              platform_.OwnCaller("FollowEnrolment", lease))
            .status());
    lag_.Level();
    return absl::OkStatus();
  }

 private:
  platform::Platform& platform_;
  SchedulingStore& store_;
  EnrolmentPort& enrolment_;
  privacy::ErasureLog& erasure_log_;
  platform::FeedLag& lag_;
  privacy::PersonalDataWork personal_data_;
};

class Schedulingd final : public platform::Application {
 public:
  explicit Schedulingd(platform::Platform& platform)
      : store_(platform.database()),
        erasure_log_(platform.flags().erasure_log_file),
        lag_(platform.feed_metrics().Following("enrolment")),
        enrolment_(
            platform.ChannelTo("enrolment", platform.flags().enrolment_address,
                               EnrolmentClient::Services()),
            [this](int64_t changes) { lag_.Behind(changes); }),
        due_work_(platform, store_, enrolment_, erasure_log_, lag_),
        dependencies_{.store = store_,
                      .enrolment = enrolment_,
                      .erasure_log = erasure_log_,
                      .rules = platform.rules(),
                      .page_tokens = platform.page_tokens(),
                      .feed_token =
                          [&platform](int64_t position) {
                            return platform.FeedToken(position);
                          }},
        venue_rpc_(platform.shell(), dependencies_),
        calendar_rpc_(platform.shell(), dependencies_),
        attendance_rpc_(platform.shell(), dependencies_),
        roster_rpc_(platform.shell(), dependencies_),
        completion_rpc_(platform.shell(), dependencies_),
        personal_data_(dependencies_),
        privacy_rpc_(platform.shell(), platform.database(), personal_data_) {}

  // Erases again whom a restored copy has brought back.
  absl::Status ReplayErasures(platform::Platform& platform) {
    const access::Caller caller = platform.OwnCaller("ReplayErasures");
    return privacy::ReplayErasures(
        erasure_log_, platform.database(), caller,
        [&](const std::string& person) {
          return EraseAgain(store_, caller, PersonName::FromRecord(person));
        });
  }

  std::vector<rpc::AnyService*> services() override {
    return {&venue_rpc_,  &calendar_rpc_,   &attendance_rpc_,
            &roster_rpc_, &completion_rpc_, &privacy_rpc_};
  }
  platform::DueWork& due_work() override { return due_work_; }

 private:
  SqlSchedulingStore store_;
  privacy::FileErasureLog erasure_log_;
  platform::FeedLag& lag_;
  EnrolmentClient enrolment_;
  SchedulingDueWork due_work_;
  const Dependencies dependencies_;
  VenueRpc venue_rpc_;
  CalendarRpc calendar_rpc_;
  AttendanceRpc attendance_rpc_;
  RosterRpc roster_rpc_;
  CompletionRpc completion_rpc_;
  SchedulingPersonalData personal_data_;
  privacy::PrivacyRpc privacy_rpc_;
};

absl::StatusOr<std::unique_ptr<platform::Application>> Compose(
    platform::Platform& platform) {
  RETURN_IF_ERROR(
      platform.rules().Require({kSigningOpensBefore, kSigningClosesAfter,
                                kLateSignature, kClosingByCoordinator}));
  RETURN_IF_ERROR(platform.rules().RequirePeriods({kCompletionRecordRetention,
                                                   kFundingPiecesRetention,
                                                   kAbsenceReasonRetention}));
  auto schedulingd = std::make_unique<Schedulingd>(platform);
  RETURN_IF_ERROR(schedulingd->ReplayErasures(platform));
  return schedulingd;
}

}  // namespace
}  // namespace parcours::scheduling

int main(int argc, char** argv) {
  const auto migrations = parcours::scheduling::Migrations();
  return parcours::platform::RunDaemon(
      {.defaults = {.service = "scheduling",
                    .listen_address = "127.0.0.1:50052",
                    .description =
                        "Venues, calendars, attendance and completion."},
       .migrations = {migrations.begin(), migrations.end()},
       .compose = parcours::scheduling::Compose},
      argc, argv);
}
