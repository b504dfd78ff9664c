// `parcours client …`: the programs of partners and their secrets.

#ifndef PARCOURS_CLIENTS_CLI_CLIENT_COMMANDS_H_
#define PARCOURS_CLIENTS_CLI_CLIENT_COMMANDS_H_

#include <ostream>
#include <string>
#include <vector>

#include "clients/cli/connection.h"
#include "clients/cli/services.h"

namespace parcours::cli {

// Each calls enrolment, and tells a person on `out` and `err`.

// Creates the client NAME ("bodies/opale/apiClients/opco") as FILE, an
// ApiClient in the text format, describes it.
ExitCode CreateClientCommand(const ServiceAddresses& addresses,
                             const std::vector<std::string>& arguments,
                             std::ostream& out, std::ostream& err);

// Prints the clients of BODY, with their secrets' ids, ends and last uses.
ExitCode ListClientsCommand(const ServiceAddresses& addresses,
                            const std::vector<std::string>& arguments,
                            std::ostream& out, std::ostream& err);

// Adds a secret to the client NAME and writes it to the new file `path`, which
// its owner alone may read; it is never printed. An existing file is refused
// before anything is asked.
ExitCode AddClientSecretCommand(const ServiceAddresses& addresses,
                                const std::vector<std::string>& arguments,
                                const std::string& path, std::ostream& out,
                                std::ostream& err);

// Revokes the secret ID of the client NAME.
ExitCode RevokeClientSecretCommand(const ServiceAddresses& addresses,
                                   const std::vector<std::string>& arguments,
                                   std::ostream& out, std::ostream& err);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_CLIENT_COMMANDS_H_
