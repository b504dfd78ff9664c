// schedulingd: venues, calendars, rosters, attendance and completion records.
// The only place where the layers of the service meet.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "common/platform/daemon.h"
#include "common/privacy/erasure.h"
#include "common/privacy/erasure_log.h"
#include "common/privacy/privacy_rpc.h"
#include "common/status/macros.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"
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
#include "services/scheduling/store/sealing_of_before.h"
#include "services/scheduling/store/sql_scheduling_store.h"

namespace parcours::scheduling {
namespace {

// What follows an erasure, and what keeps the data of persons sealed: the feed
// says that it is done, what was written before there were keys is sealed, keys
// are wrapped under the current master key. A fault delays that and nothing
// else. Thread-safe.
class PrivacyWork {
 public:
  // `platform` outlives this.
  explicit PrivacyWork(platform::Platform& platform)
      : platform_(platform), sealing_(platform.database()) {}

  void Run(const access::Caller& caller) {
    const std::lock_guard lock(mutex_);
    Note("erasures done here",
         privacy::FinishErasures(platform_.database(), nullptr, caller));
    if (!sealed_) {
      const absl::StatusOr<bool> more = sealing_.Step(caller);
      Note("sealing", more.status());
      sealed_ = more.ok() && !*more;
    }
    if (!wrapped_) {
      const absl::StatusOr<int> found = storage::RewrapPersonKeys(
          platform_.database(), platform_.person_secrets(), caller,
          kKeysPerRound);
      Note("wrapping keys anew", found.status());
      wrapped_ = found.ok() && *found == 0;
    }
  }

 private:
  static constexpr int kKeysPerRound = 500;

  // Once a minute for each thing that goes wrong.
  void Note(const std::string& what, const absl::Status& status) {
    if (status.ok() || absl::Now() < quiet_until_[what]) return;
    quiet_until_[what] = absl::Now() + absl::Minutes(1);
    telemetry::Log(telemetry::LogLevel::kWarning, "work on persons' data waits",
                   {{"work", what}, {"error", StdView(status.message())}});
  }

  platform::Platform& platform_;
  std::mutex mutex_;  // guards all below
  SealingOfBefore sealing_;
  // Nothing is left of either; a process that starts looks again.
  bool sealed_ = false;
  bool wrapped_ = false;
  std::map<std::string, absl::Time> quiet_until_;
};

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
        privacy_(platform) {}

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
    privacy_.Run(platform_.OwnCaller("PersonalData", lease));
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
  PrivacyWork privacy_;
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
  RETURN_IF_ERROR(platform.rules().Require(
      {kSigningOpensBefore, kSigningClosesAfter, kLateSignature,
       kClosingByCoordinator, kCompletionRecordRetention,
       kFundingPiecesRetention, kAbsenceReasonRetention}));
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
