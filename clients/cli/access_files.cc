#include "clients/cli/access_files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "common/rpc/loopback.h"
#include "common/rpc/tls.h"
#include "common/text/view.h"

namespace parcours::cli {
namespace {

// A command does not live long enough to see them change.
constexpr absl::Duration kReloadInterval = absl::Hours(1);

std::string ReadToken(const std::string& path,
                      std::vector<std::string>& problems) {
  std::ifstream file(path);
  std::string token{std::istreambuf_iterator<char>(file),
                    std::istreambuf_iterator<char>()};
  absl::StripAsciiWhitespace(&token);
  if (token.empty()) {
    problems.push_back(Cat(path, " : aucun jeton ne peut y être lu."));
  }
  return token;
}

}  // namespace

absl::StatusOr<Access> ReadAccess(const AccessFiles& files) {
  std::vector<std::string> problems;
  Access access;
  std::string token_file = files.token_file;
  std::error_code ignored;
  if (token_file.empty() && std::filesystem::exists(kLocalTokenFile, ignored)) {
    token_file = kLocalTokenFile;
  }
  if (!token_file.empty()) access.token = ReadToken(token_file, problems);

  const rpc::TlsFiles tls_files = {
      .certificate_file = files.tls_certificate_file,
      .key_file = files.tls_key_file,
      .ca_file = files.tls_ca_file};
  if (!tls_files.certificate_file.empty() || !tls_files.key_file.empty()) {
    const auto tls = rpc::Tls::Load(tls_files, kReloadInterval);
    if (tls.ok()) {
      access.credentials = (*tls)->ForChannel();
    } else {
      problems.push_back(Cat("TLS : ", tls.status().message()));
    }
  } else if (!tls_files.ca_file.empty()) {
    auto credentials = rpc::ServerOnlyTls(tls_files.ca_file);
    if (credentials.ok()) {
      access.credentials = *std::move(credentials);
    } else {
      problems.push_back(Cat("TLS : ", credentials.status().message()));
    }
  }
  if (problems.empty()) return access;
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

absl::Status CheckReach(const std::vector<std::string>& addresses,
                        const Access& access) {
  if (access.credentials != nullptr) return absl::OkStatus();
  std::vector<std::string> problems;
  for (const std::string& address : addresses) {
    if (address.empty() || rpc::IsLoopbackAddress(address)) continue;
    problems.push_back(
        Cat(address,
            " n’est pas sur cette machine : sans --tls_ca_file, rien n’y est "
            "envoyé en clair."));
  }
  if (problems.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

}  // namespace parcours::cli
