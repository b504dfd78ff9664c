#include "common/storage/database.h"

#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/business_time.h"
#include "common/storage/sqlite_session.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::TestDatabase;

constexpr Migration kFirst[] = {
    {100, "thing",
     "CREATE TABLE thing (name {key_text} PRIMARY KEY);"
     "INSERT INTO thing (name) VALUES ('kept');"}};
constexpr Migration kBoth[] = {
    kFirst[0], {101, "colour", "ALTER TABLE thing ADD COLUMN colour TEXT"}};

access::Caller TestCaller() {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = "tester";
  caller.deadline = absl::Now() + absl::Seconds(30);
  return caller;
}

absl::StatusOr<Rows> Select(Database& database, const std::string& sql) {
  Rows rows;
  RETURN_IF_ERROR(database.View(
      TestCaller(), [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(rows, transaction.Query({sql, {}}));
        return absl::OkStatus();
      }));
  return rows;
}

void Execute(Database& database, const std::string& sql) {
  ASSERT_OK(database.Transact(TestCaller(), [&](Transaction& transaction) {
    transaction.Write({sql, {}});
    return absl::StatusOr<Outcome>(Outcome{});
  }));
}

class DatabaseTest : public ::testing::TestWithParam<Engine> {
 protected:
  DatabaseTest() : files_(GetParam()) {}
  TestDatabase files_;
};

INSTANTIATE_TEST_SUITE_P(Engines, DatabaseTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(DatabaseTest, KeepsItsDataAndIncarnationWhenOpenedAgain) {
  auto database = files_.Open(kFirst);
  const std::string incarnation = database->incarnation();
  EXPECT_FALSE(incarnation.empty());
  Execute(*database, "INSERT INTO thing (name) VALUES ('added')");
  database.reset();
  database = files_.Open(kFirst);
  EXPECT_EQ(database->incarnation(), incarnation);
  EXPECT_EQ(Select(*database, "SELECT name FROM thing")->size(), 2u);
}

TEST_P(DatabaseTest, AppliesOnlyWhatIsMissing) {
  files_.Open(kFirst).reset();
  auto database = files_.Open(kBoth);
  const auto rows = Select(*database, "SELECT name, colour FROM thing");
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->at(0).Text(0), "kept");
  EXPECT_EQ(Select(*database,
                   "SELECT number FROM schema_migration WHERE number >= 100")
                ->size(),
            2u);
}

TEST_P(DatabaseTest, AFailedMigrationLeavesNothingOfItself) {
  files_.Open(kFirst).reset();
  const Migration wrong[] = {
      kFirst[0],
      {101, "wrong",
       "CREATE TABLE half (n BIGINT); SELECT nothing FROM none;"}};
  const absl::Status status = Database::Migrate(files_.options(), wrong);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.ToString().find("migration 101 wrong"), std::string::npos);
  auto database = files_.Open(kBoth);
  EXPECT_FALSE(Select(*database, "SELECT n FROM half").ok());
  EXPECT_OK(Select(*database, "SELECT colour FROM thing"));
}

TEST_P(DatabaseTest, ASchemaThatNeedsALaterBinaryIsRefused) {
  {
    auto database = files_.Open(kBoth);
    Execute(*database,
            "UPDATE database_marker SET min_compatible_version = 101");
  }
  EXPECT_THAT(Database::Open(files_.options(), kFirst),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_OK(Database::Open(files_.options(), kBoth));
}

TEST_P(DatabaseTest, ALaterSchemaThatIsCompatibleIsAccepted) {
  files_.Open(kBoth).reset();
  EXPECT_OK(Database::Open(files_.options(), kFirst));
}

TEST_P(DatabaseTest, ASimulationIsOneForEver) {
  files_.options().create_as_simulation = true;
  EXPECT_TRUE(files_.Open(kFirst)->is_simulation());
  files_.options().create_as_simulation = false;
  EXPECT_TRUE(files_.Open(kFirst)->is_simulation());
}

TEST_P(DatabaseTest, ARealDatabaseNeverBecomesASimulation) {
  EXPECT_FALSE(files_.Open(kFirst)->is_simulation());
  files_.options().create_as_simulation = true;
  EXPECT_THAT(Database::Open(files_.options(), kFirst),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  files_.options().create_as_simulation = false;
  EXPECT_FALSE(files_.Open(kFirst)->is_simulation());
}

TEST_P(DatabaseTest, ALocalDatabaseIsOneForEver) {
  files_.options().create_as_local = true;
  EXPECT_TRUE(files_.Open(kFirst)->is_local());
  files_.options().create_as_local = false;
  EXPECT_TRUE(files_.Open(kFirst)->is_local());
  EXPECT_FALSE(files_.Open(kFirst)->is_simulation());
}

TEST_P(DatabaseTest, AnOrdinaryDatabaseNeverBecomesLocal) {
  EXPECT_FALSE(files_.Open(kFirst)->is_local());
  files_.options().create_as_local = true;
  EXPECT_THAT(Database::Open(files_.options(), kFirst),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Database::Migrate(files_.options(), kBoth),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  files_.options().create_as_local = false;
  EXPECT_FALSE(files_.Open(kBoth)->is_local());
}

// One from before the mark existed, which meets it with the wish to be local.
TEST_P(DatabaseTest, AnOldDatabaseIsNotMadeLocalByItsMigration) {
  files_.Open(kFirst).reset();
  {
    auto database = files_.Open(kFirst);
    Execute(*database, "ALTER TABLE database_marker DROP COLUMN local");
    Execute(*database, "DELETE FROM schema_migration WHERE number = 4");
  }
  files_.options().create_as_local = true;
  EXPECT_THAT(Database::Migrate(files_.options(), kFirst),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  files_.options().create_as_local = false;
  EXPECT_FALSE(files_.Open(kFirst)->is_local());
}

TEST_P(DatabaseTest, SimulatedTimeIsKeptAndMovesForwardOnly) {
  files_.options().create_as_simulation = true;
  const absl::Time start = absl::FromUnixSeconds(1'790'000'000);
  const absl::Time later = start + absl::Hours(48);
  const absl::Time soon = absl::Now() + absl::Seconds(20);
  {
    auto database = files_.Open(kFirst);
    auto clock = OpenBusinessClock(*database, start);
    ASSERT_OK(clock);
    EXPECT_TRUE((*clock)->is_simulated());
    EXPECT_EQ((*clock)->Now(), start);
    EXPECT_OK((*clock)->AdvanceTo(later, soon));
    EXPECT_OK((*clock)->AdvanceTo(later, soon));
    EXPECT_THAT((*clock)->AdvanceTo(start, soon),
                HasReason(Reason::kTimeMovesForwardOnly));
    EXPECT_EQ((*clock)->Now(), later);
  }
  auto database = files_.Open(kFirst);
  auto clock = OpenBusinessClock(*database, start);
  ASSERT_OK(clock);
  EXPECT_EQ((*clock)->Now(), later);
  auto replica = OpenBusinessClock(*database, start);
  ASSERT_OK(replica);
  ASSERT_OK((*replica)->AdvanceTo(later + absl::Hours(1), soon));
  EXPECT_EQ((*clock)->Now(), later);
  ASSERT_OK((*clock)->Refresh(soon));
  EXPECT_EQ((*clock)->Now(), later + absl::Hours(1));
}

TEST_P(DatabaseTest, RealTimeCannotBeMoved) {
  auto database = files_.Open(kFirst);
  auto clock = OpenBusinessClock(*database, absl::UnixEpoch());
  ASSERT_OK(clock);
  EXPECT_FALSE((*clock)->is_simulated());
  EXPECT_LT(absl::AbsDuration((*clock)->Now() - absl::Now()), absl::Seconds(5));
  EXPECT_THAT((*clock)->AdvanceTo(absl::Now() + absl::Hours(1),
                                  absl::Now() + absl::Seconds(5)),
              HasReason(Reason::kNotASimulation));
}

TEST(SqliteDatabaseTest, ASecondOpeningOfTheFileIsRefused) {
  TestDatabase files(Engine::kSqlite);
  auto database = files.Open(kFirst);
  const auto second = Database::Open(files.options(), kFirst);
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_NE(second.status().ToString().find("another process"),
            std::string::npos);
  database.reset();
  EXPECT_OK(Database::Open(files.options(), kFirst));
}

TEST(SqliteDatabaseTest, AnOlderFileIsCopiedBeforeItIsMigrated) {
  TestDatabase files(Engine::kSqlite);
  files.Open(kFirst).reset();
  const std::string path = files.options().url.substr(9);
  EXPECT_FALSE(std::filesystem::exists(path + ".before-101"));
  files.Open(kBoth).reset();
  auto copy = SqliteSession::Open(path + ".before-101",
                                  SqliteSession::Access::kReadOnly);
  ASSERT_OK(copy);
  const std::vector<Statement> statements = {
      {"SELECT name FROM thing", {}},
      {"SELECT MAX(number) FROM schema_migration", {}}};
  const auto results = (*copy)->Run(statements, absl::InfiniteFuture());
  ASSERT_OK(results);
  EXPECT_EQ((*results)[0].rows.at(0).Text(0), "kept");
  EXPECT_EQ((*results)[1].rows.at(0).Integer(0), 100);
}

TEST(SqliteDatabaseTest, ItsFilesAreForTheirOwnerOnly) {
  TestDatabase files(Engine::kSqlite);
  files.Open(kFirst).reset();
  auto database = files.Open(kBoth);
  Execute(*database, "INSERT INTO thing (name) VALUES ('added')");
  const std::string path = files.options().url.substr(9);
  for (const char* suffix : {"", "-wal", "-shm", ".lock", ".before-101"}) {
    struct stat status {};
    ASSERT_EQ(stat((path + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777u, 0600u) << suffix;
  }
}

TEST(PostgresqlDatabaseTest, IsNotMigratedByBeingOpened) {
  TestDatabase files(Engine::kPostgresql);
  EXPECT_THAT(Database::Open(files.options(), kFirst),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(Database::Migrate(files.options(), kFirst));
  EXPECT_OK(Database::Open(files.options(), kFirst));
}

TEST(PostgresqlDatabaseTest, TwoWhoMigrateAtOnceDoItOnce) {
  TestDatabase files(Engine::kPostgresql);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back(
        [&] { EXPECT_OK(Database::Migrate(files.options(), kBoth)); });
  }
  for (std::thread& thread : threads) thread.join();
  auto database = files.Open(kBoth);
  EXPECT_EQ(Select(*database, "SELECT name FROM thing")->size(), 1u);
}

TEST(DatabaseUrlTest, OtherSchemesAndPasswordsAreRefused) {
  for (const char* url : {"mysql://x", "postgresql://a:secret@localhost/b",
                          "postgresql://localhost/b?password=secret"}) {
    DatabaseOptions options;
    options.url = url;
    const auto database = Database::Open(options, kFirst);
    EXPECT_THAT(database, StatusIs(absl::StatusCode::kInvalidArgument)) << url;
    EXPECT_EQ(database.status().ToString().find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace parcours::storage
