#include "common/platform/feed_metrics.h"

#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "common/storage/sequencer.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::platform {
namespace {

using ::testing::HasSubstr;

TEST(FeedMetricsTest, ShowsHeadAndWhatWaitsAndForHowLong) {
  testing::TestDatabase files(storage::Engine::kSqlite);
  const auto database = files.Open({});
  storage::Sequencer sequencer(*database, {});
  telemetry::Metrics metrics;
  FeedMetrics feed(*database, metrics);
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.deadline = absl::Now() + absl::Seconds(30);
  const auto record = [&] {
    ASSERT_OK(database->Transact(caller, [](storage::Transaction& transaction) {
      transaction.Record({"thing", "a", 1, "Test", {}, {"bodies/opale"}});
      return absl::StatusOr<storage::Outcome>(storage::Outcome{});
    }));
  };
  const absl::Time now = absl::Now();

  record();
  ASSERT_OK(sequencer.RunOnce());
  feed.Look(now);
  EXPECT_THAT(metrics.Text(), HasSubstr("parcours_feed_head_position 1\n"));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("parcours_feed_unpositioned_changes 0\n"));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("parcours_feed_unpositioned_seconds 0\n"));

  record();
  record();
  feed.Look(now + absl::Seconds(10));
  feed.Look(now + absl::Seconds(13));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("parcours_feed_unpositioned_changes 2\n"));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("parcours_feed_unpositioned_seconds 3\n"));

  ASSERT_OK(sequencer.RunOnce());
  feed.Look(now + absl::Seconds(14));
  EXPECT_THAT(metrics.Text(), HasSubstr("parcours_feed_head_position 3\n"));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("parcours_feed_unpositioned_seconds 0\n"));
}

TEST(FeedMetricsTest, AFollowerIsBehindUntilItIsLevel) {
  testing::TestDatabase files(storage::Engine::kSqlite);
  const auto database = files.Open({});
  telemetry::Metrics metrics;
  FeedMetrics feed(*database, metrics);
  FeedLag& lag = feed.Following("enrolment");
  lag.Behind(7);
  feed.Look(absl::Now() + absl::Hours(1));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("parcours_feed_follower_behind_changes{service="
                        "\"enrolment\"} 7\n"));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("parcours_feed_follower_behind_seconds{service="
                        "\"enrolment\"} 3600"));
  lag.Level();
  feed.Look(absl::InfinitePast());
  EXPECT_THAT(metrics.Text(),
              HasSubstr("parcours_feed_follower_behind_changes{service="
                        "\"enrolment\"} 0\n"));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("parcours_feed_follower_behind_seconds{service="
                        "\"enrolment\"} 0\n"));
}

TEST(FeedMetricsTest, LooksByItselfUntilItStops) {
  testing::TestDatabase files(storage::Engine::kSqlite);
  const auto database = files.Open({});
  telemetry::Metrics metrics;
  FeedMetrics feed(*database, metrics, absl::Milliseconds(1));
  FeedLag& lag = feed.Following("enrolment");
  feed.Start();
  for (int i = 0; i < 100; ++i) lag.Behind(i);
  const std::string gauge =
      "parcours_feed_follower_behind_seconds{service=\"enrolment\"} 0.";
  while (metrics.Text().find(gauge) == std::string::npos) {
    std::this_thread::yield();
  }
  feed.Stop();
  feed.Stop();
}

}  // namespace
}  // namespace parcours::platform
