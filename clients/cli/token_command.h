#ifndef PARCOURS_CLIENTS_CLI_TOKEN_COMMAND_H_
#define PARCOURS_CLIENTS_CLI_TOKEN_COMMAND_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clients/cli/connection.h"

namespace parcours::cli {

// What the local issuer's token is to say.
struct TokenOptions {
  std::string signing_key_file;
  std::string issuer;
  std::string audience;
  // Role names, as "jury_member".
  std::vector<std::string> roles;
  std::string body;
  std::string person;
  std::string organisation;
  std::string funder;
  // Empty: the first role.
  std::string subject;
  absl::Duration valid_for;
  // Where it is written, readable by its owner only; empty: it is printed.
  std::string token_file;
};

// `parcours token`: signs a token with the local issuer's key.
ExitCode TokenCommand(const TokenOptions& options, std::ostream& out,
                      std::ostream& errors);

// `parcours token keygen`: makes that key and its public key set.
ExitCode TokenKeygenCommand(const std::string& signing_key_file,
                            const std::string& jwks_file, std::ostream& out,
                            std::ostream& errors);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_TOKEN_COMMAND_H_
