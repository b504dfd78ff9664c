#include "common/platform/feed_metrics.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "common/storage/feed.h"

namespace parcours::platform {
namespace {

constexpr absl::Duration kReadTime = absl::Seconds(5);

}  // namespace

FeedLag::FeedLag(telemetry::Metrics& metrics, const std::string& service)
    : changes_(metrics.MakeGauge(
          "parcours_feed_follower_behind_changes",
          "Changes of the service that this process has not applied yet, as "
          "of its last reading.",
          "service", service)),
      seconds_(metrics.MakeGauge(
          "parcours_feed_follower_behind_seconds",
          "Time since this process had applied all changes of the service.",
          "service", service)),
      level_time_(absl::Now()) {}

void FeedLag::Behind(int64_t changes) {
  changes_.Set(static_cast<double>(changes));
}

void FeedLag::Level() {
  changes_.Set(0);
  const std::lock_guard lock(mutex_);
  level_time_ = absl::Now();
}

void FeedLag::Show(absl::Time now) {
  const std::lock_guard lock(mutex_);
  seconds_.Set(
      absl::ToDoubleSeconds(std::max(now - level_time_, absl::ZeroDuration())));
}

FeedMetrics::FeedMetrics(storage::Database& database,
                         telemetry::Metrics& metrics, absl::Duration interval)
    : database_(database),
      metrics_(metrics),
      interval_(interval),
      head_(metrics.MakeGauge("parcours_feed_head_position",
                              "Position of the last change of the feed.")),
      waiting_(metrics.MakeGauge("parcours_feed_unpositioned_changes",
                                 "Committed changes without a position.")),
      waiting_seconds_(metrics.MakeGauge(
          "parcours_feed_unpositioned_seconds",
          "How long the oldest change without a position was seen to wait.")) {}

FeedMetrics::~FeedMetrics() { Stop(); }

FeedLag& FeedMetrics::Following(const std::string& service) {
  lags_.push_back(std::make_unique<FeedLag>(metrics_, service));
  return *lags_.back();
}

void FeedMetrics::Start() {
  thread_ = std::thread([this] { Run(); });
}

void FeedMetrics::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void FeedMetrics::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    Look(absl::Now());
    lock.lock();
    changed_.wait_for(lock, absl::ToChronoMilliseconds(interval_),
                      [this] { return stopping_; });
  }
}

void FeedMetrics::Look(absl::Time now) {
  for (const auto& lag : lags_) lag->Show(now);
  // Without the database the last figures stand, and what waited waits on.
  const absl::StatusOr<storage::FeedBacklog> backlog =
      storage::ReadBacklog(database_, now + kReadTime);
  if (backlog.ok()) {
    head_.Set(static_cast<double>(backlog->head));
    waiting_.Set(static_cast<double>(backlog->count));
    if (std::exchange(oldest_, backlog->oldest) != backlog->oldest) {
      oldest_since_ = now;
    }
  }
  waiting_seconds_.Set(
      oldest_ == 0 ? 0 : absl::ToDoubleSeconds(now - oldest_since_));
}

}  // namespace parcours::platform
