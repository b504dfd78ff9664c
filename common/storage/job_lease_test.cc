#include "common/storage/job_lease.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

using ::parcours::testing::TestDatabase;
using Turn = JobLeases::Turn;

constexpr Migration kMigrations[] = {
    {100, "counter",
     "CREATE TABLE counter (name {key_text} PRIMARY KEY, n BIGINT NOT NULL);"
     "INSERT INTO counter (name, n) VALUES ('a', 0);"}};
constexpr char kJob[] = "sweep";

// The database of several processes, each with leases of its own.
class JobLeaseTest : public ::testing::Test {
 protected:
  JobLeaseTest() : files_(Engine::kPostgresql) {
    database_ = files_.Open(kMigrations);
  }

  std::unique_ptr<JobLeases> Process(
      absl::Duration lease_time = absl::Minutes(1)) {
    return std::make_unique<JobLeases>(
        *database_, JobLeases::Options{.lease_time = lease_time});
  }

  std::optional<Turn> TryTake(JobLeases& leases) {
    auto turn = leases.TryTake(kJob);
    EXPECT_OK(turn);
    return turn.ok() ? *std::move(turn) : std::nullopt;
  }

  static access::Caller CallerUnder(
      const std::optional<access::JobLease>& lease) {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "service:test";
    caller.method = "Sweep";
    caller.lease = lease;
    caller.deadline = absl::Now() + absl::Seconds(30);
    return caller;
  }

  // Adds one, without a question before the commit.
  absl::Status Add(const std::optional<access::JobLease>& lease) {
    return database_
        ->Transact(
            CallerUnder(lease),
            [](Transaction& transaction) -> absl::StatusOr<Outcome> {
              transaction.Write({"UPDATE counter SET n = n + 1", {}});
              transaction.Record({"counter", "a", 1, "Add", {}, {"all"}});
              return Outcome{};
            })
        .status();
  }

  int64_t Number(const std::string& sql) {
    int64_t number = -1;
    EXPECT_OK(database_->View(
        CallerUnder(std::nullopt),
        [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(const Rows rows, transaction.Query({sql, {}}));
          number = rows.at(0).Integer(0);
          return absl::OkStatus();
        }));
    return number;
  }
  int64_t Count() { return Number("SELECT n FROM counter"); }

  // What the passing of time does to a lease that is not renewed.
  void Expire() {
    ASSERT_OK(database_->Transact(
        CallerUnder(std::nullopt),
        [](Transaction& transaction) -> absl::StatusOr<Outcome> {
          transaction.Write({"UPDATE job_lease SET expire_time = 1", {}});
          return Outcome{};
        }));
  }

  TestDatabase files_;
  std::unique_ptr<Database> database_;
};

TEST_F(JobLeaseTest, OneProcessAtATimeHasTheTurn) {
  const auto first = Process();
  const auto second = Process();
  std::optional<Turn> turn = TryTake(*first);
  ASSERT_TRUE(turn.has_value());
  EXPECT_FALSE(TryTake(*second).has_value());
  // Threads of one process share it, and another job is another lease.
  std::optional<Turn> shared = TryTake(*first);
  ASSERT_TRUE(shared.has_value());
  EXPECT_EQ(shared->lease()->fencing, turn->lease()->fencing);
  EXPECT_OK(second->TryTake("another"));
  turn.reset();
  EXPECT_FALSE(TryTake(*second).has_value());
  // With the last turn the lease is given up.
  const int64_t before = shared->lease()->fencing;
  shared.reset();
  turn = TryTake(*second);
  ASSERT_TRUE(turn.has_value());
  EXPECT_GT(turn->lease()->fencing, before);
}

TEST_F(JobLeaseTest, WhoHasLostTheLeaseChangesNothing) {
  const auto first = Process();
  const auto second = Process();
  const std::optional<Turn> paused = TryTake(*first);
  ASSERT_TRUE(paused.has_value());
  ASSERT_OK(Add(paused->lease()));
  Expire();
  // An expired lease that nobody took is as good as new.
  ASSERT_OK(Add(paused->lease()));
  const std::optional<Turn> next = TryTake(*second);
  ASSERT_TRUE(next.has_value());
  EXPECT_GT(next->lease()->fencing, paused->lease()->fencing);
  const absl::Status late = Add(paused->lease());
  EXPECT_TRUE(IsLeaseLost(late)) << late;
  EXPECT_THAT(late, HasReason(Reason::kConflict));
  ASSERT_OK(Add(next->lease()));
  EXPECT_EQ(Count(), 3);
  EXPECT_EQ(Number("SELECT CAST(COUNT(*) AS BIGINT) FROM change_feed"), 3);
}

TEST_F(JobLeaseTest, NobodyTakesTheLeaseFromATransactionThatRuns) {
  const auto first = Process();
  const auto second = Process();
  const std::optional<Turn> holder = TryTake(*first);
  ASSERT_TRUE(holder.has_value());
  absl::Notification begun;
  absl::Notification go_on;
  std::thread slow([&] {
    EXPECT_OK(database_->Transact(
        CallerUnder(holder->lease()),
        [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
          RETURN_IF_ERROR(
              transaction.Query({"SELECT n FROM counter", {}}).status());
          begun.Notify();
          go_on.WaitForNotification();
          transaction.Write({"UPDATE counter SET n = n + 1", {}});
          return Outcome{};
        }));
  });
  begun.WaitForNotification();
  // Its process is paused: the lease passes by.
  std::optional<Turn> next;
  std::thread other([&] {
    auto taken = second->Take(kJob, absl::Now() + absl::Seconds(30));
    EXPECT_OK(taken);
    if (taken.ok()) next = *std::move(taken);
    // What was being written is there by then.
    EXPECT_EQ(Count(), 1);
  });
  // Waits for the lock that the transaction has, or for its turn.
  std::thread expire([&] { Expire(); });
  go_on.Notify();
  slow.join();
  expire.join();
  other.join();
  ASSERT_TRUE(next.has_value());
  EXPECT_TRUE(IsLeaseLost(Add(holder->lease())));
}

TEST_F(JobLeaseTest, ALeaseIsRenewedForAsLongAsATurnIsHad) {
  const auto first = Process(absl::Milliseconds(300));
  const auto second = Process(absl::Milliseconds(300));
  const std::optional<Turn> turn = TryTake(*first);
  ASSERT_TRUE(turn.has_value());
  const int64_t begun = Number("SELECT expire_time FROM job_lease");
  // Another wants it for several times as long as it lasts.
  EXPECT_THAT(second->Take(kJob, absl::Now() + absl::Milliseconds(1200)),
              HasReason(Reason::kDeadlineExceeded));
  EXPECT_GT(Number("SELECT expire_time FROM job_lease"), begun);
  EXPECT_OK(Add(turn->lease()));
}

TEST_F(JobLeaseTest, FencingNumbersLostInAFailOverAreNotGivenAgain) {
  const auto first = Process();
  const std::optional<Turn> turn = TryTake(*first);
  ASSERT_TRUE(turn.has_value());
  // The standby that was promoted had not received it yet.
  ASSERT_OK(database_->Transact(
      CallerUnder(std::nullopt),
      [](Transaction& transaction) -> absl::StatusOr<Outcome> {
        transaction.Write({"DELETE FROM job_lease", {}});
        return Outcome{};
      }));
  EXPECT_TRUE(IsLeaseLost(Add(turn->lease())));
  const auto second = Process();
  const std::optional<Turn> next = TryTake(*second);
  ASSERT_TRUE(next.has_value());
  EXPECT_TRUE(IsLeaseLost(Add(turn->lease())));
}

TEST(SqliteJobLeaseTest, TheOnlyProcessAlwaysHasTheTurn) {
  TestDatabase files(Engine::kSqlite);
  const auto database = files.Open(kMigrations);
  JobLeases leases(*database);
  const auto turn = leases.TryTake(kJob);
  ASSERT_OK(turn);
  ASSERT_TRUE(turn->has_value());
  EXPECT_FALSE((*turn)->lease().has_value());
}

// The check itself is the same SQL on both engines.
TEST(SqliteJobLeaseTest, AStaleLeaseIsRefused) {
  TestDatabase files(Engine::kSqlite);
  const auto database = files.Open(kMigrations);
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.lease = access::JobLease{kJob, 4};
  const auto write = [](Transaction& transaction) -> absl::StatusOr<Outcome> {
    transaction.Write({"UPDATE counter SET n = n + 1", {}});
    return Outcome{};
  };
  EXPECT_TRUE(IsLeaseLost(database->Transact(caller, write).status()));
  const access::Caller anybody{.scope = access::Scope::Installation()};
  ASSERT_OK(database->Transact(
      anybody, [](Transaction& transaction) -> absl::StatusOr<Outcome> {
        transaction.Write(
            {"INSERT INTO job_lease (job, holder, fencing, expire_time) "
             "VALUES ($1, 'x', 4, 0)",
             {kJob}});
        return Outcome{};
      }));
  EXPECT_OK(database->Transact(caller, write).status());
}

}  // namespace
}  // namespace parcours::storage
