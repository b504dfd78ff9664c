#include "common/crypto/sealing.h"

#include <sodium.h>

#include <algorithm>

#include "absl/status/status.h"

namespace parcours::crypto {
namespace {

constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32);

unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

absl::StatusOr<Sealer> Sealer::Create(std::string_view key) {
  if (sodium_init() < 0) return absl::InternalError("libsodium does not start");
  Sealer sealer;
  if (key.size() != sealer.key_.size()) {
    return absl::InvalidArgumentError("a key of sealing has 32 bytes");
  }
  std::copy(key.begin(), key.end(), sealer.key_.begin());
  return sealer;
}

std::string Sealer::Seal(std::string_view clear,
                         std::string_view associated) const {
  std::string sealed(kNonceBytes + clear.size() + kTagBytes, '\0');
  unsigned char* const nonce = Bytes(sealed);
  randombytes_buf(nonce, kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      nonce + kNonceBytes, nullptr, Bytes(clear), clear.size(),
      Bytes(associated), associated.size(), nullptr, nonce, key_.data());
  return sealed;
}

std::optional<std::string> Sealer::Open(std::string_view sealed,
                                        std::string_view associated) const {
  if (sealed.size() < kNonceBytes + kTagBytes) return std::nullopt;
  std::string clear(sealed.size() - kNonceBytes - kTagBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          Bytes(clear), nullptr, nullptr, Bytes(sealed) + kNonceBytes,
          sealed.size() - kNonceBytes, Bytes(associated), associated.size(),
          Bytes(sealed), key_.data()) != 0) {
    return std::nullopt;
  }
  return clear;
}

}  // namespace parcours::crypto
