#ifndef PARCOURS_CLIENTS_CLI_DATABASE_COMMANDS_H_
#define PARCOURS_CLIENTS_CLI_DATABASE_COMMANDS_H_

#include <ostream>
#include <string>

#include "clients/cli/connection.h"

namespace parcours::cli {

struct CopyDatabaseOptions {
  // "enrolment", "scheduling" or "evaluation".
  std::string service;
  // sqlite:///path/to/file.db
  std::string from;
  // postgresql://…, without a password.
  std::string to;
  std::string password_file;
};

// `parcours database copy`: takes a service's SQLite file over to a PostgreSQL
// database that is migrated and empty, compares every row and recomputes the
// audit trail before anything is committed; then prints what was copied and
// what to do next.
ExitCode CopyDatabaseCommand(const CopyDatabaseOptions& options,
                             std::ostream& out, std::ostream& errors);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_DATABASE_COMMANDS_H_
