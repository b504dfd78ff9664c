#ifndef PARCOURS_CLIENTS_CLI_PERSON_COMMANDS_H_
#define PARCOURS_CLIENTS_CLI_PERSON_COMMANDS_H_

#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clients/cli/connection.h"
#include "clients/cli/services.h"

namespace parcours::cli {

// `parcours person holds NAME`: why each service must keep a person, and until
// when.
ExitCode PersonHoldsCommand(const ServiceAddresses& addresses,
                            const std::vector<std::string>& arguments,
                            std::ostream& out, std::ostream& errors);

struct EraseOptions {
  // Say whether it could be done, and do nothing.
  bool check_only = false;
  // Do not ask for the id to be typed again.
  bool yes = false;
  // How long the erasure is followed, in real time.
  absl::Duration patience = absl::Minutes(2);
  // Between two looks.
  absl::Duration pause = absl::Milliseconds(250);
};

// `parcours person erase NAME`: says what will go and what stays, has the id
// of the person typed again on `in`, erases, and follows the erasure until
// every service has done it. kUnreachable when that takes longer than the
// patience: it goes on by itself, and the same command follows it again.
ExitCode ErasePersonCommand(const ServiceAddresses& addresses,
                            const std::vector<std::string>& arguments,
                            const EraseOptions& options, std::istream& in,
                            std::ostream& out, std::ostream& errors);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_PERSON_COMMANDS_H_
