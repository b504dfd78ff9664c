#ifndef PARCOURS_CLIENTS_CLI_ACCESS_FILES_H_
#define PARCOURS_CLIENTS_CLI_ACCESS_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/cli/connection.h"

namespace parcours::cli {

// The token that deploy/local keeps for the operator of this machine.
inline constexpr char kLocalTokenFile[] = "var/authority/token";

// Where what proves who calls is read. Secrets come from files only.
struct AccessFiles {
  // Empty: kLocalTokenFile where it exists, else no token.
  std::string token_file;
  // Authorities of the servers; empty: plain text.
  std::string tls_ca_file;
  // Of this client, for servers that ask for them; empty: none.
  std::string tls_certificate_file;
  std::string tls_key_file;
};

// INVALID_ARGUMENT, in French and with every problem, when a file is missing or
// is not what it should be.
absl::StatusOr<Access> ReadAccess(const AccessFiles& files);

// INVALID_ARGUMENT, in French, when one of the addresses would be called in
// plain text and is not on loopback.
absl::Status CheckReach(const std::vector<std::string>& addresses,
                        const Access& access);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_ACCESS_FILES_H_
