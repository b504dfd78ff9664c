// Replicas of enrolmentd on one PostgreSQL, in real time: what is due is
// decided once, whoever is killed or paused while it decides.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/storage/database.h"
#include "common/storage/postgresql_session.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/enrolment_client.h"
#include "tests/integration/enrolmentd.h"

namespace parcours::integration {
namespace {

constexpr int kCohorts = 15;
constexpr int kKilled = 128 + 9;
// The check of a lease, in the batch that begins each transaction of a job.
constexpr char kJobBegins[] = "SELECT $1, NULL, 0, 0";

class ReplicaFaultsTest : public ::testing::Test {
 protected:
  ReplicaFaultsTest() : database_(storage::Engine::kPostgresql) {
    database_.options().create_as_local = true;
    PrepareEnrolment(database_);
    auto session = storage::PostgresqlSession::Connect(
        database_.options().url, "", absl::Now() + absl::Seconds(10));
    EXPECT_OK(session);
    session_ = *std::move(session);
  }

  // All on the same secrets, as replicas are.
  testing::DaemonFixture& Replica() {
    std::vector<std::string> flags = {
        Cat("--database_url=", database_.options().url),
        "--documents_inspector=" PARCOURS_DOCUMENTS_INSPECTOR, "--local",
        "--scheduling_address=", "--evaluation_address="};
    if (!replicas_.empty()) {
      testing::DaemonFixture& first = *replicas_.front();
      flags.push_back(Cat("--secret_file=", first.File("secret")));
      flags.push_back(
          Cat("--identity_file=", first.authority().identity_file()));
    }
    replicas_.push_back(std::make_unique<testing::DaemonFixture>(
        PARCOURS_ENROLMENTD_CRASHING, std::move(flags)));
    return *replicas_.back();
  }

  int64_t Number(const std::string& sql) {
    const storage::Statement statement{sql, {}};
    const auto results = session_->Run(absl::MakeConstSpan(&statement, 1),
                                       absl::Now() + absl::Seconds(20));
    EXPECT_OK(results);
    return results.ok() ? (*results)[0].rows.at(0).Integer(0) : -1;
  }

  // Polls; false after a minute.
  static bool Becomes(const std::function<bool()>& condition) {
    const absl::Time limit = absl::Now() + absl::Minutes(1);
    while (!condition()) {
      if (absl::Now() > limit) return false;
      absl::SleepFor(absl::Milliseconds(20));
    }
    return true;
  }

  // Cohorts that are confirmed, and should long have begun and ended: two
  // decisions each.
  void MakeDue() {
    std::string script =
        "CREATE TEMP TABLE due AS SELECT * FROM cohort;"
        "UPDATE due SET state = 'CONFIRMED', start_date = '2020-01-01',"
        " end_date = '2020-02-01';";
    for (int i = 0; i < kCohorts; ++i) {
      CatTo(script, "UPDATE due SET name = 'bodies/opale/cohorts/fictive-", i,
            "'; INSERT INTO cohort SELECT * FROM due;");
    }
    ASSERT_OK(session_->RunScript(script));
  }

  int64_t Ended() {
    return Number("SELECT COUNT(*) FROM cohort WHERE state = 'ENDED'");
  }
  // Every decision was made once, and stands once in the feed and in the audit
  // trail.
  void ExpectDecidedOnce() {
    EXPECT_EQ(Ended(), kCohorts);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM change_feed "
                     "WHERE cause = 'CohortCalendar'"),
              2 * kCohorts);
    EXPECT_EQ(Number("SELECT COUNT(DISTINCT (name, version)) FROM change_feed "
                     "WHERE cause = 'CohortCalendar'"),
              2 * kCohorts);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM audit_entry "
                     "WHERE method = 'CohortCalendar'"),
              2 * kCohorts);
  }
  bool HasHolder() {
    return Number(
               "SELECT COUNT(*) FROM job_lease WHERE job = 'due_work' "
               "AND holder <> ''") == 1;
  }

  testing::TestDatabase database_;
  std::unique_ptr<storage::PostgresqlSession> session_;
  std::vector<std::unique_ptr<testing::DaemonFixture>> replicas_;
};

bool SaysLost(const testing::DaemonFixture& process) {
  return process.log().find("the lease of due work was lost") !=
         std::string::npos;
}

std::vector<std::string> At(testing::DaemonFixture& process,
                            const std::string& moment, const char* signal) {
  return {Cat("PARCOURS_TEST_CRASH_AT=", moment),
          Cat("PARCOURS_TEST_CRASH_MARKER=", process.File("marker")),
          Cat("PARCOURS_TEST_CRASH_SIGNAL=", signal)};
}

TEST_F(ReplicaFaultsTest, AnotherTakesOverFromAHolderThatIsKilled) {
  testing::DaemonFixture& holder = Replica();
  // In the middle of its work, with a transaction open.
  holder.Start(At(holder, "before_commit:UPDATE cohort :7", "KILL"));
  ASSERT_OK(EnrolmentClient(holder.Connect()).CreateAll());
  ASSERT_TRUE(Becomes([&] { return HasHolder(); }));
  Replica().Start();
  Replica().Start();
  MakeDue();
  EXPECT_EQ(holder.Wait(), kKilled);
  EXPECT_LT(Ended(), kCohorts);
  EXPECT_TRUE(Becomes([&] { return Ended() == kCohorts; }));
  ExpectDecidedOnce();
  // Others wait for nobody once a replica ends as it should.
  replicas_[1]->Terminate();
  EXPECT_EQ(replicas_[1]->Wait(), 0);
  EXPECT_TRUE(Becomes([&] { return HasHolder(); }));
}

TEST_F(ReplicaFaultsTest, AHolderThatWasPausedChangesNothingWhenItWakes) {
  testing::DaemonFixture& holder = Replica();
  holder.Start(At(holder, Cat("before_statement:", kJobBegins, ":4"), "STOP"));
  ASSERT_OK(EnrolmentClient(holder.Connect()).CreateAll());
  ASSERT_TRUE(Becomes([&] { return HasHolder(); }));
  MakeDue();
  ASSERT_TRUE(
      Becomes([&] { return std::filesystem::exists(holder.File("marker")); }));
  const int64_t fencing =
      Number("SELECT fencing FROM job_lease WHERE job = 'due_work'");
  Replica().Start();
  EXPECT_TRUE(Becomes([&] { return Ended() == kCohorts; }));
  EXPECT_GT(Number("SELECT fencing FROM job_lease WHERE job = 'due_work'"),
            fencing);
  ExpectDecidedOnce();
  // It goes on where it stood: with the decision that it was about to write.
  holder.Resume();
  EXPECT_TRUE(Becomes([&] { return SaysLost(holder); }));
  ExpectDecidedOnce();
}

TEST_F(ReplicaFaultsTest, AHolderPausedInATransactionHoldsNobodyUpForLong) {
  testing::DaemonFixture& holder = Replica();
  // The lease and the row of the cohort are locked.
  holder.Start(At(holder, "before_statement:UPDATE cohort :3", "STOP"));
  ASSERT_OK(EnrolmentClient(holder.Connect()).CreateAll());
  ASSERT_TRUE(Becomes([&] { return HasHolder(); }));
  MakeDue();
  ASSERT_TRUE(
      Becomes([&] { return std::filesystem::exists(holder.File("marker")); }));
  Replica().Start();
  EXPECT_TRUE(Becomes([&] { return Ended() == kCohorts; }));
  ExpectDecidedOnce();
  holder.Resume();
  EXPECT_TRUE(Becomes([&] { return SaysLost(holder); }));
  ExpectDecidedOnce();
}

}  // namespace
}  // namespace parcours::integration
