#ifndef PARCOURS_CLIENTS_CLI_RETENTION_COMMANDS_H_
#define PARCOURS_CLIENTS_CLI_RETENTION_COMMANDS_H_

#include <ostream>
#include <string>
#include <vector>

#include "clients/cli/connection.h"
#include "clients/cli/services.h"

namespace parcours::cli {

// `parcours retention plan BODY`: what each service would remove because it is
// no longer needed, with the rule that says so.
ExitCode PlanRetentionCommand(const ServiceAddresses& addresses,
                              const std::vector<std::string>& arguments,
                              std::ostream& out, std::ostream& errors);

// `parcours retention apply BODY --service S --etag E`: removes what the plan
// with that etag names, and nothing else.
ExitCode ApplyRetentionCommand(const ServiceAddresses& addresses,
                               const std::vector<std::string>& arguments,
                               const std::string& service,
                               const std::string& etag, std::ostream& out,
                               std::ostream& errors);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_RETENTION_COMMANDS_H_
