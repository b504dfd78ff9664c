#ifndef PARCOURS_CLIENTS_CLI_KEYS_COMMAND_H_
#define PARCOURS_CLIENTS_CLI_KEYS_COMMAND_H_

#include <ostream>
#include <string>
#include <vector>

#include "clients/cli/connection.h"

namespace parcours::cli {

// `parcours keys rotate FILE`: puts a new master key before those of a
// service's master key file, in one step and for the file's owner alone, and
// says what to do next. The file must exist and be one; on any error it is as
// it was.
ExitCode RotateKeysCommand(const std::vector<std::string>& arguments,
                           std::ostream& out, std::ostream& errors);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_KEYS_COMMAND_H_
