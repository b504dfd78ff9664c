#include "common/crypto/digest.h"

#include "absl/strings/escaping.h"

namespace parcours::crypto {
namespace {

const unsigned char* Data(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// sodium_init is safe to repeat and from several threads.
void Initialise() {
  static const int initialised = sodium_init();
  (void)initialised;
}

}  // namespace

Sha256::Sha256() { crypto_hash_sha256_init(&state_); }

void Sha256::Update(std::string_view bytes) {
  crypto_hash_sha256_update(&state_, Data(bytes), bytes.size());
}

std::string Sha256::FinishHex() {
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256_final(&state_,
                           reinterpret_cast<unsigned char*>(digest.data()));
  return absl::BytesToHexString(digest);
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256 digest;
  digest.Update(bytes);
  return digest.FinishHex();
}

std::string KeyedDigestHex(std::string_view key, std::string_view bytes) {
  std::string digest(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()),
                     digest.size(), Data(bytes), bytes.size(), Data(key),
                     key.size());
  return absl::BytesToHexString(digest);
}

std::string RandomBytes(std::size_t size) {
  Initialise();
  std::string bytes(size, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

std::string RandomHex(std::size_t size) {
  return absl::BytesToHexString(RandomBytes(size));
}

uint32_t RandomBelow(uint32_t bound) {
  Initialise();
  return randombytes_uniform(bound);
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string Commitment(std::string_view salt, std::string_view text) {
  Sha256 digest;
  digest.Update(salt);
  digest.Update(std::string_view("\0", 1));
  digest.Update(text);
  return digest.FinishHex();
}

}  // namespace parcours::crypto
