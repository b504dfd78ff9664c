// Two replicas of each service on one PostgreSQL and one Redis: to a client
// they are one service.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/grpc_status.h"
#include "common/storage/postgresql_session.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "parcours/enrolment/v1/api_client.grpc.pb.h"
#include "parcours/evaluation/v1/roster.grpc.pb.h"
#include "parcours/platform/v1/clock.grpc.pb.h"
#include "parcours/scheduling/v1/attendance.grpc.pb.h"
#include "tests/integration/enrolment_client.h"
#include "tests/integration/replicated_system.h"

namespace parcours::integration {
namespace {

using ::testing::ElementsAreArray;

constexpr int kApplications = 60;

template <typename Service, typename Request, typename Response>
absl::StatusOr<Response> Call(
    const std::shared_ptr<grpc::Channel>& channel,
    grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                          Response*),
    const Request& request) {
  const auto stub = Service::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(60)));
  Response response;
  const grpc::Status status =
      (stub.get()->*method)(&context, request, &response);
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  return response;
}

class ReplicasTest : public ::testing::Test {
 protected:
  explicit ReplicasTest(std::vector<std::string> flags = {})
      : system_(std::move(flags)) {
    for (std::size_t i = 0; i < 2; ++i) {
      channels_.push_back(system_.Connect(system_.enrolment(i)));
      clients_.push_back(std::make_unique<EnrolmentClient>(channels_.back()));
    }
    auto session = storage::PostgresqlSession::Connect(
        system_.enrolment_url(), "", absl::Now() + absl::Seconds(10));
    EXPECT_OK(session);
    session_ = *std::move(session);
  }

  storage::Rows Query(const std::string& sql) {
    const storage::Statement statement{sql, {}};
    auto results = session_->Run(absl::MakeConstSpan(&statement, 1),
                                 absl::Now() + absl::Seconds(20));
    EXPECT_OK(results);
    return results.ok() ? std::move((*results)[0].rows) : storage::Rows();
  }

  absl::StatusOr<platform::v1::GetTimeResponse> GetTime(std::size_t replica) {
    return Call<platform::v1::ClockService>(
        channels_[replica], &platform::v1::ClockService::Stub::GetTime,
        platform::v1::GetTimeRequest());
  }
  absl::StatusOr<platform::v1::AdvanceTimeResponse> AdvanceTo(
      std::size_t replica, int64_t seconds) {
    platform::v1::AdvanceTimeRequest request;
    request.mutable_business_time()->set_seconds(seconds);
    return Call<platform::v1::ClockService>(
        channels_[replica], &platform::v1::ClockService::Stub::AdvanceTime,
        request);
  }

  ReplicatedSystem system_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::unique_ptr<EnrolmentClient>> clients_;
  std::unique_ptr<storage::PostgresqlSession> session_;
};

TEST_F(ReplicasTest, AreOneServiceToTheirClients) {
  ASSERT_OK(clients_[0]->CreateAll());
  const int capacity = EnrolmentClient::File().cohort().capacity();
  // Files come in by one, and applications that take them by both.
  const auto requests = clients_[0]->CompleteFiles(1, kApplications);
  ASSERT_OK(requests);
  const std::vector<Submitted> calls = SubmitTogether(channels_, *requests);
  std::vector<std::string> by_rank(calls.size());
  int held = 0;
  for (const Submitted& call : calls) {
    ASSERT_OK(call.status);
    const int64_t rank = call.application.rank();
    ASSERT_GE(rank, 1);
    ASSERT_LE(rank, kApplications);
    std::string& name = by_rank[static_cast<std::size_t>(rank) - 1];
    EXPECT_EQ(name, "") << "two have rank " << rank;
    name = call.application.name();
    held += call.application.place_state() == pb::PLACE_STATE_HELD ? 1 : 0;
  }
  EXPECT_EQ(held, capacity);
  for (const auto& client : clients_) {
    const auto listed = client->ListApplications();
    ASSERT_OK(listed);
    ASSERT_EQ(listed->size(), by_rank.size());
    for (std::size_t i = 0; i < listed->size(); ++i) {
      EXPECT_EQ((*listed)[i].name(), by_rank[i]);
    }
    const auto feed = client->ApplicationsOfFeed(by_rank.size());
    ASSERT_OK(feed);
    EXPECT_THAT(*feed, ElementsAreArray(by_rank));
  }

  // A request that is sent again to the other has no second effect.
  const std::vector<Submitted> again =
      SubmitTogether({channels_[1], channels_[0]}, *requests);
  for (std::size_t i = 0; i < again.size(); ++i) {
    ASSERT_OK(again[i].status);
    EXPECT_EQ(again[i].application.name(), calls[i].application.name());
    EXPECT_EQ(again[i].application.etag(), calls[i].application.etag());
  }
  EXPECT_EQ(Query("SELECT COUNT(*) FROM application")[0].Integer(0),
            kApplications);

  // Tokens of pages and of the feed are both's.
  pb::ListApplicationsRequest list;
  list.set_parent(EnrolmentClient::Cohort());
  list.set_page_size(7);
  std::size_t listed = 0;
  for (std::size_t page = 0; page == 0 || !list.page_token().empty(); ++page) {
    const auto answer = Call<pb::ApplicationService>(
        channels_[page % 2], &pb::ApplicationService::Stub::ListApplications,
        list);
    ASSERT_OK(answer);
    listed += static_cast<std::size_t>(answer->applications_size());
    list.set_page_token(answer->next_page_token());
  }
  EXPECT_EQ(listed, by_rank.size());
  platform::v1::ListChangesRequest changes;
  changes.set_page_size(9);
  std::vector<int64_t> positions;
  for (std::size_t page = 0;; ++page) {
    const auto answer = Call<platform::v1::ChangeFeedService>(
        channels_[page % 2],
        &platform::v1::ChangeFeedService::Stub::ListChanges, changes);
    ASSERT_OK(answer);
    for (const auto& change : answer->changes()) {
      positions.push_back(change.position());
    }
    changes.set_after_token(answer->next_token());
    if (!answer->more()) break;
  }
  for (std::size_t i = 0; i < positions.size(); ++i) {
    EXPECT_EQ(positions[i], static_cast<int64_t>(i) + 1);
  }

  // The followers of the feed share one place in it.
  std::string token;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto scheduling = Call<scheduling::v1::RosterService>(
        system_.Connect(system_.scheduling(i)),
        &scheduling::v1::RosterService::Stub::SynchroniseRoster,
        scheduling::v1::SynchroniseRosterRequest());
    ASSERT_OK(scheduling);
    const auto evaluation = Call<evaluation::v1::RosterService>(
        system_.Connect(system_.evaluation(i)),
        &evaluation::v1::RosterService::Stub::SynchroniseRoster,
        evaluation::v1::SynchroniseRosterRequest());
    ASSERT_OK(evaluation);
    if (i == 0) token = scheduling->feed_token();
    EXPECT_EQ(scheduling->feed_token(), token);
    EXPECT_EQ(evaluation->feed_token(), token);
  }
}

TEST_F(ReplicasTest, ATokenThatOneHasSignedOpensTheOther) {
  ASSERT_OK(clients_[0]->CreateAll());
  pb::CreateApiClientRequest create;
  create.set_parent(EnrolmentClient::Body());
  create.set_api_client_id("chiffres");
  pb::ApiClient& program = *create.mutable_api_client();
  program.set_display_name("Programme fictif");
  program.set_purpose("Lire des chiffres");
  program.mutable_contact()->set_name("Contact Une");
  program.mutable_contact()->set_email("contact.une@example.org");
  program.add_roles(type::v1::ROLE_STEERING_READER);
  program.set_calls_per_minute(600);
  program.mutable_expire_time()->set_seconds(
      absl::ToUnixSeconds(absl::Now() + absl::Hours(24)));
  const auto created = Call<pb::ApiClientService>(
      channels_[0], &pb::ApiClientService::Stub::CreateApiClient, create);
  ASSERT_OK(created);
  pb::AddApiClientSecretRequest add;
  add.set_name(created->name());
  const auto added = Call<pb::ApiClientService>(
      channels_[1], &pb::ApiClientService::Stub::AddApiClientSecret, add);
  ASSERT_OK(added);
  pb::IssueTokenRequest issue;
  issue.set_client(created->name());
  issue.set_secret(added->secret());
  for (std::size_t i = 0; i < 2; ++i) {
    const auto issued =
        Call<pb::TokenService>(system_.enrolment(i).ConnectAs(""),
                               &pb::TokenService::Stub::IssueToken, issue);
    ASSERT_OK(issued);
    EXPECT_OK(
        EnrolmentClient(system_.enrolment(1 - i).ConnectAs(issued->token()))
            .GetProgramme());
  }
}

TEST_F(ReplicasTest, TimeThatOneHasAdvancedIsThatOfTheOther) {
  ASSERT_OK(clients_[0]->CreateAll());
  // Cohorts that begin and end, each at an instant of its own.
  constexpr int kCohorts = 10;
  std::string script =
      "CREATE TEMP TABLE due AS SELECT * FROM cohort;"
      "UPDATE due SET state = 'CONFIRMED';";
  for (int i = 0; i < kCohorts; ++i) {
    CatTo(script, "UPDATE due SET name = 'bodies/opale/cohorts/fictive-", i,
          "', start_date = '2025-09-", 10 + i, "', end_date = '2025-10-",
          10 + i, "'; INSERT INTO cohort SELECT * FROM due;");
  }
  ASSERT_OK(session_->RunScript(script));

  // Both are told at once, again and again; none sees a time before that of the
  // other.
  const auto start = GetTime(0);
  ASSERT_OK(start);
  int decisions = 0;
  for (int step = 1; step <= 10; ++step) {
    const int64_t target = start->business_time().seconds() + step * 5 * 86'400;
    std::vector<absl::StatusOr<platform::v1::AdvanceTimeResponse>> answers(
        2, absl::UnknownError("not called"));
    std::vector<std::thread> callers;
    for (std::size_t i = 0; i < 2; ++i) {
      callers.emplace_back([&, i] { answers[i] = AdvanceTo(i, target); });
    }
    for (std::thread& caller : callers) caller.join();
    for (const auto& answer : answers) {
      ASSERT_OK(answer);
      EXPECT_EQ(answer->business_time().seconds(), target);
      decisions += answer->decision_count();
    }
    ASSERT_OK(AdvanceTo(static_cast<std::size_t>(step) % 2, target + 60));
    const auto other = GetTime(1 - static_cast<std::size_t>(step) % 2);
    ASSERT_OK(other);
    EXPECT_EQ(other->business_time().seconds(), target + 60);
  }
  EXPECT_EQ(decisions, 2 * kCohorts);
  // What the calls were told is what is recorded: once, and at its own time.
  const storage::Rows recorded = Query(
      "SELECT COUNT(*), COUNT(DISTINCT commit_time), "
      "COUNT(DISTINCT (name, version)) FROM change_feed "
      "WHERE cause = 'CohortCalendar'");
  EXPECT_EQ(recorded[0].Integer(0), decisions);
  EXPECT_EQ(recorded[0].Integer(1), decisions);
  EXPECT_EQ(recorded[0].Integer(2), decisions);
}

class BusyReplicasTest : public ReplicasTest {
 protected:
  BusyReplicasTest() : ReplicasTest({"--worker_threads=2"}) {}
};

TEST_F(BusyReplicasTest, ReadsAreAnsweredWhileTheRowOfACohortIsLocked) {
  ASSERT_OK(clients_[0]->CreateAll());
  const auto requests = clients_[0]->CompleteFiles(1, 20);
  ASSERT_OK(requests);
  Query("BEGIN");
  Query("SELECT name FROM cohort FOR UPDATE");
  std::atomic<bool> answered = false;
  std::vector<Submitted> calls;
  std::thread submitting([&] {
    calls = SubmitTogether(channels_, *requests);
    answered = true;
  });
  // They have come to the lock, one of each replica.
  const absl::Time limit = absl::Now() + absl::Seconds(30);
  while (Query("SELECT 1 FROM pg_locks WHERE NOT granted").size() < 2) {
    ASSERT_LT(absl::Now(), limit);
    absl::SleepFor(absl::Milliseconds(5));
  }
  for (const auto& client : clients_) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_OK(client->GetCohort());
      const auto listed = client->ListApplications();
      ASSERT_OK(listed);
      EXPECT_TRUE(listed->empty());
    }
  }
  // Nor do writes elsewhere wait.
  EXPECT_OK(clients_[0]->RenameProgramme("Programme renommé"));
  EXPECT_FALSE(answered);
  Query("ROLLBACK");
  submitting.join();
  for (const Submitted& call : calls) EXPECT_OK(call.status);
}

}  // namespace
}  // namespace parcours::integration
