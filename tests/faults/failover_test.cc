// The primary of PostgreSQL is killed under a load of applications, and its
// standby promoted: what was acknowledged is there, once.

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/documents/upload_repository.h"
#include "common/storage/database.h"
#include "common/storage/postgresql_session.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/postgresql_cluster.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/enrolment/store/migrations.h"
#include "tests/integration/enrolment_client.h"

namespace parcours::integration {
namespace {

using ::testing::AnyOf;

constexpr int kApplications = 48;
constexpr int kBefore = 8;
constexpr int kClients = 4;
constexpr absl::Duration kPatience = absl::Seconds(90);

// As a client does who knows nothing but the request that it repeats.
absl::StatusOr<pb::Application> SubmitUntilAnswered(
    const EnrolmentClient& client,
    const pb::SubmitApplicationRequest& request) {
  const absl::Time limit = absl::Now() + kPatience;
  while (true) {
    auto answer = client.Submit(request, absl::Seconds(10));
    if (answer.ok() || absl::Now() > limit) return answer;
    EXPECT_THAT(answer.status().code(),
                AnyOf(absl::StatusCode::kUnavailable,
                      absl::StatusCode::kDeadlineExceeded))
        << answer.status();
    absl::SleepFor(absl::Milliseconds(50));
  }
}

bool BecomesServing(testing::DaemonFixture& process, testing::Serving wanted) {
  const absl::Time limit = absl::Now() + kPatience;
  while (process.Health("") != wanted) {
    if (absl::Now() > limit) return false;
    absl::SleepFor(absl::Milliseconds(20));
  }
  return true;
}

TEST(FailoverTest, NothingAcknowledgedIsLostAndNothingIsThereTwice) {
  testing::PostgresqlPair servers;
  {
    auto session = storage::PostgresqlSession::Connect(
        servers.Url("postgres"), "", absl::Now() + absl::Seconds(10));
    ASSERT_OK(session);
    ASSERT_OK((*session)->RunScript("CREATE DATABASE enrolment"));
  }
  const std::string url = servers.Url("enrolment");
  ASSERT_OK(storage::Database::Migrate(
      {.url = url, .create_as_simulation = true},
      documents::WithUploadMigrations(enrolment::Migrations())));
  testing::DaemonFixture process(
      PARCOURS_ENROLMENTD,
      {Cat("--database_url=", url),
       "--documents_inspector=" PARCOURS_DOCUMENTS_INSPECTOR, "--simulation",
       "--simulation_start=2025-09-02T09:00:00+02:00"});
  process.Start();
  const EnrolmentClient client(process.Connect());
  ASSERT_OK(client.CreateAll());
  const auto requests = client.CompleteFiles(1, kApplications);
  ASSERT_OK(requests);

  std::vector<absl::StatusOr<pb::Application>> answers(
      requests->size(), absl::UnknownError("not sent"));
  std::atomic<std::size_t> next = 0;
  std::atomic<int> acknowledged = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      const EnrolmentClient own(process.Connect());
      for (std::size_t n = next++; n < requests->size(); n = next++) {
        answers[n] = SubmitUntilAnswered(own, (*requests)[n]);
        ++acknowledged;
      }
    });
  }
  while (acknowledged < kBefore) absl::SleepFor(absl::Milliseconds(1));
  servers.KillPrimary();
  // A load balancer sends nobody here, and nobody restarts what is well.
  EXPECT_TRUE(BecomesServing(process, testing::Serving::kNotServing));
  EXPECT_EQ(process.Health("liveness"), testing::Serving::kServing);
  EXPECT_EQ(process.Health("parcours.enrolment.v1.ApplicationService"),
            testing::Serving::kNotServing);
  const auto away = client.GetCohort();
  EXPECT_THAT(away, HasReason(Reason::kDatabaseUnavailable));
  EXPECT_LT(acknowledged, kApplications);
  servers.PromoteStandby();
  for (std::thread& thread : clients) thread.join();
  EXPECT_TRUE(BecomesServing(process, testing::Serving::kServing));

  const auto listed = client.ListApplications();
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), requests->size());
  int held = 0;
  std::set<std::string> people;
  for (std::size_t i = 0; i < listed->size(); ++i) {
    const pb::Application& one = (*listed)[i];
    EXPECT_EQ(one.rank(), static_cast<int64_t>(i) + 1);
    EXPECT_TRUE(people.insert(one.candidate().email()).second);
    held += one.place_state() == pb::PLACE_STATE_HELD ? 1 : 0;
  }
  EXPECT_EQ(held, client.File().cohort().capacity());
  for (const auto& answer : answers) {
    ASSERT_OK(answer);
    const auto found = std::find_if(listed->begin(), listed->end(),
                                    [&](const pb::Application& one) {
                                      return one.name() == answer->name();
                                    });
    ASSERT_NE(found, listed->end()) << "acknowledged and lost";
    EXPECT_EQ(found->rank(), answer->rank());
    EXPECT_EQ(found->place_state(), answer->place_state());
  }
  // The feed goes on on the new primary, and tells each once.
  const auto feed = client.ApplicationsOfFeed(listed->size());
  ASSERT_OK(feed);
  std::vector<std::string> ranked;
  for (const pb::Application& one : *listed) ranked.push_back(one.name());
  EXPECT_EQ(*feed, ranked);
}

}  // namespace
}  // namespace parcours::integration
