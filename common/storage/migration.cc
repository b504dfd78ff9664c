#include "common/storage/migration.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/platform_migrations.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

constexpr int kFirstServiceMigration = 100;
constexpr absl::Duration kStatementTime = absl::Minutes(1);
// The one that adds the mark of a local database.
constexpr int kLocalMarkerMigration = 4;
// Key of the advisory lock of those who migrate: "parcours" in ASCII.
constexpr int64_t kMigrationLock = 0x706172636f757273;

constexpr char kCreateJournal[] =
    "CREATE TABLE IF NOT EXISTS schema_migration ("
    "number BIGINT PRIMARY KEY, name TEXT NOT NULL, apply_time BIGINT NOT "
    "NULL)";

absl::StatusOr<Rows> Query(Session& session, std::string sql,
                           Values values = {}) {
  const Statement statement{std::move(sql), std::move(values)};
  ASSIGN_OR_RETURN(std::vector<Result> results,
                   session.Run(absl::MakeConstSpan(&statement, 1),
                               absl::Now() + kStatementTime));
  return std::move(results[0].rows);
}

std::string NewIncarnation() {
  std::random_device source;
  return absl::StrFormat("%08x%08x", source(), source());
}

// `is_new`: the database has been created by this run.
absl::Status Apply(Session& session, const Migration& migration, bool is_new,
                   const DatabaseOptions& options) {
  RETURN_IF_ERROR(Query(session, session.engine() == Engine::kSqlite
                                     ? "BEGIN IMMEDIATE"
                                     : "BEGIN")
                      .status());
  absl::Status status = session.RunScript(migration.sql);
  if (status.ok()) {
    std::vector<Statement> statements = {
        {"INSERT INTO schema_migration (number, name, apply_time) "
         "VALUES ($1, $2, {database_time})",
         {int64_t{migration.number}, std::string(migration.name)}}};
    if (migration.number == 1) {
      statements.push_back(
          {"INSERT INTO database_marker (id, simulation, incarnation, "
           "create_time, min_compatible_version) "
           "VALUES (1, $1, $2, {database_time}, 1)",
           {int64_t{options.create_as_simulation ? 1 : 0}, NewIncarnation()}});
    }
    // Never on a database that was there before its column.
    if (migration.number == kLocalMarkerMigration && is_new &&
        options.create_as_local) {
      statements.push_back({"UPDATE database_marker SET local = 1", {}});
    }
    statements.push_back({"COMMIT", {}});
    status = session.Run(statements, absl::Now() + kStatementTime).status();
  }
  if (status.ok()) return status;
  if (session.usable() && session.in_transaction()) {
    Query(session, "ROLLBACK").status().IgnoreError();
  }
  return absl::Status(status.code(),
                      Cat("migration ", migration.number, " ", migration.name,
                          ": ", status.message()));
}

}  // namespace

absl::StatusOr<std::vector<Migration>> WithPlatformMigrations(
    absl::Span<const Migration> service) {
  const absl::Span<const Migration> platform = platform::Migrations();
  std::vector<Migration> all(platform.begin(), platform.end());
  all.insert(all.end(), service.begin(), service.end());
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].number <= all[i - 1].number ||
        (i >= platform.size() && all[i].number < kFirstServiceMigration)) {
      return absl::InternalError(
          Cat("migration number ", all[i].number, " is out of order"));
    }
  }
  return all;
}

absl::StatusOr<std::vector<int64_t>> AppliedMigrations(Session& session) {
  const char* exists =
      session.engine() == Engine::kSqlite
          ? "SELECT 1 FROM sqlite_master WHERE name = 'schema_migration'"
          : "SELECT 1 WHERE to_regclass('schema_migration') IS NOT NULL";
  ASSIGN_OR_RETURN(const Rows found, Query(session, exists));
  std::vector<int64_t> numbers;
  if (found.empty()) return numbers;
  ASSIGN_OR_RETURN(
      const Rows rows,
      Query(session, "SELECT number FROM schema_migration ORDER BY number"));
  for (const Row& row : rows) numbers.push_back(row.Integer(0));
  return numbers;
}

absl::Status ApplyMigrations(Session& session,
                             absl::Span<const Migration> migrations,
                             const DatabaseOptions& options) {
  const bool postgresql = session.engine() == Engine::kPostgresql;
  if (postgresql) {
    RETURN_IF_ERROR(Query(session,
                          "SELECT 1 FROM (SELECT pg_advisory_lock($1)) AS lock",
                          {kMigrationLock})
                        .status());
  }
  absl::Status status = session.RunScript(kCreateJournal);
  if (status.ok()) {
    const absl::StatusOr<std::vector<int64_t>> applied =
        AppliedMigrations(session);
    status = applied.status();
    const bool is_new = applied.ok() && applied->empty();
    for (const Migration& migration : migrations) {
      if (!status.ok()) break;
      if (std::binary_search(applied->begin(), applied->end(),
                             int64_t{migration.number})) {
        continue;
      }
      status = Apply(session, migration, is_new, options);
    }
  }
  if (postgresql && session.usable()) {
    Query(session, "SELECT pg_advisory_unlock($1)", {kMigrationLock})
        .status()
        .IgnoreError();
  }
  return status;
}

absl::StatusOr<Marker> CheckSchema(Session& session,
                                   absl::Span<const Migration> migrations,
                                   const DatabaseOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> applied,
                   AppliedMigrations(session));
  std::string missing;
  for (const Migration& migration : migrations) {
    if (!std::binary_search(applied.begin(), applied.end(),
                            int64_t{migration.number})) {
      absl::StrAppend(&missing, " ", migration.number);
    }
  }
  if (!missing.empty()) {
    return absl::FailedPreconditionError(Cat(
        "the schema lacks migrations", missing, "; run the migration first"));
  }
  ASSIGN_OR_RETURN(const Rows rows,
                   Query(session,
                         "SELECT simulation, local, incarnation, "
                         "min_compatible_version FROM database_marker"));
  if (rows.size() != 1) {
    return absl::FailedPreconditionError("the database has no marker");
  }
  Marker marker{rows[0].Integer(0) != 0, rows[0].Integer(1) != 0,
                rows[0].Text(2), rows[0].Integer(3)};
  if (marker.min_compatible_version > migrations.back().number) {
    return absl::FailedPreconditionError(
        Cat("the schema needs a binary that knows migration ",
            marker.min_compatible_version, "; this one ends at ",
            migrations.back().number));
  }
  if (options.create_as_simulation && !marker.simulation) {
    return absl::FailedPreconditionError(
        "the database exists and was not created as a simulation");
  }
  if (options.create_as_local && !marker.local) {
    return absl::FailedPreconditionError(
        "the database exists and was not created as local");
  }
  return marker;
}

absl::Status RenewIncarnation(Session& session) {
  return Query(session, "UPDATE database_marker SET incarnation = $1",
               {NewIncarnation()})
      .status();
}

}  // namespace parcours::storage
