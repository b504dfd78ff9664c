#ifndef PARCOURS_COMMON_STORAGE_MIGRATION_H_
#define PARCOURS_COMMON_STORAGE_MIGRATION_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/storage/database.h"
#include "common/storage/session.h"

namespace parcours::storage {

// What a database says of itself.
struct Marker {
  bool simulation = false;
  bool local = false;
  std::string incarnation;
  int64_t min_compatible_version = 0;
};

// The platform's migrations and then those of the service, whose numbers begin
// at 100. INTERNAL when they do not ascend.
absl::StatusOr<std::vector<Migration>> WithPlatformMigrations(
    absl::Span<const Migration> service);

// The numbers that were applied to the database, ascending; none on a new one.
absl::StatusOr<std::vector<int64_t>> AppliedMigrations(Session& session);

// Applies what is missing, each migration in a transaction of its own, and
// marks a new database as `options` say. On PostgreSQL one process migrates at
// a time.
absl::Status ApplyMigrations(Session& session,
                             absl::Span<const Migration> migrations,
                             const DatabaseOptions& options);

// The marker of a database that these migrations understand.
// FAILED_PRECONDITION when some are missing, or the schema needs a later
// binary, or `options` ask for a simulation or a local database of one that was
// created without.
absl::StatusOr<Marker> CheckSchema(Session& session,
                                   absl::Span<const Migration> migrations,
                                   const DatabaseOptions& options);

// Gives the database a new incarnation, as is due after a restore or a copy:
// feed tokens given before are refused.
absl::Status RenewIncarnation(Session& session);

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_MIGRATION_H_
