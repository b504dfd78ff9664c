#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/database.h"
#include "common/storage/job_lease.h"
#include "common/testing/database_fixture.h"
#include "common/testing/session_faults.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::SessionFaults;
using ::parcours::testing::TestDatabase;

constexpr Migration kMigrations[] = {
    {100, "counter",
     "CREATE TABLE counter (name {key_text} PRIMARY KEY, n BIGINT NOT NULL);"
     "INSERT INTO counter (name, n) VALUES ('a', 0);"}};

class TransactTest : public ::testing::TestWithParam<Engine> {
 protected:
  TransactTest() : files_(GetParam()) {
    files_.options().decorate_session = faults_.Decorator();
  }

  void Open() { database_ = files_.Open(kMigrations); }

  static access::Caller CallerFor(const std::string& request_id = "",
                                  const std::string& digest = "d") {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "tester";
    caller.method = "Test/Increment";
    caller.request_id = request_id;
    caller.request_digest = request_id.empty() ? "" : digest;
    caller.deadline = absl::Now() + absl::Seconds(30);
    caller.now = absl::FromUnixSeconds(1'800'000'000);
    return caller;
  }

  // Locks the row, adds one, records the change; its version is the sum.
  static absl::StatusOr<Outcome> Increment(Transaction& transaction) {
    ASSIGN_OR_RETURN(
        const Rows rows,
        transaction.Query(
            {"SELECT n FROM counter WHERE name = $1 {for_update}", {"a"}}));
    const int64_t n = rows.at(0).Integer(0) + 1;
    transaction.Write({"UPDATE counter SET n = $2 WHERE name = $1", {"a", n}});
    transaction.Record({"counter", "a", n, "Increment", {}, {"all"}});
    return Outcome{"a", n};
  }
  // The same without a question: everything in one round trip.
  static absl::StatusOr<Outcome> BlindIncrement(Transaction& transaction) {
    transaction.Write({"UPDATE counter SET n = n + 1 WHERE name = $1", {"a"}});
    return Outcome{"a", 1};
  }

  int64_t Count() {
    int64_t count = -1;
    EXPECT_OK(database_->View(
        CallerFor(), [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(const Rows rows,
                           transaction.Query({"SELECT n FROM counter", {}}));
          count = rows.at(0).Integer(0);
          return absl::OkStatus();
        }));
    return count;
  }

  // "<subject> <method> <action> <body> <resources> <request id>" of each entry
  // of the audit trail, the line ends of the resources as bars.
  std::vector<std::string> Audited() {
    std::vector<std::string> entries;
    EXPECT_OK(database_->View(
        CallerFor(), [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(
              const Rows rows,
              transaction.Query({"SELECT subject, method, action, body, "
                                 "resources, request_id, business_time "
                                 "FROM audit_entry ORDER BY insertion",
                                 {}}));
          for (const Row& row : rows) {
            std::string resources = row.Text(4);
            std::replace(resources.begin(), resources.end(), '\n', '|');
            entries.push_back(Cat(row.Text(0), " ", row.Text(1), " ",
                                  row.Text(2), " ", row.Text(3), " ", resources,
                                  " ", row.Text(5)));
            EXPECT_EQ(row.Integer(6), absl::ToUnixMicros(CallerFor().now));
          }
          return absl::OkStatus();
        }));
    return entries;
  }

  SessionFaults faults_;
  TestDatabase files_;
  std::unique_ptr<Database> database_;
};

using Strings = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(Engines, TransactTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(TransactTest, CommitsWhatTheBodyWroteAndAnnouncesIt) {
  Open();
  std::vector<std::string> announced;
  database_->AddCommitListener([&](absl::Span<const Change> changes) {
    for (const Change& change : changes) announced.push_back(change.name);
  });
  const auto outcome = database_->Transact(CallerFor(), Increment);
  ASSERT_OK(outcome);
  EXPECT_EQ(outcome->version, 1);
  EXPECT_FALSE(outcome->replayed);
  EXPECT_EQ(Count(), 1);
  EXPECT_EQ(announced, std::vector<std::string>{"a"});
}

TEST_P(TransactTest, ARefusalLeavesNothingAndIsNotRemembered) {
  Open();
  int announced = 0;
  database_->AddCommitListener([&](auto) { ++announced; });
  const auto refused = database_->Transact(
      CallerFor("r1"), [](Transaction& transaction) -> absl::StatusOr<Outcome> {
        RETURN_IF_ERROR(Increment(transaction).status());
        RETURN_IF_ERROR(
            transaction.Query({"SELECT n FROM counter", {}}).status());
        return MakeError(Reason::kNotFound, {{"resource", "x"}});
      });
  EXPECT_THAT(refused, HasReason(Reason::kNotFound));
  EXPECT_EQ(Count(), 0);
  EXPECT_EQ(announced, 0);
  EXPECT_OK(database_->Transact(CallerFor("r1"), Increment));
  EXPECT_EQ(Count(), 1);
}

TEST_P(TransactTest, ARepeatedRequestReturnsTheFirstOutcome) {
  Open();
  ASSERT_OK(database_->Transact(CallerFor("r1"), Increment));
  ASSERT_OK(database_->Transact(CallerFor("r2"), Increment));
  for (auto body : {Increment, BlindIncrement}) {
    const auto again = database_->Transact(CallerFor("r1"), body);
    ASSERT_OK(again);
    EXPECT_TRUE(again->replayed);
    EXPECT_EQ(again->name, "a");
    EXPECT_EQ(again->version, 1);
  }
  EXPECT_EQ(Count(), 2);
}

TEST_P(TransactTest, AnotherRequestUnderTheSameIdIsRefused) {
  Open();
  ASSERT_OK(database_->Transact(CallerFor("r1", "d1"), Increment));
  EXPECT_THAT(database_->Transact(CallerFor("r1", "d2"), Increment),
              HasReason(Reason::kRequestIdReused));
  EXPECT_EQ(Count(), 1);
}

TEST_P(TransactTest, TheSameIdOfAnotherCallerOrMethodIsAnotherRequest) {
  Open();
  ASSERT_OK(database_->Transact(CallerFor("r1"), Increment));
  access::Caller other = CallerFor("r1");
  other.principal.subject = "somebody-else";
  ASSERT_OK(database_->Transact(other, Increment));
  other.method = "Test/Other";
  ASSERT_OK(database_->Transact(other, Increment));
  EXPECT_EQ(Count(), 3);
}

TEST_P(TransactTest, ConcurrentRepetitionsHaveOneEffect) {
  Open();
  for (int round = 0; round < 20; ++round) {
    const std::string id = "r" + std::to_string(round);
    std::atomic<int> replayed = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] {
        const auto outcome = database_->Transact(
            CallerFor(id), i == 0 ? BlindIncrement : Increment);
        EXPECT_OK(outcome);
        if (outcome.ok() && outcome->replayed) ++replayed;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(replayed, 2);
    EXPECT_EQ(Count(), round + 1);
  }
}

// The one that waited finds the effect of the first, and would refuse.
TEST_P(TransactTest, ARepetitionThatFindsItsOwnEffectIsAReplay) {
  Open();
  const auto only_once = [](Transaction& t) -> absl::StatusOr<Outcome> {
    ASSIGN_OR_RETURN(Outcome outcome, Increment(t));
    if (outcome.version > 1) return MakeError(Reason::kAlreadyExists);
    return outcome;
  };
  absl::Notification locked;
  absl::Notification go;
  std::thread first([&] {
    EXPECT_OK(database_->Transact(CallerFor("r1"), [&](Transaction& t) {
      auto outcome = only_once(t);
      if (!locked.HasBeenNotified()) locked.Notify();
      go.WaitForNotification();
      return outcome;
    }));
  });
  locked.WaitForNotification();
  std::thread second([&] {
    const auto outcome = database_->Transact(CallerFor("r1"), only_once);
    EXPECT_OK(outcome);
    EXPECT_TRUE(outcome.ok() && outcome->replayed);
  });
  // On SQLite the second's transaction begins only once the first has ended.
  bool waits = GetParam() == Engine::kSqlite;
  while (!waits) {
    ASSERT_OK(database_->View(CallerFor(), [&](Transaction& t) -> absl::Status {
      ASSIGN_OR_RETURN(const Rows rows,
                       t.Query({"SELECT 1 FROM pg_stat_activity WHERE "
                                "datname = current_database() AND "
                                "wait_event_type = 'Lock'",
                                {}}));
      waits = !rows.empty();
      return absl::OkStatus();
    }));
  }
  go.Notify();
  first.join();
  second.join();
  EXPECT_EQ(Count(), 1);
}

TEST_P(TransactTest, WritersOfOneRowLoseNothing) {
  Open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 25; ++j) {
        EXPECT_OK(database_->Transact(CallerFor(), Increment));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count(), 200);
}

TEST_P(TransactTest, AGuardedWriteThatMissesRunsAgainAndThenConflicts) {
  Open();
  int runs = 0;
  const auto conflict = database_->Transact(
      CallerFor(), [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
        ++runs;
        transaction.Write(
            {"UPDATE counter SET n = n + 1 WHERE name = 'a'", {}});
        transaction.Write({"UPDATE counter SET n = 7 WHERE name = 'none'", {}},
                          1);
        return Outcome{};
      });
  EXPECT_THAT(conflict, HasReason(Reason::kConflict));
  EXPECT_GT(runs, 1);
  EXPECT_EQ(Count(), 0);
}

TEST_P(TransactTest, AfterATakenKeyTheBodyLooksAgain) {
  Open();
  int runs = 0;
  const auto refused = database_->Transact(
      CallerFor(), [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
        // Sees the row of another only the second time.
        if (++runs > 1) return MakeError(Reason::kEtagMismatch);
        transaction.Write(
            {"INSERT INTO counter (name, n) VALUES ($1, 0)", {"a"}});
        return Outcome{};
      });
  EXPECT_THAT(refused, HasReason(Reason::kEtagMismatch));
  EXPECT_EQ(runs, 2);
}

TEST_P(TransactTest, ABodyThatGoesOnAfterAFailureDoesNotCommit) {
  Open();
  const auto failed = database_->Transact(
      CallerFor(), [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
        RETURN_IF_ERROR(BlindIncrement(transaction).status());
        EXPECT_FALSE(transaction.Query({"SELECT x FROM nowhere", {}}).ok());
        return Outcome{};
      });
  EXPECT_THAT(failed, StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(Count(), 0);
}

TEST_P(TransactTest, AViewCannotWrite) {
  Open();
  const absl::Status status =
      database_->View(CallerFor(), [](Transaction& transaction) {
        transaction.Write({"UPDATE counter SET n = 1", {}});
        return transaction.Query({"SELECT 1", {}}).status();
      });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(Count(), 0);
}

TEST_P(TransactTest, AViewReadsOneSnapshot) {
  Open();
  EXPECT_OK(
      database_->View(CallerFor(), [&](Transaction& view) -> absl::Status {
        ASSIGN_OR_RETURN(const Rows before,
                         view.Query({"SELECT n FROM counter", {}}));
        EXPECT_OK(database_->Transact(CallerFor(), Increment));
        ASSIGN_OR_RETURN(const Rows after,
                         view.Query({"SELECT n FROM counter", {}}));
        EXPECT_EQ(before.at(0).Integer(0), after.at(0).Integer(0));
        return absl::OkStatus();
      }));
  EXPECT_EQ(Count(), 1);
}

TEST_P(TransactTest, ASessionLostBeforeCommitIsReplacedAndTheBodyRunsAgain) {
  Open();
  faults_.Inject(SessionFaults::kLoseAtOnce);
  EXPECT_OK(database_->Transact(CallerFor(), Increment));
  EXPECT_EQ(faults_.lost(), 1);
  EXPECT_EQ(Count(), 1);
}

TEST_P(TransactTest, CommitInDoubtIsResolvedByTheRequestId) {
  for (const auto moment :
       {SessionFaults::kLoseBeforeCommit, SessionFaults::kLoseAfterCommit}) {
    for (auto body : {Increment, BlindIncrement}) {
      Open();
      const int64_t before = Count();
      const int lost = faults_.lost();
      int announced = 0;
      database_->AddCommitListener([&](auto) { ++announced; });
      faults_.Inject(moment);
      const auto outcome =
          database_->Transact(CallerFor("r" + std::to_string(before)), body);
      ASSERT_OK(outcome);
      // Found again, it is not what the last run of `body` has left.
      EXPECT_EQ(outcome->replayed, moment == SessionFaults::kLoseAfterCommit);
      EXPECT_EQ(faults_.lost(), lost + 1);
      EXPECT_EQ(Count(), before + 1);
      EXPECT_EQ(announced, body == Increment ? 1 : 0);
      database_.reset();
    }
  }
}

TEST_P(TransactTest, CommitInDoubtWithoutRequestIdIsSaid) {
  Open();
  faults_.Inject(SessionFaults::kLoseAfterCommit);
  EXPECT_THAT(database_->Transact(CallerFor(), Increment),
              HasReason(Reason::kCommitInDoubt));
  EXPECT_EQ(Count(), 1);
  faults_.Inject(SessionFaults::kLoseBeforeCommit);
  EXPECT_THAT(database_->Transact(CallerFor(), Increment),
              HasReason(Reason::kCommitInDoubt));
  EXPECT_EQ(Count(), 1);
}

TEST_P(TransactTest, ADatabaseThatStaysAwayIsUnavailableWithATimeToRetry) {
  Open();
  faults_.Inject(SessionFaults::kLoseAtOnce, 1000);
  const auto outcome = database_->Transact(CallerFor(), Increment);
  EXPECT_THAT(outcome, HasReason(Reason::kDatabaseUnavailable));
  EXPECT_TRUE(outcome.status().GetPayload(AbslView(kRetryInfoUrl)).has_value());
  faults_.Inject(SessionFaults::kLoseAtOnce, 0);
  EXPECT_OK(database_->Ping(absl::Now() + absl::Seconds(5)));
}

TEST_P(TransactTest, NobodyWaitsBeyondTheDeadline) {
  Open();
  absl::Notification locked;
  absl::Notification release;
  std::thread holder([&] {
    EXPECT_OK(database_->Transact(CallerFor(), [&](Transaction& transaction) {
      auto outcome = Increment(transaction);
      locked.Notify();
      release.WaitForNotification();
      return outcome;
    }));
  });
  locked.WaitForNotification();
  access::Caller caller = CallerFor();
  const absl::Time start = absl::Now();
  caller.deadline = start + absl::Milliseconds(150);
  EXPECT_THAT(database_->Transact(caller, Increment),
              HasReason(Reason::kDeadlineExceeded));
  EXPECT_LT(absl::Now() - start, absl::Milliseconds(1500));
  release.Notify();
  holder.join();
  EXPECT_OK(database_->Transact(CallerFor(), Increment));
  EXPECT_EQ(Count(), 2);
}

TEST_P(TransactTest, MoreThanMayWaitAreRefusedAsOverload) {
  files_.options().pool_size = 1;
  files_.options().maximum_waiting = 0;
  Open();
  absl::Notification locked;
  absl::Notification release;
  std::thread holder([&] {
    EXPECT_OK(database_->Transact(CallerFor(), [&](Transaction& transaction) {
      locked.Notify();
      release.WaitForNotification();
      return Increment(transaction);
    }));
  });
  locked.WaitForNotification();
  const auto refused = database_->Transact(CallerFor(), Increment);
  EXPECT_THAT(refused, HasReason(Reason::kOverloaded));
  EXPECT_TRUE(refused.status().GetPayload(AbslView(kRetryInfoUrl)).has_value());
  release.Notify();
  holder.join();
  EXPECT_EQ(Count(), 1);
}

TEST_P(TransactTest, AChangeLeavesAnAuditEntryOfWhoDidWhatToWhat) {
  Open();
  ASSERT_OK(database_->Transact(
      CallerFor("r1"), [](Transaction& t) -> absl::StatusOr<Outcome> {
        RETURN_IF_ERROR(Increment(t).status());
        t.Record(
            {.kind = "thing", .name = "bodies/opale/things/1", .version = 1});
        t.Record(
            {.kind = "thing", .name = "bodies/opale/things/1", .version = 2});
        t.Record(
            {.kind = "thing", .name = "bodies/opale/things/2", .version = 5});
        return Outcome{"a", 1};
      }));
  EXPECT_EQ(Audited(),
            (Strings{"tester Test/Increment CHANGE  |a 1| r1",
                     "tester Test/Increment CHANGE bodies/opale "
                     "|bodies/opale/things/1 2|bodies/opale/things/2 5| r1"}));
}

TEST_P(TransactTest, WhatIsUndoneOrReplayedLeavesNoAuditEntry) {
  Open();
  EXPECT_THAT(
      database_->Transact(CallerFor("r1"),
                          [](Transaction& t) -> absl::StatusOr<Outcome> {
                            RETURN_IF_ERROR(Increment(t).status());
                            return MakeError(Reason::kEtagMismatch);
                          }),
      HasReason(Reason::kEtagMismatch));
  EXPECT_FALSE(database_
                   ->Transact(CallerFor("r1"),
                              [](Transaction& t) -> absl::StatusOr<Outcome> {
                                auto outcome = Increment(t);
                                t.Write({"INSERT INTO nowhere VALUES (1)", {}});
                                return outcome;
                              })
                   .ok());
  EXPECT_EQ(Audited(), Strings{});
  for (auto body : {Increment, BlindIncrement, Increment}) {
    ASSERT_OK(database_->Transact(CallerFor("r1"), body));
  }
  EXPECT_EQ(Audited(), Strings{"tester Test/Increment CHANGE  |a 1| r1"});
}

TEST_P(TransactTest, AChangeWhoseCommitWasInDoubtLeavesOneAuditEntry) {
  Open();
  int expected = 0;
  for (const auto moment :
       {SessionFaults::kLoseBeforeCommit, SessionFaults::kLoseAfterCommit}) {
    for (auto body : {Increment, BlindIncrement}) {
      faults_.Inject(moment);
      ASSERT_OK(database_->Transact(CallerFor(Cat("r", expected)), body));
      EXPECT_EQ(Audited().size(), static_cast<std::size_t>(++expected));
    }
  }
}

TEST_P(TransactTest, ACallThatWritesOutsideTheFeedIsAuditedAndAJobIsNot) {
  Open();
  ASSERT_OK(database_->Transact(CallerFor(), BlindIncrement));
  access::Caller job = CallerFor();
  job.method = "PlaceDeadline";
  ASSERT_OK(database_->Transact(job, BlindIncrement));
  ASSERT_OK(database_->Transact(CallerFor(),
                                [](Transaction&) -> absl::StatusOr<Outcome> {
                                  return Outcome{"nothing", 1};
                                }));
  ASSERT_OK(database_->Transact(job, Increment));
  EXPECT_EQ(Audited(), (Strings{"tester Test/Increment CHANGE  |a 1| ",
                                "tester PlaceDeadline CHANGE  |a 3| "}));
}

// Counts what goes to the engine together.
class CountingSession final : public Session {
 public:
  CountingSession(std::unique_ptr<Session> session, std::atomic<int>& batches)
      : session_(std::move(session)), batches_(batches) {}
  Engine engine() const override { return session_->engine(); }
  absl::StatusOr<std::vector<Result>> Run(
      absl::Span<const Statement> statements, absl::Time deadline) override {
    ++batches_;
    return session_->Run(statements, deadline);
  }
  absl::Status RunScript(std::string_view sql) override {
    return session_->RunScript(sql);
  }
  bool usable() const override { return session_->usable(); }
  bool in_transaction() const override { return session_->in_transaction(); }

 private:
  const std::unique_ptr<Session> session_;
  std::atomic<int>& batches_;
};

TEST_P(TransactTest, FeedAuditAndRequestIdCostNoRoundTripOfTheirOwn) {
  std::atomic<int> batches = 0;
  files_.options().decorate_session = [&](std::unique_ptr<Session> session) {
    return std::make_unique<CountingSession>(std::move(session), batches);
  };
  Open();
  batches = 0;
  ASSERT_OK(database_->Transact(CallerFor("r1"), Increment));
  // One to lock and look, one for everything else.
  EXPECT_EQ(batches, 2);
  EXPECT_EQ(Audited().size(), 1u);
  database_.reset();
}

TEST_P(TransactTest, TheCheckOfALeaseCostsNoRoundTrip) {
  std::atomic<int> batches = 0;
  files_.options().decorate_session = [&](std::unique_ptr<Session> session) {
    return std::make_unique<CountingSession>(std::move(session), batches);
  };
  Open();
  ASSERT_OK(database_->Transact(
      CallerFor(), [](Transaction& transaction) -> absl::StatusOr<Outcome> {
        transaction.Write(
            {"INSERT INTO job_lease (job, holder, fencing, expire_time) "
             "VALUES ('sweep', 'x', 7, 0)",
             {}});
        return Outcome{};
      }));
  access::Caller caller = CallerFor();
  caller.lease = access::JobLease{"sweep", 7};
  batches = 0;
  ASSERT_OK(database_->Transact(caller, BlindIncrement));
  EXPECT_EQ(batches, 1);
  ASSERT_OK(database_->Transact(caller, Increment));
  EXPECT_EQ(batches, 3);
  // One that was lost fails in the batch that would commit, and is not tried
  // again.
  caller.lease->fencing = 6;
  batches = 0;
  EXPECT_TRUE(
      IsLeaseLost(database_->Transact(caller, BlindIncrement).status()));
  EXPECT_LE(batches, 2) << "the batch and its undoing";
  EXPECT_EQ(Count(), 2);
  database_.reset();
}

// The server ends sessions, as it does when it restarts.
class PostgresqlTransactTest : public TransactTest {
 protected:
  absl::Status EndOthers(Transaction& transaction) {
    return transaction
        .Query({"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = $1",
                {"client backend"}})
        .status();
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, PostgresqlTransactTest,
                         ::testing::Values(Engine::kPostgresql), EngineName());

// A lock that is not released in time ends the wait on the server too, which is
// told how long the call has.
TEST_P(PostgresqlTransactTest, AStatementEndsWithTheDeadlineOfItsCall) {
  Open();
  absl::Notification locked;
  absl::Notification go_on;
  std::thread holder([&] {
    EXPECT_OK(database_->Transact(
        CallerFor(), [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
          RETURN_IF_ERROR(Increment(transaction).status());
          locked.Notify();
          go_on.WaitForNotification();
          return Outcome{};
        }));
  });
  locked.WaitForNotification();
  access::Caller hurried = CallerFor();
  hurried.deadline = absl::Now() + absl::Milliseconds(200);
  EXPECT_THAT(database_->Transact(hurried, Increment),
              HasReason(Reason::kDeadlineExceeded));
  EXPECT_OK(database_->View(
      CallerFor(), [](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(
            const Rows rows,
            transaction.Query({"SELECT 1 FROM pg_stat_activity WHERE datname = "
                               "current_database() AND wait_event_type = $1",
                               {"Lock"}}));
        EXPECT_TRUE(rows.empty()) << "the server goes on waiting";
        return absl::OkStatus();
      }));
  go_on.Notify();
  holder.join();
  EXPECT_EQ(Count(), 1);
}

TEST_P(PostgresqlTransactTest, IdleSessionsThatTheServerEndedAreNotUsed) {
  files_.options().pool_size = 2;
  Open();
  // Two sessions at once, so that one stays idle.
  ASSERT_OK(
      database_->View(CallerFor(), [&](Transaction& view) -> absl::Status {
        EXPECT_OK(database_->Transact(CallerFor(), Increment));
        return EndOthers(view);
      }));
  ASSERT_OK(
      database_->View(CallerFor(), [&](Transaction& view) -> absl::Status {
        RETURN_IF_ERROR(view.Query({"SELECT 1", {}}).status());
        return database_->Transact(CallerFor(), BlindIncrement).status();
      }));
  EXPECT_EQ(Count(), 2);
}

TEST_P(PostgresqlTransactTest, ASessionEndedBetweenReadingAndCommitRunsAgain) {
  Open();
  int runs = 0;
  const auto outcome = database_->Transact(
      CallerFor("r1"),
      [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
        auto made = Increment(transaction);
        if (++runs == 1) {
          EXPECT_OK(database_->View(
              CallerFor(), [&](Transaction& view) { return EndOthers(view); }));
        }
        return made;
      });
  EXPECT_OK(outcome);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Count(), 1);
}

}  // namespace
}  // namespace parcours::storage
