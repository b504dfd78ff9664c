#include "common/privacy/personal_data_work.h"

#include <memory>
#include <utility>

#include "common/privacy/erasure.h"
#include "common/status/macros.h"
#include "common/storage/sqlite_database.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"

namespace parcours::privacy {
namespace {

constexpr absl::Duration kQuiet = absl::Minutes(1);

// Written anew within a second or two.
constexpr int64_t kMostBytes = int64_t{256} << 20;

absl::Status OverwriteRemains(const std::string& database_url,
                              absl::Time deadline) {
  ASSIGN_OR_RETURN(
      const bool rewritten,
      storage::RewriteSqliteFile(database_url, kMostBytes, deadline));
  if (!rewritten) {
    telemetry::Log(telemetry::LogLevel::kWarning,
                   "somebody was erased from a large file: VACUUM it",
                   {{"most_bytes", kMostBytes}});
  }
  return absl::OkStatus();
}

}  // namespace

PersonalDataStep FinishingErasures(storage::Database& database,
                                   const std::string& database_url,
                                   const documents::UploadStore* uploads) {
  return {
      .name = "finishing erasures",
      .run = [&database, database_url, uploads](
                 const access::Caller& caller) -> absl::StatusOr<StepEnd> {
        const auto overwrite = [&] {
          return database.engine() == storage::Engine::kSqlite
                     ? OverwriteRemains(database_url, caller.deadline)
                     : absl::OkStatus();
        };
        RETURN_IF_ERROR(FinishErasures(database, uploads, caller, overwrite));
        return StepEnd::kForNow;
      }};
}

PersonalDataStep Sealing(storage::SealingOfBefore sealing) {
  const auto shared =
      std::make_shared<storage::SealingOfBefore>(std::move(sealing));
  return {
      .name = "sealing",
      .run = [shared](const access::Caller& caller) -> absl::StatusOr<StepEnd> {
        ASSIGN_OR_RETURN(const bool more, shared->Step(caller));
        return more ? StepEnd::kForNow : StepEnd::kForGood;
      }};
}

PersonalDataStep WrappingAnew(storage::Database& database,
                              const storage::PersonSecrets& secrets,
                              const documents::UploadStore* uploads) {
  return {.name = "wrapping keys anew",
          .run = [&database, &secrets, uploads](
                     const access::Caller& caller) -> absl::StatusOr<StepEnd> {
            RETURN_IF_ERROR(RewrapAll(database, secrets, uploads, caller));
            return StepEnd::kForNow;
          }};
}

PersonalDataWork::PersonalDataWork(std::vector<PersonalDataStep> steps,
                                   std::function<absl::Time()> now)
    : now_(std::move(now)) {
  states_.reserve(steps.size());
  for (PersonalDataStep& step : steps) {
    states_.push_back({.step = std::move(step)});
  }
}

void PersonalDataWork::Run(absl::FunctionRef<access::Caller()> caller) {
  const std::lock_guard lock(mutex_);
  for (State& state : states_) {
    if (state.ended) continue;
    const absl::StatusOr<StepEnd> end = state.step.run(caller());
    if (end.ok()) {
      state.ended = *end == StepEnd::kForGood;
      continue;
    }
    const absl::Time now = now_();
    if (now < state.quiet_until) continue;
    state.quiet_until = now + kQuiet;
    telemetry::Log(telemetry::LogLevel::kWarning, "work on persons' data waits",
                   {{"work", std::string_view(state.step.name)},
                    {"error", StdView(end.status().message())}});
  }
}

}  // namespace parcours::privacy
