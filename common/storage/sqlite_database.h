#ifndef PARCOURS_COMMON_STORAGE_SQLITE_DATABASE_H_
#define PARCOURS_COMMON_STORAGE_SQLITE_DATABASE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/storage/database.h"
#include "common/storage/pooled_database.h"
#include "common/storage/session_pool.h"

namespace parcours::storage {

// A service's database in one SQLite file: see Database.
class SqliteDatabase final : public PooledDatabase {
 public:
  // Opens the file of `options.url`, creating it; migrates it, after copying an
  // older one to "<file>.before-<number>", the first migration to be applied.
  static absl::StatusOr<std::unique_ptr<Database>> Open(
      const DatabaseOptions& options, absl::Span<const Migration> migrations);

  ~SqliteDatabase() override;
  Engine engine() const override { return Engine::kSqlite; }

 private:
  explicit SqliteDatabase(const DatabaseOptions& options);

  absl::Status LockFile();
  absl::Status Prepare(const DatabaseOptions& options,
                       absl::Span<const Migration> migrations);
  absl::StatusOr<SessionPool::Lease> Acquire(SessionTransaction::Mode mode,
                                             absl::Time deadline) override;

  const std::string path_;
  // Held, through flock, as long as this process has the file open.
  int lock_file_ = -1;
  SessionPool writer_;
  SessionPool readers_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_SQLITE_DATABASE_H_
