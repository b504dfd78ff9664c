#ifndef PARCOURS_COMMON_IDENTITY_ISSUER_H_
#define PARCOURS_COMMON_IDENTITY_ISSUER_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/access/principal.h"
#include "parcours/platform/v1/identity_config.pb.h"

namespace parcours::identity {

// One TokenIssuer of the configuration, checked, its defaults filled in.
struct Issuer {
  std::string id;
  std::string issuer;
  std::string audience;
  // One of the two is empty.
  std::string jwks_url;
  std::string jwks_file;
  std::string ca_file;
  access::RoleSet allowed_roles;
  std::string body;
  bool installation_wide = false;
  bool local = false;
  bool api_clients = false;
  absl::Duration clock_skew;
  absl::Duration refresh_interval;
  absl::Duration maximum_key_age;
};

// The role that a token names: "jury_member" is ROLE_JURY_MEMBER. Nothing for
// a name that is none.
std::optional<int> RoleOf(std::string_view name);

// The names of all roles that a token may carry, in the contract's order.
std::vector<std::string> RoleNames();

// Checks `config`; paths in it are relative to `folder`. INVALID_ARGUMENT with
// every problem, one on a line.
absl::StatusOr<std::vector<Issuer>> IssuersOf(
    const platform::v1::IdentityConfig& config, const std::string& folder);

// The issuers that the file at `path`, in the text format, configures.
absl::StatusOr<std::vector<Issuer>> LoadIssuers(const std::string& path);

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_ISSUER_H_
