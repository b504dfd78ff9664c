#ifndef PARCOURS_COMMON_PLATFORM_FEED_METRICS_H_
#define PARCOURS_COMMON_PLATFORM_FEED_METRICS_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/storage/database.h"
#include "common/telemetry/metrics.h"

namespace parcours::platform {

// How far this process is behind the feed of another service that it follows,
// as parcours_feed_follower_*{service}. Thread-safe.
class FeedLag {
 public:
  FeedLag(telemetry::Metrics& metrics, const std::string& service);

  // So many changes are there to be applied, those of this page among them.
  void Behind(int64_t changes);
  // All that was there has been applied.
  void Level();
  // Shows how long ago that was at `now` (real time).
  void Show(absl::Time now);

 private:
  telemetry::Gauge changes_;
  telemetry::Gauge seconds_;
  std::mutex mutex_;  // guards level_time_
  absl::Time level_time_;
};

// The figures of this database's feed and of the feeds that are followed,
// looked at once in a second. Thread-safe.
class FeedMetrics {
 public:
  // Both outlive this.
  FeedMetrics(storage::Database& database, telemetry::Metrics& metrics,
              absl::Duration interval = absl::Seconds(1));
  // Stops.
  ~FeedMetrics();
  FeedMetrics(const FeedMetrics&) = delete;
  FeedMetrics& operator=(const FeedMetrics&) = delete;

  // The lag behind the feed of `service`; lives as long as this. Before Start.
  FeedLag& Following(const std::string& service);

  void Start();
  void Stop();

  // One look, at the time `now` (real).
  void Look(absl::Time now);

 private:
  void Run();

  storage::Database& database_;
  telemetry::Metrics& metrics_;
  const absl::Duration interval_;
  telemetry::Gauge head_;
  telemetry::Gauge waiting_;
  telemetry::Gauge waiting_seconds_;
  std::vector<std::unique_ptr<FeedLag>> lags_;
  // The oldest change without a position, and since when it is seen.
  int64_t oldest_ = 0;
  absl::Time oldest_since_;

  std::mutex mutex_;  // guards stopping_
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_FEED_METRICS_H_
