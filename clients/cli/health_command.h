#ifndef PARCOURS_CLIENTS_CLI_HEALTH_COMMAND_H_
#define PARCOURS_CLIENTS_CLI_HEALTH_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "clients/cli/connection.h"

namespace parcours::cli {

// Asks the server at `address` through grpc.health.v1 whether it serves. OK
// when it does; UNAVAILABLE when it does not, or is not reached in `timeout`.
absl::Status CheckHealth(const std::string& address, const Access& access,
                         absl::Duration timeout);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_HEALTH_COMMAND_H_
