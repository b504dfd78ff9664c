#include "common/storage/database.h"

#include "common/status/macros.h"
#include "common/storage/migration.h"
#include "common/storage/postgresql_database.h"
#include "common/storage/sqlite_database.h"

namespace parcours::storage {
namespace {

bool IsSqlite(const DatabaseOptions& options) {
  return options.url.starts_with("sqlite://");
}

absl::Status CheckUrl(const DatabaseOptions& options) {
  if (IsSqlite(options) || options.url.starts_with("postgresql://")) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "a database URL begins with sqlite:// or postgresql://");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(
    const DatabaseOptions& options, absl::Span<const Migration> migrations) {
  RETURN_IF_ERROR(CheckUrl(options));
  ASSIGN_OR_RETURN(const std::vector<Migration> all,
                   WithPlatformMigrations(migrations));
  return IsSqlite(options) ? SqliteDatabase::Open(options, all)
                           : PostgresqlDatabase::Open(options, all);
}

absl::Status Database::Migrate(const DatabaseOptions& options,
                               absl::Span<const Migration> migrations) {
  RETURN_IF_ERROR(CheckUrl(options));
  ASSIGN_OR_RETURN(const std::vector<Migration> all,
                   WithPlatformMigrations(migrations));
  // A SQLite file is migrated by being opened.
  return IsSqlite(options) ? SqliteDatabase::Open(options, all).status()
                           : PostgresqlDatabase::Migrate(options, all);
}

}  // namespace parcours::storage
