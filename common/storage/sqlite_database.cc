#include "common/storage/sqlite_database.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/migration.h"
#include "common/storage/sqlite_session.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

constexpr std::string_view kScheme = "sqlite://";
constexpr absl::Duration kCopyTime = absl::Hours(1);

SessionPool::Factory Opens(const std::string& path,
                           SqliteSession::Access access,
                           const DatabaseOptions& options) {
  return [path, access, decorate = options.decorate_session](
             absl::Time) -> absl::StatusOr<std::unique_ptr<Session>> {
    ASSIGN_OR_RETURN(std::unique_ptr<Session> session,
                     SqliteSession::Open(path, access));
    return decorate ? decorate(std::move(session)) : std::move(session);
  };
}

absl::Status SyncFile(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (synced) return absl::OkStatus();
  return absl::UnavailableError(
      Cat("cannot sync ", path, ": ", strerrordesc_np(errno)));
}

// A copy of what is committed, readable by its owner only.
absl::Status CopyDatabase(Session& session, const std::string& copy) {
  ::unlink(copy.c_str());
  const int file = ::open(copy.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return absl::UnavailableError(
        Cat("cannot create ", copy, ": ", strerrordesc_np(errno)));
  }
  ::close(file);
  const Statement statement{"VACUUM INTO $1", {copy}};
  RETURN_IF_ERROR(
      session.Run(absl::MakeConstSpan(&statement, 1), absl::Now() + kCopyTime)
          .status());
  return SyncFile(copy);
}

}  // namespace

absl::StatusOr<SqliteFileLock> SqliteFileLock::Take(const std::string& path) {
  const std::string lock_path = Cat(path, ".lock");
  SqliteFileLock lock(
      ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.file_ < 0) {
    return absl::UnavailableError(
        Cat("cannot open ", lock_path, ": ", strerrordesc_np(errno)));
  }
  if (::flock(lock.file_, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        Cat(path,
            " is open in another process; one SQLite file serves one "
            "process: stop that one, or use PostgreSQL"));
  }
  return lock;
}

SqliteFileLock::~SqliteFileLock() {
  if (file_ >= 0) ::close(file_);
}

std::string SqlitePath(std::string_view url) {
  return std::string(absl::StripPrefix(AbslView(url), AbslView(kScheme)));
}

absl::StatusOr<bool> RewriteSqliteFile(std::string_view url, int64_t most_bytes,
                                       absl::Time deadline) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteSession> session,
      SqliteSession::Open(SqlitePath(url), SqliteSession::Access::kReadWrite));
  const std::vector<Statement> measure = {
      {"SELECT page_count * page_size"
       " FROM pragma_page_count(), pragma_page_size()",
       {}}};
  ASSIGN_OR_RETURN(const std::vector<Result> size,
                   session->Run(measure, deadline));
  if (size[0].rows.at(0).Integer(0) > most_bytes) return false;
  // Nothing is written to a temporary file.
  const std::vector<Statement> rewrite = {
      {"PRAGMA temp_store=MEMORY", {}},
      {"VACUUM", {}},
      {"PRAGMA wal_checkpoint(TRUNCATE)", {}}};
  RETURN_IF_ERROR(session->Run(rewrite, deadline).status());
  return true;
}

SqliteDatabase::SqliteDatabase(const DatabaseOptions& options)
    : path_(SqlitePath(options.url)),
      writer_(1, options.maximum_waiting,
              Opens(path_, SqliteSession::Access::kReadWrite, options)),
      readers_(options.pool_size, options.maximum_waiting,
               Opens(path_, SqliteSession::Access::kReadOnly, options)) {}

absl::StatusOr<std::unique_ptr<Database>> SqliteDatabase::Open(
    const DatabaseOptions& options, absl::Span<const Migration> migrations) {
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(options));
  ASSIGN_OR_RETURN(database->lock_, SqliteFileLock::Take(database->path_));
  RETURN_IF_ERROR(database->Prepare(options, migrations));
  return database;
}

absl::Status SqliteDatabase::Prepare(const DatabaseOptions& options,
                                     absl::Span<const Migration> migrations) {
  ASSIGN_OR_RETURN(const SessionPool::Lease session,
                   writer_.Acquire(absl::InfiniteFuture()));
  ASSIGN_OR_RETURN(const std::vector<int64_t> applied,
                   AppliedMigrations(*session));
  if (!applied.empty()) {
    for (const Migration& migration : migrations) {
      if (std::binary_search(applied.begin(), applied.end(),
                             int64_t{migration.number})) {
        continue;
      }
      RETURN_IF_ERROR(
          CopyDatabase(*session, Cat(path_, ".before-", migration.number)));
      break;
    }
  }
  RETURN_IF_ERROR(ApplyMigrations(*session, migrations, options));
  ASSIGN_OR_RETURN(Marker marker, CheckSchema(*session, migrations, options));
  set_marker(std::move(marker));
  set_person_secrets(options.person_secrets);
  return absl::OkStatus();
}

absl::StatusOr<SessionPool::Lease> SqliteDatabase::Acquire(
    SessionTransaction::Mode mode, absl::Time deadline) {
  return (mode == SessionTransaction::Mode::kWrite ? writer_ : readers_)
      .Acquire(deadline);
}

}  // namespace parcours::storage
