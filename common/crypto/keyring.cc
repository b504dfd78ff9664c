#include "common/crypto/keyring.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "common/crypto/digest.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::crypto {
namespace {

constexpr std::size_t kIdCharacters = 8;
constexpr std::size_t kKeyBytes = 32;

absl::Status Failed(const std::filesystem::path& path,
                    std::string_view problem) {
  return absl::FailedPreconditionError(
      Cat("master key file ", path.string(), ": ", problem));
}

// Made by whoever comes first: O_EXCL keeps a second process from writing over.
absl::Status Make(const std::filesystem::path& path) {
  const int file =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    return errno == EEXIST ? absl::OkStatus()
                           : Failed(path, std::strerror(errno));
  }
  const absl::Cleanup close_file = [file] { close(file); };
  const std::string line = Keyring::NewLine() + "\n";
  if (write(file, line.data(), line.size()) !=
          static_cast<ssize_t>(line.size()) ||
      fsync(file) != 0) {
    return Failed(path, std::strerror(errno));
  }
  return absl::OkStatus();
}

bool IsId(std::string_view text) {
  return text.size() == kIdCharacters &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c);
         });
}

bool IsKey(std::string_view text) {
  return text.size() == 2 * kKeyBytes &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isxdigit(c); });
}

}  // namespace

std::string Keyring::NewLine() {
  return Cat(RandomHex(kIdCharacters / 2), " ", RandomHex(kKeyBytes));
}

absl::StatusOr<Keyring> Keyring::Load(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) RETURN_IF_ERROR(Make(path));
  struct stat facts = {};
  if (stat(path.c_str(), &facts) != 0) {
    return Failed(path, std::strerror(errno));
  }
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Failed(path, "others than its owner may read it (chmod 600)");
  }
  std::ifstream file(path);
  if (!file) return Failed(path, std::strerror(errno));
  Keyring keyring;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string text(absl::StripAsciiWhitespace(line));
    if (text.empty() || text.front() == '#') continue;
    const std::string id = text.substr(0, text.find(' '));
    const std::string key =
        id.size() < text.size() ? text.substr(id.size() + 1) : "";
    if (!IsId(id) || !IsKey(key)) {
      return Failed(path, Cat("line ", number,
                              " is not an id of 8 of a-z and 0-9, a space and "
                              "64 hexadecimal digits"));
    }
    for (const auto& [other, sealer] : keyring.keys_) {
      if (other == id) {
        return Failed(path, Cat("line ", number, ": ", id, " stands twice"));
      }
    }
    ASSIGN_OR_RETURN(Sealer sealer,
                     Sealer::Create(absl::HexStringToBytes(key)));
    keyring.keys_.emplace_back(id, std::move(sealer));
  }
  if (keyring.keys_.empty()) return Failed(path, "it holds no key");
  return keyring;
}

std::string Keyring::Wrap(std::string_view key, std::string_view owner) const {
  const auto& [id, sealer] = keys_.front();
  return id + sealer.Seal(key, owner);
}

absl::StatusOr<std::string> Keyring::Unwrap(std::string_view wrapped,
                                            std::string_view owner) const {
  const std::string id = MasterIdOf(wrapped);
  for (const auto& [known, sealer] : keys_) {
    if (known != id) continue;
    if (auto key = sealer.Open(wrapped.substr(kIdCharacters), owner)) {
      return *std::move(key);
    }
    return absl::InternalError(Cat("a key of ", owner, " does not unwrap"));
  }
  return absl::FailedPreconditionError(
      Cat("master key ", id, " is not in the master key file"));
}

std::string Keyring::MasterIdOf(std::string_view wrapped) {
  return std::string(wrapped.substr(0, kIdCharacters));
}

}  // namespace parcours::crypto
