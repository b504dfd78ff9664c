#include "common/storage/copy.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/crypto/digest.h"
#include "common/status/macros.h"
#include "common/storage/migration.h"
#include "common/storage/postgresql_database.h"
#include "common/storage/sqlite_database.h"
#include "common/storage/sqlite_session.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

constexpr std::size_t kBatch = 100;
constexpr absl::Duration kStatementTime = absl::Minutes(10);

// What belongs to the database and not to what it records.
constexpr std::string_view kOwn[] = {"schema_migration", "feed_lease",
                                     "job_lease"};

bool IsOwn(const std::string& table) {
  return std::find(std::begin(kOwn), std::end(kOwn), table) != std::end(kOwn);
}

struct Table {
  std::string name;
  std::vector<std::string> columns;
  // Of the columns, those of the primary key.
  std::vector<std::size_t> key;
  // The column that grows by insertion; empty where none does.
  std::string identity;
  // Whether its rows on a new database are a migration's: those of the original
  // take their place.
  bool seeded = false;
};

absl::StatusOr<Rows> Query(Session& session, std::string sql,
                           Values values = {}) {
  const Statement statement{std::move(sql), std::move(values)};
  ASSIGN_OR_RETURN(std::vector<Result> results,
                   session.Run(absl::MakeConstSpan(&statement, 1),
                               absl::Now() + kStatementTime));
  return std::move(results[0].rows);
}

bool IsSeeded(const std::string& table,
              absl::Span<const Migration> migrations) {
  // By Database, in the transaction of the first migration.
  if (table == "database_marker") return true;
  return std::any_of(
      migrations.begin(), migrations.end(), [&](const Migration& migration) {
        return migration.sql.find(Cat("INSERT INTO ", table, " ")) !=
               std::string_view::npos;
      });
}

absl::StatusOr<std::vector<Table>> TablesOf(
    Session& from, Session& to, absl::Span<const Migration> migrations) {
  std::vector<Table> tables;
  // A table stands after those that it refers to, as it was created.
  ASSIGN_OR_RETURN(
      const Rows names,
      Query(from,
            "SELECT name FROM sqlite_master WHERE type = 'table' AND "
            "name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY rowid"));
  for (const Row& row : names) {
    Table table{.name = row.Text(0)};
    if (IsOwn(table.name)) continue;
    table.seeded = IsSeeded(table.name, migrations);
    ASSIGN_OR_RETURN(const Rows columns,
                     Query(from,
                           "SELECT name, pk FROM pragma_table_info($1) "
                           "ORDER BY cid",
                           {table.name}));
    std::vector<std::pair<int64_t, std::size_t>> key;
    std::set<std::string> known;
    for (const Row& column : columns) {
      if (column.Integer(1) > 0) {
        key.emplace_back(column.Integer(1), table.columns.size());
      }
      table.columns.push_back(column.Text(0));
      known.insert(column.Text(0));
    }
    std::sort(key.begin(), key.end());
    for (const auto& [order, index] : key) table.key.push_back(index);
    if (table.key.empty()) {
      return absl::InternalError(Cat("table ", table.name, " has no key"));
    }
    ASSIGN_OR_RETURN(
        const Rows there,
        Query(to,
              "SELECT CAST(column_name AS TEXT), CAST(is_identity AS TEXT) "
              "FROM information_schema.columns "
              "WHERE table_schema = current_schema() AND table_name = $1",
              {table.name}));
    for (const Row& column : there) {
      if (known.erase(column.Text(0)) == 0) known.insert(column.Text(0));
      if (column.Text(1) == "YES") table.identity = column.Text(0);
    }
    if (!known.empty()) {
      return absl::FailedPreconditionError(Cat(
          "table ", table.name,
          " has other columns in the target: ", absl::StrJoin(known, ", ")));
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

// Both must have exactly the migrations that this program knows.
absl::Status CheckMigrations(Session& session, std::string_view which,
                             std::string_view remedy,
                             absl::Span<const Migration> migrations) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> applied,
                   AppliedMigrations(session));
  std::vector<int64_t> known;
  known.reserve(migrations.size());
  for (const Migration& migration : migrations) {
    known.push_back(migration.number);
  }
  if (applied == known) return absl::OkStatus();
  return absl::FailedPreconditionError(
      Cat(which, " has not the schema of this program (it has ",
          applied.empty() ? "none" : Cat("migrations up to ", applied.back()),
          ", of ", known.size(), " it has ", applied.size(), "): ", remedy));
}

absl::Status CheckUnused(Session& to, const std::vector<Table>& tables) {
  std::vector<std::string> used;
  for (const Table& table : tables) {
    if (table.seeded) continue;
    ASSIGN_OR_RETURN(const Rows rows,
                     Query(to, Cat("SELECT 1 FROM ", table.name, " LIMIT 1")));
    if (!rows.empty()) used.push_back(table.name);
  }
  ASSIGN_OR_RETURN(const Rows worked,
                   Query(to,
                         "SELECT 1 FROM feed_lease WHERE fencing > 0 UNION ALL "
                         "SELECT 1 FROM job_lease"));
  if (!worked.empty()) used.emplace_back("the leases of a service");
  if (used.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      Cat("the target is not empty (", absl::StrJoin(used, ", "),
          "): create another database, migrate it and start no service on it "
          "before the copy"));
}

// Reads a table in the order of its key, a batch at a time.
class Reader {
 public:
  Reader(Session& session, const Table& table)
      : session_(session), table_(table) {}

  // The next rows; none at the end.
  absl::StatusOr<Rows> Next() {
    std::vector<std::string> key;
    key.reserve(table_.key.size());
    for (const std::size_t index : table_.key) {
      key.push_back(table_.columns[index]);
    }
    const std::string order = absl::StrJoin(key, ", ");
    std::string sql = Cat("SELECT ", absl::StrJoin(table_.columns, ", "),
                          " FROM ", table_.name);
    if (!last_.empty()) {
      CatTo(sql, " WHERE (", order, ") > (");
      for (std::size_t i = 0; i < last_.size(); ++i) {
        CatTo(sql, i == 0 ? "$" : ", $", i + 1);
      }
      sql += ")";
    }
    CatTo(sql, " ORDER BY ", order, " LIMIT ", kBatch);
    ASSIGN_OR_RETURN(Rows rows, Query(session_, std::move(sql), last_));
    if (!rows.empty()) {
      last_.clear();
      for (const std::size_t index : table_.key) {
        last_.push_back(rows.back()[index]);
      }
    }
    return rows;
  }

 private:
  Session& session_;
  const Table& table_;
  Values last_;
};

absl::Status CopyRows(Session& from, Session& to, const Table& table) {
  if (table.seeded) {
    RETURN_IF_ERROR(Query(to, Cat("DELETE FROM ", table.name)).status());
  }
  std::string insert = Cat(
      "INSERT INTO ", table.name, " (", absl::StrJoin(table.columns, ", "), ")",
      table.identity.empty() ? "" : " OVERRIDING SYSTEM VALUE", " VALUES (");
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    CatTo(insert, i == 0 ? "$" : ", $", i + 1);
  }
  insert += ")";
  Reader reader(from, table);
  while (true) {
    ASSIGN_OR_RETURN(const Rows rows, reader.Next());
    if (rows.empty()) return absl::OkStatus();
    std::vector<Statement> statements;
    statements.reserve(rows.size());
    for (const Row& row : rows) {
      Values values;
      for (std::size_t i = 0; i < row.size(); ++i) values.push_back(row[i]);
      statements.push_back({insert, std::move(values)});
    }
    RETURN_IF_ERROR(to.Run(statements, absl::Now() + kStatementTime).status());
  }
}

// What grows by insertion goes on after the largest value that there ever was,
// of rows that are gone too.
absl::Status ContinueIdentity(Session& from, Session& to, const Table& table) {
  if (table.identity.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Rows last,
                   Query(from,
                         "SELECT CAST(seq AS INTEGER) FROM sqlite_sequence "
                         "WHERE name = $1",
                         {table.name}));
  if (last.empty() || last[0].Integer(0) < 1) return absl::OkStatus();
  return Query(to, "SELECT setval(pg_get_serial_sequence($1, $2), $3, true)",
               {table.name, table.identity, last[0].Integer(0)})
      .status();
}

// One value, so that no two different ones have the same bytes.
void AppendValue(const Value& value, std::string& bytes) {
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    CatTo(bytes, "i", *integer, ";");
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    CatTo(bytes, "t", text->size(), ":", *text);
  } else if (const auto* blob = std::get_if<Blob>(&value)) {
    CatTo(bytes, "b", blob->bytes.size(), ":", blob->bytes);
  } else {
    bytes += "n;";
  }
}

std::string BytesOf(const Row& row) {
  std::string bytes;
  for (std::size_t i = 0; i < row.size(); ++i) AppendValue(row[i], bytes);
  return bytes;
}

std::string KeyOf(const Row& row, const Table& table) {
  std::string key;
  for (const std::size_t index : table.key) {
    if (!key.empty()) key += " ";
    AppendValue(row[index], key);
  }
  return key;
}

absl::StatusOr<CopiedTable> Compare(Session& from, Session& to,
                                    const Table& table) {
  CopiedTable copied{.name = table.name};
  crypto::Sha256 original;
  crypto::Sha256 copy;
  Reader originals(from, table);
  Reader copies(to, table);
  while (true) {
    ASSIGN_OR_RETURN(const Rows left, originals.Next());
    ASSIGN_OR_RETURN(const Rows right, copies.Next());
    for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
      const std::string a = i < left.size() ? BytesOf(left[i]) : "";
      const std::string b = i < right.size() ? BytesOf(right[i]) : "";
      if (a != b) {
        return absl::DataLossError(
            Cat("the copy of ", table.name, " differs at ",
                KeyOf(i < left.size() ? left[i] : right[i], table)));
      }
      original.Update(crypto::Sha256Hex(a));
      copy.Update(crypto::Sha256Hex(b));
      ++copied.rows;
    }
    if (left.empty() && right.empty()) break;
  }
  copied.digest = original.FinishHex();
  if (copied.digest != copy.FinishHex()) {
    return absl::DataLossError(Cat("the digests of ", table.name, " differ"));
  }
  return copied;
}

absl::Status CheckKind(const DatabaseOptions& from, const DatabaseOptions& to) {
  if (!from.url.starts_with("sqlite://") ||
      !to.url.starts_with("postgresql://")) {
    return absl::InvalidArgumentError(
        "a copy goes from sqlite:///path/to/file.db to postgresql://…; "
        "PostgreSQL is copied by its own tools");
  }
  const std::string path = SqlitePath(from.url);
  if (::access(path.c_str(), R_OK) != 0) {
    return absl::FailedPreconditionError(Cat("there is no file ", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CopyResult> CopyDatabase(
    const DatabaseOptions& from, const DatabaseOptions& to,
    absl::Span<const Migration> migrations,
    const std::function<absl::Status(Session&)>& check) {
  RETURN_IF_ERROR(CheckKind(from, to));
  ASSIGN_OR_RETURN(const std::vector<Migration> all,
                   WithPlatformMigrations(migrations));
  const std::string path = SqlitePath(from.url);
  ASSIGN_OR_RETURN(const SqliteFileLock lock, SqliteFileLock::Take(path));
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> source,
                   SqliteSession::Open(path, SqliteSession::Access::kReadOnly));
  RETURN_IF_ERROR(CheckMigrations(
      *source, "the original",
      "start and stop the service of this version on it once", all));
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> target,
                   PostgresqlDatabase::Connect(to));
  RETURN_IF_ERROR(CheckMigrations(
      *target, "the target", "run `parcours migrate` of this version", all));

  RETURN_IF_ERROR(Query(*target, "BEGIN").status());
  absl::Cleanup undo = [&target] {
    if (!target->usable() || !target->in_transaction()) return;
    Query(*target, "ROLLBACK").status().IgnoreError();
  };
  // Services that start meanwhile wait, as does another copy.
  RETURN_IF_ERROR(
      Query(*target, "LOCK TABLE database_marker IN ACCESS EXCLUSIVE MODE")
          .status());
  ASSIGN_OR_RETURN(const std::vector<Table> tables,
                   TablesOf(*source, *target, all));
  RETURN_IF_ERROR(CheckUnused(*target, tables));
  for (const Table& table : tables) {
    RETURN_IF_ERROR(CopyRows(*source, *target, table));
    RETURN_IF_ERROR(ContinueIdentity(*source, *target, table));
  }
  CopyResult result;
  for (const Table& table : tables) {
    ASSIGN_OR_RETURN(CopiedTable copied, Compare(*source, *target, table));
    result.tables.push_back(std::move(copied));
  }
  if (check) RETURN_IF_ERROR(check(*target));
  RETURN_IF_ERROR(RenewIncarnation(*target));
  ASSIGN_OR_RETURN(const Rows marker,
                   Query(*target, "SELECT incarnation FROM database_marker"));
  result.incarnation = marker.at(0).Text(0);
  RETURN_IF_ERROR(Query(*target, "COMMIT").status());
  return result;
}

}  // namespace parcours::storage
