#include "common/storage/sqlite_session.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/dialect.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

// Virtual machine steps between two looks at the clock.
constexpr int kStepsBetweenDeadlineChecks = 4000;
// Prepared statements kept; SQL is written once, so that this is only a guard.
constexpr std::size_t kMaxPrepared = 1000;
constexpr int kBusyTimeoutMs = 5000;

absl::StatusCode CodeOf(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return absl::StatusCode::kAlreadyExists;
    default:
      break;
  }
  switch (extended & 0xFF) {
    case SQLITE_CONSTRAINT:
      return absl::StatusCode::kFailedPrecondition;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::StatusCode::kAborted;
    case SQLITE_INTERRUPT:
      return absl::StatusCode::kDeadlineExceeded;
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

// After these nobody knows what the connection holds.
bool LosesSession(int extended) {
  const int code = extended & 0xFF;
  return code == SQLITE_IOERR || code == SQLITE_CORRUPT ||
         code == SQLITE_NOTADB || code == SQLITE_CANTOPEN;
}

int StopAfterDeadline(void* deadline) {
  return absl::Now() > *static_cast<const absl::Time*>(deadline) ? 1 : 0;
}

}  // namespace

void SqliteSession::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

absl::StatusOr<std::unique_ptr<SqliteSession>> SqliteSession::Open(
    const std::string& path, Access access) {
  // SQLite gives the journal files the mode of the database file.
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return absl::UnavailableError(
        Cat("cannot open ", path, ": ", strerrordesc_np(errno)));
  }
  ::close(file);
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &database,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  std::unique_ptr<SqliteSession> session(new SqliteSession(database));
  if (code != SQLITE_OK) return session->Error(code, path);
  sqlite3_busy_timeout(database, kBusyTimeoutMs);
  sqlite3_progress_handler(database, kStepsBetweenDeadlineChecks,
                           StopAfterDeadline, &session->deadline_);
  RETURN_IF_ERROR(
      session->RunScript("PRAGMA journal_mode=WAL;"
                         "PRAGMA synchronous=FULL;"
                         "PRAGMA foreign_keys=ON;"
                         "PRAGMA trusted_schema=OFF;"
                         // What is deleted is overwritten, and what a
                         // checkpoint has copied is cut off the log.
                         "PRAGMA secure_delete=ON;"
                         "PRAGMA journal_size_limit=0;"));
  if (access == Access::kReadOnly) {
    RETURN_IF_ERROR(session->RunScript("PRAGMA query_only=ON;"));
  }
  return session;
}

SqliteSession::~SqliteSession() {
  prepared_.clear();
  sqlite3_close(database_);
}

bool SqliteSession::in_transaction() const {
  return sqlite3_get_autocommit(database_) == 0;
}

absl::Status SqliteSession::Error(int code, std::string_view what) {
  const int extended =
      database_ == nullptr ? code : sqlite3_extended_errcode(database_);
  // A misuse does not set the error of the connection.
  const int effective = (extended & 0xFF) == (code & 0xFF) ? extended : code;
  if (LosesSession(effective)) usable_ = false;
  const char* text =
      database_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database_);
  return absl::Status(CodeOf(effective),
                      Cat("SQLite ", effective, ": ", text, ": ", what));
}

absl::StatusOr<std::vector<Result>> SqliteSession::Run(
    absl::Span<const Statement> statements, absl::Time deadline) {
  if (!usable_) return absl::UnavailableError("SQLite session is lost");
  deadline_ = deadline;
  std::vector<Result> results;
  results.reserve(statements.size());
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (absl::Now() > deadline) {
      return WithFailedStatement(
          absl::DeadlineExceededError("deadline passed before a statement"), i);
    }
    absl::StatusOr<Result> result = RunOne(statements[i]);
    if (!result.ok()) return WithFailedStatement(result.status(), i);
    results.push_back(*std::move(result));
  }
  return results;
}

absl::StatusOr<Result> SqliteSession::RunOne(const Statement& statement) {
  RETURN_IF_ERROR(CheckValues(statement.values));
  ASSIGN_OR_RETURN(sqlite3_stmt * prepared, Prepare(statement.sql));
  const sqlite3_int64 changes_before = sqlite3_total_changes64(database_);
  Result result;
  absl::Status status = Bind(prepared, statement);
  if (status.ok()) {
    absl::StatusOr<Rows> rows = Step(prepared);
    status = rows.status();
    if (rows.ok()) result.rows = *std::move(rows);
  }
  // An unfinished statement would keep a snapshot open and hold up COMMIT.
  sqlite3_reset(prepared);
  sqlite3_clear_bindings(prepared);
  RETURN_IF_ERROR(status);
  if (sqlite3_total_changes64(database_) != changes_before) {
    result.affected = sqlite3_changes64(database_);
  }
  return result;
}

absl::StatusOr<sqlite3_stmt*> SqliteSession::Prepare(const std::string& sql) {
  if (const auto found = prepared_.find(sql); found != prepared_.end()) {
    return found->second.get();
  }
  if (prepared_.size() >= kMaxPrepared) prepared_.clear();
  ASSIGN_OR_RETURN(const std::string text, InDialect(sql, Engine::kSqlite));
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  const int code =
      sqlite3_prepare_v3(database_, text.c_str(), static_cast<int>(text.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, &tail);
  if (code != SQLITE_OK) return Error(code, text);
  std::unique_ptr<sqlite3_stmt, Finalize> owned(statement);
  if (statement == nullptr || !absl::StripAsciiWhitespace(tail).empty()) {
    return absl::InternalError(Cat("not one statement: ", text));
  }
  return prepared_.emplace(sql, std::move(owned)).first->second.get();
}

absl::Status SqliteSession::Bind(sqlite3_stmt* prepared,
                                 const Statement& statement) {
  if (sqlite3_bind_parameter_count(prepared) !=
      static_cast<int>(statement.values.size())) {
    return absl::InternalError(
        Cat(statement.values.size(), " values for: ", statement.sql));
  }
  for (std::size_t i = 0; i < statement.values.size(); ++i) {
    // By name: SQLite numbers $2 … $1 in order of appearance.
    const int index =
        sqlite3_bind_parameter_index(prepared, Cat("$", i + 1).c_str());
    if (index == 0) {
      return absl::InternalError(
          Cat("$", i + 1, " is not used in: ", statement.sql));
    }
    const Value& value = statement.values[i];
    int code = SQLITE_OK;
    // The values outlive the statement's run, so that nothing is copied.
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      code = sqlite3_bind_int64(prepared, index, *integer);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      code = sqlite3_bind_text64(prepared, index, text->data(), text->size(),
                                 SQLITE_STATIC, SQLITE_UTF8);
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      code = sqlite3_bind_blob64(prepared, index, blob->bytes.data(),
                                 blob->bytes.size(), SQLITE_STATIC);
    } else {
      code = sqlite3_bind_null(prepared, index);
    }
    if (code != SQLITE_OK) return Error(code, statement.sql);
  }
  return absl::OkStatus();
}

absl::StatusOr<Rows> SqliteSession::Step(sqlite3_stmt* prepared) {
  Rows rows;
  for (;;) {
    const int code = sqlite3_step(prepared);
    if (code == SQLITE_DONE) return rows;
    if (code != SQLITE_ROW) return Error(code, sqlite3_sql(prepared));
    Values values;
    const int columns = sqlite3_column_count(prepared);
    values.reserve(static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i) {
      switch (sqlite3_column_type(prepared, i)) {
        case SQLITE_NULL:
          values.emplace_back(nullptr);
          break;
        case SQLITE_INTEGER:
          values.emplace_back(int64_t{sqlite3_column_int64(prepared, i)});
          break;
        case SQLITE_TEXT: {
          const auto* text =
              reinterpret_cast<const char*>(sqlite3_column_text(prepared, i));
          values.emplace_back(std::string(
              text,
              static_cast<std::size_t>(sqlite3_column_bytes(prepared, i))));
          break;
        }
        case SQLITE_BLOB: {
          // NULL for a blob of no bytes.
          const auto* bytes =
              static_cast<const char*>(sqlite3_column_blob(prepared, i));
          const auto size =
              static_cast<std::size_t>(sqlite3_column_bytes(prepared, i));
          values.emplace_back(
              Blob{size == 0 ? std::string() : std::string(bytes, size)});
          break;
        }
        default:
          return absl::InternalError(Cat(
              "column ", i,
              " is neither integer, text nor bytes: ", sqlite3_sql(prepared)));
      }
    }
    rows.emplace_back(std::move(values));
  }
}

absl::Status SqliteSession::RunScript(std::string_view sql) {
  ASSIGN_OR_RETURN(const std::string text, InDialect(sql, Engine::kSqlite));
  deadline_ = absl::InfiniteFuture();
  const int code =
      sqlite3_exec(database_, text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Error(code, text.substr(0, 200));
  return absl::OkStatus();
}

}  // namespace parcours::storage
