#include "common/storage/copy.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/feed.h"
#include "common/storage/sequencer.h"
#include "common/testing/database_fixture.h"
#include "common/testing/session_faults.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

using ::parcours::testing::SessionFaults;
using ::parcours::testing::TestDatabase;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;

constexpr Migration kMigrations[] = {
    {100, "thing",
     "CREATE TABLE body (name {key_text} PRIMARY KEY);"
     "CREATE TABLE thing (name {key_text} NOT NULL, part BIGINT NOT NULL,"
     " body {key_text} NOT NULL REFERENCES body (name), n BIGINT,"
     " flag SMALLINT, text TEXT, bytes BYTEA, PRIMARY KEY (name, part));"
     "CREATE TABLE event (insertion {insertion_order}, text TEXT NOT NULL);"}};

access::Caller TestCaller() {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = "tester";
  caller.method = "parcours.test.v1.Test/Change";
  caller.deadline = absl::Now() + absl::Seconds(30);
  caller.now = absl::FromUnixSeconds(1'800'000'000);
  return caller;
}

Statement Thing(const std::string& name, int64_t part, Value n, Value text,
                Value bytes) {
  return {
      "INSERT INTO thing (name, part, body, n, flag, text, bytes) "
      "VALUES ($1, $2, 'bodies/opale', $3, 1, $4, $5)",
      {name, part, std::move(n), std::move(text), std::move(bytes)}};
}

class CopyTest : public ::testing::Test {
 protected:
  CopyTest() : from_(Engine::kSqlite), to_(Engine::kPostgresql) {
    from_.options().create_as_simulation = true;
    from_.options().create_as_local = true;
    to_.Open(kMigrations).reset();
  }

  // A database that has lived: every type, rows that are gone, a feed with
  // positions and without, request ids.
  void Live() {
    const auto database = from_.Open(kMigrations);
    incarnation_ = database->incarnation();
    Change(*database,
           {{"INSERT INTO body (name) VALUES ('bodies/opale')", {}}});
    std::string large(4 << 20, '\0');
    for (std::size_t i = 0; i < large.size(); ++i) {
      large[i] = static_cast<char>(i * 7 + i / 251);
    }
    std::vector<Statement> statements = {
        Thing("null", 1, nullptr, nullptr, nullptr),
        Thing("nul bytes", 1, 0, "", Blob{std::string("a\0b\0", 4)}),
        Thing("large", 1, (int64_t{1} << 53) + 1, std::string(1 << 20, 'x'),
              Blob{large}),
        Thing("limits", 1, std::numeric_limits<int64_t>::min(), "\n\t'\"\\",
              Blob{""}),
        Thing("limits", 2, std::numeric_limits<int64_t>::max(),
              "astral \U0001F9ED \U00020000", Blob{"\xff\xfe"}),
        // Ordered by bytes: between capitals, accents and beyond.
        Thing("Z", 1, 1, "NULL", nullptr), Thing("a", 1, 1, "", nullptr),
        Thing("é", 1, 1, "é", nullptr), Thing("\U0001F9ED", 1, 1, "", nullptr)};
    for (int i = 0; i < 250; ++i) {
      statements.push_back(Thing(Cat("many/", i), i, i, "row", nullptr));
    }
    for (int i = 0; i < 7; ++i) {
      statements.push_back(
          {"INSERT INTO event (text) VALUES ($1)", {Cat("event ", i)}});
    }
    Change(*database, statements);
    Change(*database, {{"DELETE FROM event WHERE insertion > 4", {}}});
    Sequencer sequencer(*database, {});
    ASSERT_OK(sequencer.RunOnce());
    // Committed, and not in its place yet.
    Change(*database, {{"UPDATE thing SET n = 2 WHERE name = 'a'", {}}});
  }

  void Change(Database& database, const std::vector<Statement>& statements) {
    access::Caller caller = TestCaller();
    caller.request_id = Cat("request ", ++changes_);
    caller.request_digest = "digest";
    ASSERT_OK(database.Transact(
        caller, [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
          for (const Statement& one : statements) transaction.Write(one);
          transaction.Record(
              {"thing", "a", changes_, "Change", {}, {"bodies/opale"}});
          return Outcome{"a", changes_};
        }));
  }

  absl::StatusOr<CopyResult> Copy(
      const std::function<absl::Status(Session&)>& check = nullptr) {
    return CopyDatabase(from_.options(), to_.options(), kMigrations, check);
  }

  int64_t Number(Database& database, const std::string& sql) {
    int64_t number = -1;
    EXPECT_OK(database.View(
        TestCaller(), [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(const Rows rows, transaction.Query({sql, {}}));
          number = rows.at(0).Integer(0);
          return absl::OkStatus();
        }));
    return number;
  }

  // Nothing of a copy is there, and a service could begin on it.
  void ExpectTargetEmpty() {
    auto options = to_.options();
    options.decorate_session = nullptr;
    const auto target = Database::Open(options, kMigrations);
    ASSERT_OK(target);
    EXPECT_FALSE((*target)->is_simulation());
    EXPECT_EQ(Number(**target, "SELECT COUNT(*) FROM thing"), 0);
    EXPECT_EQ(Number(**target, "SELECT COUNT(*) FROM change_feed"), 0);
    EXPECT_EQ(Number(**target, "SELECT head FROM feed_state"), 0);
    EXPECT_EQ(Number(**target, "SELECT position FROM audit_state"), 0);
  }

  TestDatabase from_;
  TestDatabase to_;
  SessionFaults faults_;
  int changes_ = 0;
  std::string incarnation_;
};

TEST_F(CopyTest, HasEveryRowOfEveryTypeAndGoesOn) {
  Live();
  const auto copied = Copy();
  ASSERT_OK(copied);
  EXPECT_THAT(copied->tables, Contains(Field(&CopiedTable::name, "thing")));
  for (const CopiedTable& table : copied->tables) {
    EXPECT_EQ(table.digest.size(), 64u) << table.name;
    if (table.name == "thing") {
      EXPECT_EQ(table.rows, 259);
    }
    if (table.name == "idempotency") {
      EXPECT_EQ(table.rows, 4);
    }
  }
  auto target = Database::Open(to_.options(), kMigrations);
  ASSERT_OK(target);
  Database& database = **target;
  // It is what it was, with an incarnation of its own.
  EXPECT_TRUE(database.is_simulation());
  EXPECT_TRUE(database.is_local());
  EXPECT_EQ(database.incarnation(), copied->incarnation);
  EXPECT_NE(database.incarnation(), incarnation_);
  EXPECT_THAT(
      DecodeFeedToken(EncodeFeedToken(incarnation_, 1), database.incarnation()),
      HasReason(Reason::kFeedIncarnationChanged));
  EXPECT_EQ(Number(database, "SELECT n FROM thing WHERE name = 'large'"),
            (int64_t{1} << 53) + 1);
  // Numbers go on after those that were ever given.
  Sequencer sequencer(database, {});
  const auto pass = sequencer.RunOnce();
  ASSERT_OK(pass);
  EXPECT_EQ(pass->positions, 1);
  EXPECT_EQ(pass->head, 4);
  // The next change is a new one; a repeated request is not.
  access::Caller caller = TestCaller();
  caller.request_id = "request 2";
  caller.request_digest = "digest";
  const auto again = database.Transact(caller, [](Transaction&) {
    return absl::StatusOr<Outcome>(Outcome{"another", 1});
  });
  ASSERT_OK(again);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->name, "a");
  Change(database, {{"INSERT INTO event (text) VALUES ('on PostgreSQL')", {}}});
  EXPECT_EQ(Number(database, "SELECT MAX(insertion) FROM event"), 8);
  ASSERT_OK(sequencer.RunOnce());
  EXPECT_EQ(Number(database, "SELECT head FROM feed_state"), 5);
}

TEST_F(CopyTest, ASecondRunAndAUsedTargetAreRefused) {
  Live();
  ASSERT_OK(Copy());
  const auto again = Copy();
  EXPECT_THAT(again, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(again.status().message()), HasSubstr("not empty"));
  TestDatabase used(Engine::kPostgresql);
  {
    const auto database = used.Open(kMigrations);
    Sequencer sequencer(*database, {});
    Change(*database, {{"INSERT INTO body (name) VALUES ('bodies/x')", {}}});
    ASSERT_OK(sequencer.RunOnce());
  }
  EXPECT_THAT(CopyDatabase(from_.options(), used.options(), kMigrations),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(CopyTest, AnInterruptedCopyLeavesTheTargetEmpty) {
  Live();
  to_.options().decorate_session = faults_.Decorator();
  faults_.Inject(SessionFaults::kLoseBeforeCommit);
  EXPECT_FALSE(Copy().ok());
  EXPECT_EQ(faults_.lost(), 1);
  ExpectTargetEmpty();
  // A difference, and a check that fails, undo it too.
  EXPECT_THAT(Copy([](Session&) { return absl::DataLossError("broken"); }),
              StatusIs(absl::StatusCode::kDataLoss));
  ExpectTargetEmpty();
  EXPECT_OK(Copy());
}

TEST_F(CopyTest, AFileInUseIsRefused) {
  Live();
  {
    const auto database = from_.Open(kMigrations);
    const auto copied = Copy();
    EXPECT_THAT(copied, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(copied.status().message()),
                HasSubstr("open in another process"));
  }
  ExpectTargetEmpty();
}

TEST_F(CopyTest, AnotherSchemaOnEitherSideIsRefusedWithTheRemedy) {
  Live();
  const std::vector<Migration> more = {
      kMigrations[0], {101, "more", "ALTER TABLE thing ADD COLUMN m BIGINT"}};
  EXPECT_THAT(std::string(CopyDatabase(from_.options(), to_.options(), more)
                              .status()
                              .message()),
              HasSubstr("start and stop the service"));
  from_.Open(more).reset();
  EXPECT_THAT(std::string(CopyDatabase(from_.options(), to_.options(), more)
                              .status()
                              .message()),
              HasSubstr("parcours migrate"));
  to_.Open(more).reset();
  EXPECT_OK(CopyDatabase(from_.options(), to_.options(), more));
}

TEST_F(CopyTest, OtherEnginesAndMissingFilesAreRefused) {
  EXPECT_THAT(CopyDatabase(to_.options(), from_.options(), kMigrations),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Copy(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace parcours::storage
