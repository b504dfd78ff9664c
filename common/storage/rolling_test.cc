// The previous binary and the next on one schema, as during a rolling upgrade:
// what expands the schema may come while the previous one runs.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/database.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

using ::testing::HasSubstr;

constexpr Migration kThing = {
    100, "thing",
    "CREATE TABLE thing (name {key_text} PRIMARY KEY, n BIGINT NOT NULL,"
    " colour TEXT NOT NULL DEFAULT '');"
    "INSERT INTO thing (name, n) VALUES ('a', 0);"};
// A column that may be empty, a table and an index: of no concern to those who
// do not know them.
constexpr Migration kExpand = {
    101, "size",
    "ALTER TABLE thing ADD COLUMN size BIGINT;"
    "CREATE TABLE label (thing {key_text} NOT NULL, text TEXT NOT NULL,"
    " PRIMARY KEY (thing, text));"
    "CREATE INDEX thing_by_size ON thing (size)"};
// A release later, when nobody uses the colour any more.
constexpr Migration kContract = {
    102, "colour",
    "ALTER TABLE thing DROP COLUMN colour;"
    "UPDATE database_marker SET min_compatible_version = 102"};

const std::vector<Migration> kPrevious = {kThing};
const std::vector<Migration> kNext = {kThing, kExpand};
const std::vector<Migration> kLater = {kThing, kExpand, kContract};

class RollingTest : public ::testing::Test {
 protected:
  RollingTest() : files_(Engine::kPostgresql) { Migrate(kPrevious); }

  void Migrate(const std::vector<Migration>& migrations) {
    ASSERT_OK(Database::Migrate(files_.options(), migrations));
  }
  std::unique_ptr<Database> Open(const std::vector<Migration>& migrations) {
    auto database = Database::Open(files_.options(), migrations);
    EXPECT_OK(database);
    return database.ok() ? *std::move(database) : nullptr;
  }

  static access::Caller TestCaller() {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "tester";
    caller.method = "parcours.test.v1.Test/Change";
    caller.request_id = Cat("request ", ++requests_);
    caller.request_digest = "digest";
    caller.deadline = absl::Now() + absl::Seconds(30);
    return caller;
  }

  // A unit of work as one of the two does it; each with its own columns.
  static absl::Status Add(Database& database, const std::string& columns,
                          const std::string& assignments) {
    return database
        .Transact(TestCaller(),
                  [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                    ASSIGN_OR_RETURN(
                        const Rows rows,
                        transaction.Query({Cat("SELECT ", columns,
                                               " FROM thing WHERE name = 'a' "
                                               "{for_update}"),
                                           {}}));
                    const int64_t n = rows.at(0).Integer(0) + 1;
                    transaction.Write({Cat("UPDATE thing SET n = $1",
                                           assignments, " WHERE name = 'a'"),
                                       {n}});
                    transaction.Record(
                        {"thing", "a", n, "Add", {}, {"bodies/opale"}});
                    return Outcome{"a", n};
                  })
        .status();
  }
  static absl::Status AddAsPrevious(Database& database) {
    return Add(database, "n, colour", ", colour = 'red'");
  }
  static absl::Status AddAsNext(Database& database) {
    return Add(database, "n, colour, size", ", size = 7");
  }

  int64_t Number(Database& database, const std::string& sql) {
    int64_t number = -1;
    access::Caller caller{.scope = access::Scope::Installation()};
    EXPECT_OK(
        database.View(caller, [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(const Rows rows, transaction.Query({sql, {}}));
          number = rows.at(0).Integer(0);
          return absl::OkStatus();
        }));
    return number;
  }

  static inline std::atomic<int> requests_ = 0;
  testing::TestDatabase files_;
};

TEST_F(RollingTest, BothWorkSideBySideWhileTheSchemaExpands) {
  constexpr int kEach = 60;
  const auto previous = Open(kPrevious);
  ASSERT_NE(previous, nullptr);
  std::atomic<int> done = 0;
  std::atomic<bool> migrated = false;
  std::thread working([&] {
    // Goes on for a while after the schema has changed under its sessions.
    for (int after = 0; after < kEach; after += migrated ? 1 : 0) {
      const absl::Status status = AddAsPrevious(*previous);
      EXPECT_OK(status);
      if (!status.ok()) return;
      ++done;
    }
  });
  while (done < 10) std::this_thread::yield();
  Migrate(kNext);
  migrated = true;
  const auto next = Open(kNext);
  ASSERT_NE(next, nullptr);
  for (int i = 0; i < kEach; ++i) EXPECT_OK(AddAsNext(*next));
  working.join();
  EXPECT_EQ(Number(*next, "SELECT n FROM thing"), done + kEach);
  EXPECT_EQ(Number(*previous, "SELECT COUNT(*) FROM change_feed"),
            done + kEach);
  // The previous one may still be started, as after a step back.
  const auto again = Open(kPrevious);
  ASSERT_NE(again, nullptr);
  EXPECT_OK(AddAsPrevious(*again));
}

TEST_F(RollingTest, TheNextIsNotStartedOnASchemaThatLacksItsMigrations) {
  const auto next = Database::Open(files_.options(), kNext);
  EXPECT_THAT(next, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(next.status().message()),
              HasSubstr("lacks migrations 101"));
}

TEST_F(RollingTest, AContractedSchemaRefusesTheBinaryBeforeIt) {
  Migrate(kLater);
  for (const auto& outdated : {kPrevious, kNext}) {
    const auto refused = Database::Open(files_.options(), outdated);
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(refused.status().message()),
                HasSubstr("needs a binary that knows migration 102"));
  }
  const auto later = Open(kLater);
  ASSERT_NE(later, nullptr);
  EXPECT_OK(Add(*later, "n, size", ", size = 8"));
}

}  // namespace
}  // namespace parcours::storage
