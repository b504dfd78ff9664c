#ifndef PARCOURS_COMMON_STORAGE_SQLITE_SESSION_H_
#define PARCOURS_COMMON_STORAGE_SQLITE_SESSION_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/storage/session.h"

struct sqlite3;
struct sqlite3_stmt;

namespace parcours::storage {

// A connection to one SQLite file in WAL mode with synchronous=FULL and foreign
// keys enforced. Not thread-safe.
class SqliteSession final : public Session {
 public:
  enum class Access { kReadWrite, kReadOnly };

  // Opens `path`, creating it readable by its owner only.
  static absl::StatusOr<std::unique_ptr<SqliteSession>> Open(
      const std::string& path, Access access);

  ~SqliteSession() override;
  SqliteSession(const SqliteSession&) = delete;
  SqliteSession& operator=(const SqliteSession&) = delete;

  Engine engine() const override { return Engine::kSqlite; }
  absl::StatusOr<std::vector<Result>> Run(
      absl::Span<const Statement> statements, absl::Time deadline) override;
  absl::Status RunScript(std::string_view sql) override;
  bool usable() const override { return usable_; }
  bool in_transaction() const override;

 private:
  explicit SqliteSession(sqlite3* database) : database_(database) {}

  absl::StatusOr<Result> RunOne(const Statement& statement);
  absl::StatusOr<sqlite3_stmt*> Prepare(const std::string& sql);
  absl::Status Bind(sqlite3_stmt* prepared, const Statement& statement);
  absl::StatusOr<Rows> Step(sqlite3_stmt* prepared);
  absl::Status Error(int code, std::string_view what);

  // Deleting a statement before its database is what sqlite3_close demands.
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  sqlite3* const database_;
  bool usable_ = true;
  absl::Time deadline_ = absl::InfiniteFuture();
  absl::flat_hash_map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>>
      prepared_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_SQLITE_SESSION_H_
