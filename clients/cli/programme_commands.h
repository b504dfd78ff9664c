#ifndef PARCOURS_CLIENTS_CLI_PROGRAMME_COMMANDS_H_
#define PARCOURS_CLIENTS_CLI_PROGRAMME_COMMANDS_H_

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "clients/cli/connection.h"
#include "clients/cli/programme_apply.h"
#include "clients/cli/services.h"
#include "parcours/enrolment/v1/programme.pb.h"

namespace parcours::cli {

// The first of `paths`, completed with the others, in order. Prints to `errors`
// everything that keeps it from being applied, and is then empty.
std::optional<enrolment::v1::ProgrammeFile> ReadProgramme(
    const std::vector<std::string>& paths, std::ostream& errors);

// `parcours programme plan`: prints what applying would change; writes nothing.
ExitCode PlanProgrammeCommand(const ServiceAddresses& addresses,
                              const std::vector<std::string>& paths,
                              const ApplyOptions& options, std::ostream& out,
                              std::ostream& errors);

// `parcours programme apply`.
ExitCode ApplyProgrammeCommand(const ServiceAddresses& addresses,
                               const std::vector<std::string>& paths,
                               const ApplyOptions& options, std::ostream& out,
                               std::ostream& errors);

// `parcours programme copy`: writes the copy to `target`, which must not exist.
ExitCode CopyProgrammeCommand(const std::vector<std::string>& paths,
                              int to_year, const std::string& target,
                              std::ostream& out, std::ostream& errors);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_PROGRAMME_COMMANDS_H_
