#ifndef PARCOURS_COMMON_STORAGE_POSTGRESQL_DATABASE_H_
#define PARCOURS_COMMON_STORAGE_POSTGRESQL_DATABASE_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/storage/database.h"
#include "common/storage/pooled_database.h"
#include "common/storage/session_pool.h"

namespace parcours::storage {

// A service's database on PostgreSQL: see Database.
class PostgresqlDatabase final : public PooledDatabase {
 public:
  // Connects once, to check the schema.
  static absl::StatusOr<std::unique_ptr<Database>> Open(
      const DatabaseOptions& options, absl::Span<const Migration> migrations);
  static absl::Status Migrate(const DatabaseOptions& options,
                              absl::Span<const Migration> migrations);

  // One session, as those of the pool are.
  static absl::StatusOr<std::unique_ptr<Session>> Connect(
      const DatabaseOptions& options);

  Engine engine() const override { return Engine::kPostgresql; }

 private:
  PostgresqlDatabase(const DatabaseOptions& options,
                     SessionPool::Factory factory)
      : sessions_(options.pool_size, options.maximum_waiting,
                  std::move(factory)) {}

  absl::StatusOr<SessionPool::Lease> Acquire(SessionTransaction::Mode mode,
                                             absl::Time deadline) override;

  SessionPool sessions_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_POSTGRESQL_DATABASE_H_
