#include "clients/cli/token_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "common/identity/token_signer.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::cli {
namespace {

constexpr absl::Duration kLongest = absl::Hours(24 * 30);

bool IsRole(std::string_view name) {
  type::v1::Role role = type::v1::ROLE_UNSPECIFIED;
  const bool lower = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) || c == '_';
  });
  return lower &&
         type::v1::Role_Parse(absl::AsciiStrToUpper(Cat("role_", name)),
                              &role) &&
         role != type::v1::ROLE_UNSPECIFIED;
}

std::string RoleNames() {
  std::string names;
  for (int role = type::v1::Role_MIN; role <= type::v1::Role_MAX; ++role) {
    if (role == type::v1::ROLE_UNSPECIFIED || !type::v1::Role_IsValid(role)) {
      continue;
    }
    CatTo(names, names.empty() ? "" : ", ",
          absl::AsciiStrToLower(type::v1::Role_Name(role).substr(5)));
  }
  return names;
}

bool Check(const TokenOptions& options, std::ostream& errors) {
  bool valid = true;
  const auto refuse = [&](const std::string& problem) {
    errors << problem << '\n';
    valid = false;
  };
  if (options.roles.empty()) {
    refuse(Cat("--as est nécessaire : ", RoleNames(), "."));
  }
  for (const std::string& role : options.roles) {
    if (!IsRole(role)) {
      refuse(Cat("--as : « ", role, " » n’est aucun de ", RoleNames(), "."));
    }
  }
  const auto check_name = [&](const char* flag, std::string_view pattern,
                              const std::string& name) {
    if (!name.empty() && !MatchesNamePattern(pattern, name)) {
      refuse(Cat(flag, " : « ", name, " » n’a pas la forme ", pattern, "."));
    }
  };
  check_name("--body", "bodies/*", options.body);
  check_name("--person", "bodies/*/persons/*", options.person);
  check_name("--organisation", "bodies/*/organisations/*",
             options.organisation);
  check_name("--funder", "*", options.funder);
  for (const std::string* name : {&options.person, &options.organisation}) {
    if (!name->empty() && FirstSegments(*name, 2) != options.body) {
      refuse(Cat("« ", *name, " » n’appartient pas à --body « ", options.body,
                 " »."));
    }
  }
  if (options.valid_for <= absl::ZeroDuration() ||
      options.valid_for > kLongest) {
    refuse("--valid_for doit être entre 1s et 720h.");
  }
  return valid;
}

// Whole or not at all, and never readable by others.
absl::Status WriteSecret(const std::string& path, const std::string& content) {
  const std::string beside = Cat(path, ".", getpid(), ".new");
  unlink(beside.c_str());
  const int file =
      open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const absl::Cleanup close_file = [file] {
    if (file >= 0) close(file);
  };
  if (file < 0 ||
      write(file, content.data(), content.size()) !=
          static_cast<ssize_t>(content.size()) ||
      std::rename(beside.c_str(), path.c_str()) != 0) {
    absl::Status failed =
        absl::FailedPreconditionError(Cat(path, " : ", std::strerror(errno)));
    unlink(beside.c_str());
    return failed;
  }
  return absl::OkStatus();
}

}  // namespace

ExitCode TokenCommand(const TokenOptions& options, std::ostream& out,
                      std::ostream& errors) {
  if (!Check(options, errors)) return kUsage;
  const auto key = identity::SigningKey::Load(options.signing_key_file);
  if (!key.ok()) {
    errors << key.status().message() << '\n';
    return kUsage;
  }
  const absl::Time now = absl::Now();
  const auto token =
      key->Sign({.issuer = options.issuer,
                 .audience = options.audience,
                 .subject = options.subject.empty() ? options.roles.front()
                                                    : options.subject,
                 .roles = options.roles,
                 .body = options.body,
                 .person = options.person,
                 .organisation = options.organisation,
                 .funder = options.funder,
                 .issue_time = now,
                 .expire_time = now + options.valid_for});
  absl::Status status = token.status();
  if (status.ok() && !options.token_file.empty()) {
    status = WriteSecret(options.token_file, Cat(*token, "\n"));
  }
  if (!status.ok()) {
    errors << status.message() << '\n';
    return kRefused;
  }
  if (options.token_file.empty()) out << *token << '\n';
  return kSuccess;
}

ExitCode TokenKeygenCommand(const std::string& signing_key_file,
                            const std::string& jwks_file, std::ostream& out,
                            std::ostream& errors) {
  const absl::Status written =
      identity::WriteNewKey(signing_key_file, jwks_file);
  if (!written.ok()) {
    errors << written.message() << '\n';
    return absl::IsAlreadyExists(written) ? kUsage : kRefused;
  }
  out << signing_key_file << " : clé privée, à garder.\n"
      << jwks_file << " : clé publique.\n";
  return kSuccess;
}

}  // namespace parcours::cli
