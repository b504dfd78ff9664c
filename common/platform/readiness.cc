#include "common/platform/readiness.h"

#include <utility>

#include "absl/time/clock.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"

namespace parcours::platform {
namespace {

// One may be lost to a session that the database has ended.
constexpr int kFailures = 2;

}  // namespace

Readiness::Readiness(storage::Database& database,
                     std::function<void(bool)> set_ready, Options options)
    : database_(database),
      set_ready_(std::move(set_ready)),
      options_(options),
      thread_([this] { Run(); }) {}

Readiness::~Readiness() {
  stopping_.Notify();
  thread_.join();
}

void Readiness::Run() {
  int failures = 0;
  while (!stopping_.WaitForNotificationWithTimeout(options_.interval)) {
    const absl::Status status = database_.Ping(absl::Now() + options_.patience);
    const bool was_ready = failures < kFailures;
    failures = status.ok() ? 0 : failures + 1;
    const bool ready = failures < kFailures;
    if (ready == was_ready) continue;
    telemetry::Log(
        ready ? telemetry::LogLevel::kInfo : telemetry::LogLevel::kError,
        ready ? "the database is back" : "the database is away",
        {{"error", StdView(status.message())}});
    set_ready_(ready);
  }
}

}  // namespace parcours::platform
