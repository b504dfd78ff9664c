#include "common/platform/secrets.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/cleanup/cleanup.h"
#include "common/crypto/digest.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::platform {
namespace {

constexpr std::size_t kSecretBytes = crypto_kdf_KEYBYTES;

absl::Status Failed(const std::filesystem::path& path,
                    std::string_view problem) {
  return absl::FailedPreconditionError(
      Cat("secret file ", path.string(), ": ", problem));
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
  const std::string secret = crypto::RandomBytes(kSecretBytes);
  if (write(file, secret.data(), secret.size()) !=
          static_cast<ssize_t>(secret.size()) ||
      fsync(file) != 0) {
    return Failed(path, std::strerror(errno));
  }
  return absl::OkStatus();
}

std::string Derive(const std::string& secret, uint64_t purpose) {
  std::string key(kSecretBytes, '\0');
  crypto_kdf_derive_from_key(
      reinterpret_cast<unsigned char*>(key.data()), key.size(), purpose,
      "parcours", reinterpret_cast<const unsigned char*>(secret.data()));
  return key;
}

}  // namespace

absl::StatusOr<Secrets> LoadSecrets(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) RETURN_IF_ERROR(Make(path));
  std::ifstream file(path, std::ios::binary);
  if (!file) return Failed(path, std::strerror(errno));
  const std::string secret{std::istreambuf_iterator<char>(file), {}};
  if (secret.size() != kSecretBytes) {
    return Failed(
        path, Cat("expected ", kSecretBytes, " bytes, found ", secret.size()));
  }
  return Secrets{.request_digest_key = Derive(secret, 1),
                 .page_token_key = Derive(secret, 2),
                 .cache_sealing_key = Derive(secret, 3),
                 .credential_key = Derive(secret, 4),
                 .blind_index_key = Derive(secret, 5)};
}

}  // namespace parcours::platform
