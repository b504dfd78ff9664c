#ifndef PARCOURS_CLIENTS_CLI_GENERATE_COMMAND_H_
#define PARCOURS_CLIENTS_CLI_GENERATE_COMMAND_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "clients/cli/connection.h"

namespace parcours::cli {

// Where a service keeps its record.
struct FilledDatabase {
  // As the service takes it, without a password; empty: it is left out.
  std::string url;
  // As the service takes it, with the master keys beside it: persons are sealed
  // with keys under them. By default beside a SQLite file, where the service
  // looks too; both are made where they are missing.
  std::string secret_file;
};

struct GenerateOptions {
  // Enrolment cannot be left out.
  FilledDatabase enrolment;
  FilledDatabase scheduling;
  FilledDatabase evaluation;
  std::string password_file;
  int64_t applications = 0;
  int64_t bodies = 0;
  uint64_t seed = 0;
};

// `parcours generate`: fills the databases of an installation, each of them
// empty and created as a simulation or as local, with made-up bodies, people
// and courses, for measuring how it grows. Everything goes through the stores
// of the services, and at the end has its place in feed and audit trail. Other
// databases are refused before anything is written.
ExitCode GenerateCommand(const GenerateOptions& options, std::ostream& out,
                         std::ostream& errors);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_GENERATE_COMMAND_H_
