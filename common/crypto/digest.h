#ifndef PARCOURS_COMMON_CRYPTO_DIGEST_H_
#define PARCOURS_COMMON_CRYPTO_DIGEST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sodium.h"

namespace parcours::crypto {

// SHA-256 (FIPS 180-4) of bytes that come in parts. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  void Update(std::string_view bytes);
  // The digest, 64 lower-case hexadecimal digits. REQUIRES: called once, last.
  std::string FinishHex();

 private:
  crypto_hash_sha256_state state_;
};

// SHA-256 of `bytes`, 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

// BLAKE2b of 256 bits under `key` (RFC 7693), 64 lower-case hexadecimal digits:
// without the key nobody can tell whether a digest is that of a text they
// guess. REQUIRES: `key` has 16 to 64 bytes.
std::string KeyedDigestHex(std::string_view key, std::string_view bytes);

// `size` bytes from the system's generator.
std::string RandomBytes(std::size_t size);

// `size` random bytes as 2 * `size` lower-case hexadecimal digits.
std::string RandomHex(std::size_t size);

// A uniform random number below `bound`, which is not 0.
uint32_t RandomBelow(uint32_t bound);

// Whether both are equal, in a time that does not depend on where they differ.
bool EqualInConstantTime(std::string_view a, std::string_view b);

// A commitment to `text`: with the salt it proves the text, without the salt
// it says nothing about it, so that erasing salt and text leaves a chain of
// commitments valid. REQUIRES: `salt` from RandomHex(16) or longer.
std::string Commitment(std::string_view salt, std::string_view text);

}  // namespace parcours::crypto

#endif  // PARCOURS_COMMON_CRYPTO_DIGEST_H_
