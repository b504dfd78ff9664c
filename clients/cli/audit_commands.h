#ifndef PARCOURS_CLIENTS_CLI_AUDIT_COMMANDS_H_
#define PARCOURS_CLIENTS_CLI_AUDIT_COMMANDS_H_

#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clients/cli/connection.h"
#include "clients/cli/services.h"
#include "common/audit/verifier.h"

namespace parcours::cli {

// A head that was kept in a file, and of which service.
struct FiledHead {
  std::string service;
  audit::Head head;
};

// Reads what `parcours audit head` printed: service, incarnation, position and
// hash on a line, what follows them ignored; empty lines and those that begin
// with # too. INVALID_ARGUMENT with the line that is none of these.
absl::StatusOr<std::vector<FiledHead>> ReadKeptHeads(std::istream& file);

// `parcours audit head`: prints the end of each service's chain, to be kept.
ExitCode AuditHeadCommand(const ServiceAddresses& addresses, std::ostream& out,
                          std::ostream& errors);

// `parcours audit verify`: reads the whole chain of each service, recomputes
// it, and compares it with the heads kept by the other services and, where the
// path is not empty, in the file `against`. kRefused at a fault; kUnreachable
// when none was found but something could not be read.
ExitCode VerifyAuditCommand(const ServiceAddresses& addresses,
                            const std::string& against, std::ostream& out,
                            std::ostream& errors);

// What `parcours audit list` is narrowed to; empty and infinite: everything.
struct AuditFilter {
  std::string service;
  std::string resource;
  std::string subject;
  absl::Time since = absl::InfinitePast();
  absl::Time until = absl::InfiniteFuture();
};

// `parcours audit list`: prints entries, service by service.
ExitCode ListAuditCommand(const ServiceAddresses& addresses,
                          const AuditFilter& filter, std::ostream& out,
                          std::ostream& errors);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_AUDIT_COMMANDS_H_
