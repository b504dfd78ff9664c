#ifndef PARCOURS_CLIENTS_CLI_MIGRATE_COMMAND_H_
#define PARCOURS_CLIENTS_CLI_MIGRATE_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/storage/database.h"

namespace parcours::cli {

// Which database, and of which service.
struct MigrateOptions {
  // "enrolment", "scheduling" or "evaluation".
  std::string service;
  // As the services take it; without a password.
  std::string database_url;
  std::string password_file;
  // Marks a new database, for ever, as one whose time is simulated.
  bool simulation = false;
  // The same for one that accepts the tokens of a local issuer.
  bool local = false;
};

// The schema of `service`; INVALID_ARGUMENT when it is none.
absl::StatusOr<std::vector<storage::Migration>> MigrationsOf(
    const std::string& service);

// Brings a database to the schema of this version, forward only. The services
// do it themselves on SQLite, and never on PostgreSQL, where several of them
// share a database. Safe to repeat. Errors: INVALID_ARGUMENT for a service or
// URL that is none, and those of storage::Database::Migrate.
absl::Status Migrate(const MigrateOptions& options);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_MIGRATE_COMMAND_H_
