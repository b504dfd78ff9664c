#ifndef PARCOURS_COMMON_STORAGE_SQLITE_DATABASE_H_
#define PARCOURS_COMMON_STORAGE_SQLITE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/storage/database.h"
#include "common/storage/pooled_database.h"
#include "common/storage/session_pool.h"

namespace parcours::storage {

// Keeps every other process, and every other lock of this one, off a SQLite
// file for as long as it lives.
class SqliteFileLock {
 public:
  // FAILED_PRECONDITION when another has it.
  static absl::StatusOr<SqliteFileLock> Take(const std::string& path);
  SqliteFileLock(SqliteFileLock&& other) noexcept
      : file_(std::exchange(other.file_, -1)) {}
  SqliteFileLock& operator=(SqliteFileLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~SqliteFileLock();

 private:
  explicit SqliteFileLock(int file) : file_(file) {}

  // Held through flock.
  int file_;
};

// The file of a URL that begins with sqlite://.
std::string SqlitePath(std::string_view url);

// Writes the whole file of `url` anew (VACUUM) and empties its log: what was
// deleted is left in neither. Moving rows within a file leaves copies of them
// in unused bytes of pages, which secure_delete does not reach. Changes wait
// meanwhile, and the rows are in memory a second time; so a file of more than
// `most_bytes` stays as it is, and false is answered. UNAVAILABLE when others
// keep the file for too long.
absl::StatusOr<bool> RewriteSqliteFile(std::string_view url, int64_t most_bytes,
                                       absl::Time deadline);

// A service's database in one SQLite file: see Database.
class SqliteDatabase final : public PooledDatabase {
 public:
  // Opens the file of `options.url`, creating it; migrates it, after copying an
  // older one to "<file>.before-<number>", the first migration to be applied.
  static absl::StatusOr<std::unique_ptr<Database>> Open(
      const DatabaseOptions& options, absl::Span<const Migration> migrations);

  Engine engine() const override { return Engine::kSqlite; }

 private:
  explicit SqliteDatabase(const DatabaseOptions& options);

  absl::Status Prepare(const DatabaseOptions& options,
                       absl::Span<const Migration> migrations);
  absl::StatusOr<SessionPool::Lease> Acquire(SessionTransaction::Mode mode,
                                             absl::Time deadline) override;

  const std::string path_;
  std::optional<SqliteFileLock> lock_;
  SessionPool writer_;
  SessionPool readers_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_SQLITE_DATABASE_H_
