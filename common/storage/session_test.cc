#include "common/storage/session.h"

#include <signal.h>
#include <sys/types.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/storage/dialect.h"
#include "common/storage/postgresql_session.h"
#include "common/storage/sqlite_session.h"
#include "common/testing/database_fixture.h"
#include "common/testing/silent_server.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::TestDatabase;

class SessionTest : public ::testing::TestWithParam<Engine> {
 protected:
  SessionTest() : database_(GetParam()), session_(Connect()) {}

  std::unique_ptr<Session> Connect() {
    const std::string& url = database_.options().url;
    if (GetParam() == Engine::kSqlite) {
      return SqliteSession::Open(url.substr(sizeof("sqlite://") - 1),
                                 SqliteSession::Access::kReadWrite)
          .value();
    }
    return PostgresqlSession::Connect(url, "", Soon()).value();
  }

  static absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

  absl::StatusOr<Result> Run(Session& session, std::string sql,
                             Values values = {}) {
    const Statement statement{std::move(sql), std::move(values)};
    auto results = session.Run(absl::MakeConstSpan(&statement, 1), Soon());
    if (!results.ok()) return results.status();
    return std::move((*results)[0]);
  }
  absl::StatusOr<Result> Run(std::string sql, Values values = {}) {
    return Run(*session_, std::move(sql), std::move(values));
  }

  Value RoundTrip(const std::string& type, const Value& value) {
    EXPECT_OK(session_->RunScript("CREATE TABLE t (v " + type + ")"));
    EXPECT_OK(Run("INSERT INTO t (v) VALUES ($1)", {value}));
    auto result = Run("SELECT v FROM t");
    EXPECT_OK(result);
    EXPECT_EQ(result->rows.size(), 1u);
    return result->rows.at(0)[0];
  }

  TestDatabase database_;
  std::unique_ptr<Session> session_;
};

INSTANTIATE_TEST_SUITE_P(Engines, SessionTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(SessionTest, KeepsBytesWithNul) {
  const Value value = Blob{std::string("a\0b\xff\0", 5)};
  EXPECT_EQ(RoundTrip("BYTEA", value), value);
}

TEST_P(SessionTest, KeepsNoBytesApartFromNull) {
  EXPECT_EQ(RoundTrip("BYTEA", Blob{}), Value(Blob{}));
}

TEST_P(SessionTest, KeepsFourMegabytes) {
  std::string bytes(4u << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 31);
  }
  EXPECT_EQ(RoundTrip("BYTEA", Blob{bytes}), Value(Blob{bytes}));
}

TEST_P(SessionTest, KeepsFourMegabytesOfText) {
  const std::string text(4u << 20, 'e');
  EXPECT_EQ(RoundTrip("TEXT", text), Value(text));
}

TEST_P(SessionTest, KeepsIntegersBeyondDoubles) {
  const int64_t value = (int64_t{1} << 53) + 1;
  EXPECT_EQ(RoundTrip("BIGINT", value), Value(value));
}

TEST_P(SessionTest, KeepsTheLeastAndTheGreatestInteger) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (a BIGINT, b BIGINT)"));
  const int64_t least = std::numeric_limits<int64_t>::min();
  const int64_t greatest = std::numeric_limits<int64_t>::max();
  ASSERT_OK(Run("INSERT INTO t (a, b) VALUES ($1, $2)", {least, greatest}));
  const Row row = Run("SELECT a, b FROM t")->rows.at(0);
  EXPECT_EQ(row.Integer(0), least);
  EXPECT_EQ(row.Integer(1), greatest);
}

TEST_P(SessionTest, KeepsAstralCharacters) {
  const std::string text = "élève \xF0\x9F\x8E\x93";
  EXPECT_EQ(RoundTrip("TEXT", text), Value(text));
}

TEST_P(SessionTest, KeepsNull) {
  EXPECT_EQ(RoundTrip("TEXT", nullptr), Value(nullptr));
}

TEST_P(SessionTest, ReadsFlagsCountsAndSumsAsIntegers) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (flag SMALLINT, n BIGINT)"));
  ASSERT_OK(Run("INSERT INTO t (flag, n) VALUES ($1, $2)",
                {int64_t{1}, int64_t{40}}));
  ASSERT_OK(
      Run("INSERT INTO t (flag, n) VALUES ($1, $2)", {int64_t{1}, int64_t{2}}));
  const Row row =
      Run("SELECT MAX(flag), COUNT(*), CAST(SUM(n) AS BIGINT) FROM t")
          ->rows.at(0);
  EXPECT_EQ(row.Integer(0), 1);
  EXPECT_EQ(row.Integer(1), 2);
  EXPECT_EQ(row.Integer(2), 42);
}

TEST_P(SessionTest, RefusesTextWithNul) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (v TEXT)"));
  EXPECT_THAT(Run("INSERT INTO t (v) VALUES ($1)", {std::string("a\0b", 3)}),
              StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(Run("SELECT COUNT(*) FROM t")->rows.at(0).Integer(0), 0);
}

TEST_P(SessionTest, BindsByNumberWhateverTheOrderInTheText) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (a TEXT, b TEXT, c TEXT)"));
  ASSERT_OK(Run("INSERT INTO t (b, a, c) VALUES ($2, $1, $2)", {"one", "two"}));
  const Row row = Run("SELECT a, b, c FROM t")->rows.at(0);
  EXPECT_EQ(row.Text(0), "one");
  EXPECT_EQ(row.Text(1), "two");
  EXPECT_EQ(row.Text(2), "two");
}

TEST_P(SessionTest, RefusesAWrongNumberOfValuesAndGoesOn) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (v TEXT)"));
  EXPECT_FALSE(Run("INSERT INTO t (v) VALUES ($1)").ok());
  EXPECT_FALSE(Run("INSERT INTO t (v) VALUES ($1)", {"a", "b"}).ok());
  EXPECT_OK(Run("INSERT INTO t (v) VALUES ($1)", {"a"}));
  EXPECT_TRUE(session_->usable());
}

TEST_P(SessionTest, CountsChangedRowsAndNotReadOnes) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (v BIGINT)"));
  EXPECT_EQ(Run("INSERT INTO t (v) VALUES ($1)", {int64_t{1}})->affected, 1);
  EXPECT_EQ(Run("INSERT INTO t (v) VALUES ($1)", {int64_t{2}})->affected, 1);
  EXPECT_EQ(Run("SELECT v FROM t")->affected, 0);
  EXPECT_EQ(Run("UPDATE t SET v = v + 1")->affected, 2);
  EXPECT_EQ(Run("UPDATE t SET v = 0 WHERE v > 100")->affected, 0);
  const absl::StatusOr<Result> returned =
      Run("UPDATE t SET v = v + 1 WHERE v = 2 RETURNING v");
  ASSERT_OK(returned);
  EXPECT_EQ(returned->affected, 1);
  EXPECT_EQ(returned->rows.at(0).Integer(0), 3);
}

TEST_P(SessionTest, MapsErrorsToCodesAndNamesTheStatement) {
  ASSERT_OK(
      session_->RunScript("CREATE TABLE p (id BIGINT PRIMARY KEY);"
                          "CREATE TABLE c (p BIGINT NOT NULL REFERENCES p, n "
                          "BIGINT CHECK (n > 0))"));
  ASSERT_OK(Run("INSERT INTO p (id) VALUES ($1)", {int64_t{1}}));
  EXPECT_THAT(Run("INSERT INTO p (id) VALUES ($1)", {int64_t{1}}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(
      Run("INSERT INTO c (p, n) VALUES ($1, $2)", {int64_t{9}, int64_t{1}}),
      StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(
      Run("INSERT INTO c (p, n) VALUES ($1, $2)", {int64_t{1}, int64_t{0}}),
      StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Run("INSERT INTO c (p, n) VALUES ($1, $2)", {nullptr, nullptr}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Run("SELEKT"), StatusIs(absl::StatusCode::kInternal));
  const std::vector<Statement> statements = {
      {"SELECT 1", {}}, {"SELECT nothing FROM nowhere", {}}, {"SELECT 2", {}}};
  const auto results = session_->Run(statements, Soon());
  EXPECT_THAT(results, StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(FailedStatement(results.status()), 1);
  EXPECT_OK(Run("SELECT 1"));
}

TEST_P(SessionTest, AFailureStopsWhatFollowsAndTheTransactionCannotCommit) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (v BIGINT PRIMARY KEY)"));
  const std::vector<Statement> statements = {
      {"BEGIN", {}},
      {"INSERT INTO t (v) VALUES ($1)", {int64_t{1}}},
      {"INSERT INTO t (v) VALUES ($1)", {int64_t{1}}},
      {"COMMIT", {}}};
  EXPECT_THAT(session_->Run(statements, Soon()),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_TRUE(session_->in_transaction());
  EXPECT_OK(Run("ROLLBACK"));
  EXPECT_FALSE(session_->in_transaction());
  EXPECT_EQ(Run("SELECT COUNT(*) FROM t")->rows.at(0).Integer(0), 0);
}

// A statement kept from before must neither serve old rows, nor hold a
// snapshot that hinders a writer, nor break on a new schema.
TEST_P(SessionTest, RepeatedStatementsSeeWhatOthersCommit) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (v BIGINT)"));
  const std::unique_ptr<Session> other = Connect();
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(Run("SELECT COUNT(*) FROM t")->rows.at(0).Integer(0), i);
    ASSERT_OK(Run(*other, "INSERT INTO t (v) VALUES ($1)", {i}));
  }
  ASSERT_OK(Run("SELECT * FROM t"));
  ASSERT_OK(other->RunScript("ALTER TABLE t ADD COLUMN w BIGINT"));
  absl::StatusOr<Result> result = Run("SELECT * FROM t");
  if (!result.ok()) {
    // PostgreSQL says so once, and the transaction is to be made again.
    EXPECT_THAT(result, StatusIs(absl::StatusCode::kAborted));
    result = Run("SELECT * FROM t");
  }
  ASSERT_OK(result);
  EXPECT_EQ(result->rows.size(), 5u);
  EXPECT_EQ(result->rows.at(0).size(), 2u);
}

TEST_P(SessionTest, AReaderInATransactionDoesNotHinderCommit) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (v BIGINT)"));
  const std::unique_ptr<Session> reader = Connect();
  ASSERT_OK(Run(*reader, GetParam() == Engine::kSqlite
                             ? "BEGIN"
                             : "BEGIN ISOLATION LEVEL REPEATABLE READ"));
  EXPECT_EQ(Run(*reader, "SELECT COUNT(*) FROM t")->rows.at(0).Integer(0), 0);
  const std::vector<Statement> write = {
      {"BEGIN", {}},
      {"INSERT INTO t (v) VALUES ($1)", {int64_t{1}}},
      {"COMMIT", {}}};
  EXPECT_OK(session_->Run(write, absl::Now() + absl::Seconds(2)));
  EXPECT_EQ(Run(*reader, "SELECT COUNT(*) FROM t")->rows.at(0).Integer(0), 0);
  ASSERT_OK(Run(*reader, "COMMIT"));
  EXPECT_EQ(Run(*reader, "SELECT COUNT(*) FROM t")->rows.at(0).Integer(0), 1);
}

TEST_P(SessionTest, StopsALongStatementAtTheDeadline) {
  const char* const endless =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 2000000000) SELECT COUNT(*) FROM n";
  const absl::Time start = absl::Now();
  const Statement statement{endless, {}};
  EXPECT_THAT(session_->Run(absl::MakeConstSpan(&statement, 1),
                            start + absl::Milliseconds(200)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
}

TEST_P(SessionTest, RollsBackAndGoesOn) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (v BIGINT)"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(Run("BEGIN"));
    ASSERT_OK(Run("INSERT INTO t (v) VALUES (1)"));
    session_->Rollback();
    EXPECT_FALSE(session_->in_transaction());
    EXPECT_TRUE(session_->usable());
    EXPECT_EQ(Run("SELECT COUNT(*) FROM t")->rows[0].Integer(0), 0);
  }
  // Of a transaction that has failed too, and before a script.
  ASSERT_OK(Run("BEGIN"));
  EXPECT_FALSE(Run("SELECT nothing FROM nowhere").ok());
  session_->Rollback();
  EXPECT_OK(session_->RunScript("INSERT INTO t (v) VALUES (2)"));
  EXPECT_EQ(Run("SELECT COUNT(*) FROM t")->rows[0].Integer(0), 1);
}

TEST_P(SessionTest, ComparesKeysByBytes) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (k {key_text} PRIMARY KEY)"));
  for (const char* key :
       {"bodies/a-b", "bodies/aa", "bodies/a/x", "bodies/B"}) {
    ASSERT_OK(Run("INSERT INTO t (k) VALUES ($1)", {key}));
  }
  std::vector<std::string> keys;
  const absl::StatusOr<Result> result = Run("SELECT k FROM t ORDER BY k");
  ASSERT_OK(result);
  for (const Row& row : result->rows) keys.push_back(row.Text(0));
  EXPECT_EQ(keys, (std::vector<std::string>{"bodies/B", "bodies/a-b",
                                            "bodies/a/x", "bodies/aa"}));
}

TEST_P(SessionTest, DatabaseTimeIsMicrosecondsSinceTheEpoch) {
  const absl::StatusOr<Result> result = Run("SELECT {database_time}");
  ASSERT_OK(result);
  const absl::Duration off =
      absl::Now() - absl::FromUnixMicros(result->rows.at(0).Integer(0));
  EXPECT_LT(absl::AbsDuration(off), absl::Seconds(5));
}

TEST_P(SessionTest, KeepsAllRowsOfALargeBatchWithTheSameText) {
  ASSERT_OK(session_->RunScript("CREATE TABLE t (v BIGINT)"));
  std::vector<Statement> statements;
  for (int64_t i = 0; i < 2000; ++i) {
    statements.push_back({"INSERT INTO t (v) VALUES ($1) RETURNING v", {i}});
  }
  const auto results = session_->Run(statements, Soon());
  ASSERT_OK(results);
  ASSERT_EQ(results->size(), statements.size());
  EXPECT_EQ(results->back().rows.at(0).Integer(0), 1999);
}

TEST(PostgresqlSessionTest, RefusesAPasswordInTheUrl) {
  const auto session = PostgresqlSession::Connect(
      "postgresql://parcours:secret@localhost/parcours", "",
      absl::Now() + absl::Seconds(1));
  EXPECT_THAT(session, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(session.status().ToString().find("secret"), std::string::npos);
}

TEST(PostgresqlSessionTest, PlansByTheIndexWhileATableIsSmall) {
  TestDatabase database(Engine::kPostgresql);
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  const auto session =
      PostgresqlSession::Connect(database.options().url, "", deadline);
  ASSERT_OK(session);
  ASSERT_OK((*session)->RunScript(
      "CREATE TABLE t (v BIGINT PRIMARY KEY);"
      "INSERT INTO t (v) VALUES (1), (2), (3); ANALYZE t"));
  const std::vector<Statement> explain = {
      {"EXPLAIN SELECT v FROM t WHERE v = $1", {int64_t{2}}}};
  const auto plan = (*session)->Run(explain, deadline);
  ASSERT_OK(plan);
  EXPECT_THAT(plan->at(0).rows.at(0).Text(0), ::testing::HasSubstr("Index"));
}

TEST(PostgresqlSessionTest, TakesTheFirstOfSeveralServersThatAnswers) {
  const testing::SilentServer silent;
  TestDatabase database(Engine::kPostgresql);
  const std::string url = database.options().url;
  const std::size_t host = url.find("?host=") + 6;
  const std::size_t end = url.find('&', host);
  const std::string folder = url.substr(host, end - host);
  for (const std::string& hosts :
       {Cat("/nowhere,", folder, "&port=5432"),
        Cat("127.0.0.1,", folder, "&port=", silent.port(), ",5432"),
        Cat(folder, ",/nowhere&port=5432,5432")}) {
    const auto session = PostgresqlSession::Connect(
        Cat(url.substr(0, host), hosts,
            "&user=postgres&target_session_attrs=read-write"),
        "", absl::Now() + absl::Seconds(20));
    EXPECT_OK(session) << hosts;
  }
  EXPECT_THAT(PostgresqlSession::Connect(
                  "postgresql:///a?host=/nowhere,/neither&user=postgres", "",
                  absl::Now() + absl::Seconds(20)),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(PostgresqlSession::Connect("postgresql:///a?host=b,c&port=1,2,3",
                                         "", absl::Now() + absl::Seconds(20)),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(PostgresqlSessionTest, IsLostWhenTheServerEndsIt) {
  TestDatabase database(Engine::kPostgresql);
  const absl::Time soon = absl::Now() + absl::Seconds(20);
  auto session = PostgresqlSession::Connect(database.options().url, "", soon);
  ASSERT_OK(session);
  auto other = PostgresqlSession::Connect(database.options().url, "", soon);
  ASSERT_OK(other);
  const Statement self{"SELECT pg_backend_pid()", {}};
  auto process = (*session)->Run(absl::MakeConstSpan(&self, 1), soon);
  ASSERT_OK(process);
  EXPECT_TRUE((*session)->usable());
  const Statement end{"SELECT pg_terminate_backend($1, 5000)",
                      {(*process)[0].rows.at(0)[0]}};
  ASSERT_OK((*other)->Run(absl::MakeConstSpan(&end, 1), soon));
  EXPECT_FALSE((*session)->usable());
  EXPECT_THAT((*session)->Run(absl::MakeConstSpan(&self, 1), soon),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(PostgresqlSessionTest, IsLostWhenTheServerEndsItAfterARollback) {
  TestDatabase database(Engine::kPostgresql);
  const auto connect = [&] {
    return PostgresqlSession::Connect(database.options().url, "",
                                      absl::Now() + absl::Seconds(20))
        .value();
  };
  const auto run = [](Session& session, const std::string& sql) {
    const Statement statement{sql, {}};
    return session.Run(absl::MakeConstSpan(&statement, 1),
                       absl::Now() + absl::Seconds(20));
  };
  const auto session = connect();
  const auto other = connect();
  const int64_t pid =
      (*run(*session, "SELECT pg_backend_pid()"))[0].rows[0].Integer(0);
  ASSERT_OK(run(*session, "BEGIN"));
  session->Rollback();
  // The other waits until the first has gone.
  ASSERT_OK(run(*other, Cat("SELECT pg_terminate_backend(", pid, ", 10000)")));
  EXPECT_FALSE(session->usable());
  EXPECT_FALSE(run(*session, "SELECT 1").ok());
}

TEST(PostgresqlSessionTest, AServerThatNeverAnswersDoesNotHoldAnyoneUp) {
  const testing::SilentServer server;
  const absl::Time start = absl::Now();
  const auto session = PostgresqlSession::Connect(
      "postgresql://nobody@127.0.0.1:" + std::to_string(server.port()) +
          "/none?sslmode=disable",
      "", start + absl::Milliseconds(200));
  EXPECT_THAT(session, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
}

TEST(PostgresqlSessionTest, AServerThatFallsSilentDoesNotHoldAnyoneUp) {
  TestDatabase database(Engine::kPostgresql);
  auto session = PostgresqlSession::Connect(database.options().url, "",
                                            absl::Now() + absl::Seconds(20));
  ASSERT_OK(session);
  const Statement self{"SELECT pg_backend_pid()", {}};
  auto process = (*session)->Run(absl::MakeConstSpan(&self, 1),
                                 absl::Now() + absl::Seconds(20));
  ASSERT_OK(process);
  const auto id = static_cast<pid_t>((*process)[0].rows.at(0).Integer(0));
  ASSERT_EQ(kill(id, SIGSTOP), 0);
  const absl::Time start = absl::Now();
  EXPECT_THAT((*session)->Run(absl::MakeConstSpan(&self, 1),
                              start + absl::Milliseconds(100)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
  EXPECT_FALSE((*session)->usable());
  ASSERT_EQ(kill(id, SIGCONT), 0);
}

TEST(DialectTest, RefusesUnknownWordsButNotQuotedBraces) {
  EXPECT_THAT(InDialect("SELECT {sixty}", Engine::kSqlite),
              StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(*InDialect("SELECT '{}' {for_update}", Engine::kPostgresql),
            "SELECT '{}' FOR UPDATE");
  EXPECT_EQ(*InDialect("SELECT 1 {for_update}", Engine::kSqlite), "SELECT 1 ");
  EXPECT_EQ(*InDialect("-- it's {this}\nSELECT 1{for_share}", Engine::kSqlite),
            "-- it's {this}\nSELECT 1");
}

}  // namespace
}  // namespace parcours::storage
