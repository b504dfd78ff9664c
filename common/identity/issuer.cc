#include "common/identity/issuer.h"

#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "common/identity/key_source.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/textproto/text_proto.h"
#include "common/types/resource_name.h"
#include "google/protobuf/duration.pb.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::identity {
namespace {

constexpr std::string_view kRolePrefix = "ROLE_";
constexpr absl::Duration kLongestSkew = absl::Minutes(5);
constexpr absl::Duration kShortestRefresh = absl::Seconds(1);
constexpr absl::Duration kLongestKeyAge = absl::Hours(24 * 30);

access::RoleSet OrdinaryRoles() {
  access::RoleSet roles;
  for (int role = type::v1::Role_MIN; role <= type::v1::Role_MAX; ++role) {
    const bool extraordinary =
        role == type::v1::ROLE_UNSPECIFIED || role == type::v1::ROLE_SERVICE ||
        role == type::v1::ROLE_ADMINISTRATOR || role == type::v1::ROLE_PUBLIC ||
        role == type::v1::ROLE_FEED_READER;
    if (type::v1::Role_IsValid(role) && !extraordinary) roles.Add(role);
  }
  return roles;
}

std::string Resolved(const std::string& folder, const std::string& path) {
  if (path.empty()) return path;
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

// What is wrong with one issuer, each with its place before it.
class Checks {
 public:
  Checks(std::string place, std::vector<std::string>& problems)
      : place_(std::move(place)), problems_(problems) {}

  void Refuse(std::string_view problem) {
    problems_.push_back(Cat(place_, ": ", problem));
  }
  void Require(bool holds, std::string_view problem) {
    if (!holds) Refuse(problem);
  }
  absl::Duration DurationOf(bool set, const google::protobuf::Duration& given,
                            absl::Duration fallback, absl::Duration least,
                            absl::Duration most, std::string_view name) {
    if (!set) return fallback;
    const absl::Duration value =
        absl::Seconds(given.seconds()) + absl::Nanoseconds(given.nanos());
    if (value < least || value > most) {
      Refuse(Cat(name, " is not between ", absl::FormatDuration(least), " and ",
                 absl::FormatDuration(most)));
    }
    return value;
  }

 private:
  const std::string place_;
  std::vector<std::string>& problems_;
};

Issuer CheckIssuer(const platform::v1::TokenIssuer& config,
                   const std::string& folder, Checks& checks) {
  Issuer issuer{.id = config.id(),
                .issuer = config.issuer(),
                .audience = config.audience(),
                .jwks_url = config.jwks_url(),
                .jwks_file = Resolved(folder, config.jwks_file()),
                .ca_file = Resolved(folder, config.ca_file()),
                .allowed_roles = {},
                .body = config.body(),
                .installation_wide = config.installation_wide(),
                .local = config.local(),
                .api_clients = config.api_clients(),
                .clock_skew = {},
                .refresh_interval = {},
                .maximum_key_age = {}};
  checks.Require(MatchesNamePattern("*", issuer.id),
                 "id is not 1 to 63 of [a-z0-9-]");
  checks.Require(!issuer.issuer.empty(), "issuer is missing");
  checks.Require(!issuer.audience.empty(), "audience is missing");
  if (issuer.jwks_url.empty() && issuer.jwks_file.empty()) {
    checks.Refuse("neither jwks_url nor jwks_file is given");
  }
  if (!issuer.jwks_url.empty()) {
    const absl::Status url = CheckKeyUrl(issuer.jwks_url);
    if (!url.ok()) checks.Refuse(Cat("jwks_url: ", url.message()));
  }
  if (!issuer.ca_file.empty()) {
    checks.Require(issuer.jwks_url.starts_with("https:"),
                   "ca_file is given without a jwks_url of https");
    checks.Require(std::filesystem::is_regular_file(issuer.ca_file),
                   Cat("ca_file: there is no ", issuer.ca_file));
  }
  for (const int role : config.allowed_roles()) {
    if (role == type::v1::ROLE_UNSPECIFIED || !type::v1::Role_IsValid(role)) {
      checks.Refuse("allowed_roles: not a role");
    } else {
      issuer.allowed_roles.Add(role);
    }
  }
  if (config.allowed_roles().empty()) issuer.allowed_roles = OrdinaryRoles();
  if (!issuer.body.empty()) {
    checks.Require(MatchesNamePattern("bodies/*", issuer.body),
                   "body is not a name bodies/*");
    checks.Require(!issuer.installation_wide,
                   "body and installation_wide exclude each other");
  }
  issuer.clock_skew = checks.DurationOf(
      config.has_clock_skew(), config.clock_skew(), absl::Seconds(60),
      absl::ZeroDuration(), kLongestSkew, "clock_skew");
  issuer.refresh_interval = checks.DurationOf(
      config.has_refresh_interval(), config.refresh_interval(),
      absl::Minutes(5), kShortestRefresh, kLongestKeyAge, "refresh_interval");
  issuer.maximum_key_age = checks.DurationOf(
      config.has_maximum_key_age(), config.maximum_key_age(), absl::Hours(24),
      kShortestRefresh, kLongestKeyAge, "maximum_key_age");
  checks.Require(issuer.maximum_key_age >= issuer.refresh_interval,
                 "maximum_key_age is shorter than refresh_interval");
  return issuer;
}

}  // namespace

std::optional<int> RoleOf(std::string_view name) {
  for (const char c : name) {
    if (!absl::ascii_islower(static_cast<unsigned char>(c)) && c != '_') {
      return std::nullopt;
    }
  }
  type::v1::Role role = type::v1::ROLE_UNSPECIFIED;
  if (!type::v1::Role_Parse(absl::AsciiStrToUpper(Cat(kRolePrefix, name)),
                            &role) ||
      role == type::v1::ROLE_UNSPECIFIED) {
    return std::nullopt;
  }
  return role;
}

std::vector<std::string> RoleNames() {
  std::vector<std::string> names;
  for (int role = type::v1::Role_MIN; role <= type::v1::Role_MAX; ++role) {
    if (role == type::v1::ROLE_UNSPECIFIED || !type::v1::Role_IsValid(role)) {
      continue;
    }
    names.push_back(absl::AsciiStrToLower(
        type::v1::Role_Name(role).substr(kRolePrefix.size())));
  }
  return names;
}

absl::StatusOr<std::vector<Issuer>> IssuersOf(
    const platform::v1::IdentityConfig& config, const std::string& folder) {
  std::vector<std::string> problems;
  std::vector<Issuer> issuers;
  std::set<std::string> ids;
  std::set<std::string> names;
  for (int i = 0; i < config.issuers_size(); ++i) {
    Checks checks(Cat("issuer ", i + 1, " ", config.issuers(i).id()), problems);
    Issuer issuer = CheckIssuer(config.issuers(i), folder, checks);
    checks.Require(ids.insert(issuer.id).second, "another one has this id");
    checks.Require(names.insert(issuer.issuer).second,
                   "another one has the same issuer");
    issuers.push_back(std::move(issuer));
  }
  if (issuers.empty()) problems.emplace_back("no issuer is given");
  if (!problems.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
  }
  return issuers;
}

absl::StatusOr<std::vector<Issuer>> LoadIssuers(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, textproto::ReadTextFile(path));
  platform::v1::IdentityConfig config;
  RETURN_IF_ERROR(textproto::Parse(text, path, config));
  auto issuers =
      IssuersOf(config, std::filesystem::absolute(path).parent_path().string());
  if (issuers.ok()) return issuers;
  return absl::InvalidArgumentError(
      Cat(path, ":\n", issuers.status().message()));
}

}  // namespace parcours::identity
