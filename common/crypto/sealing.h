#ifndef PARCOURS_COMMON_CRYPTO_SEALING_H_
#define PARCOURS_COMMON_CRYPTO_SEALING_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace parcours::crypto {

// Authenticated encryption (XChaCha20-Poly1305, random nonce of 24 bytes before
// the sealed text). Thread-safe.
class Sealer {
 public:
  // `key` is 32 random bytes; INVALID_ARGUMENT otherwise.
  static absl::StatusOr<Sealer> Create(std::string_view key);

  std::string Seal(std::string_view clear, std::string_view associated) const;

  // The clear text, or nothing unless `sealed` was made with this key and this
  // associated data.
  std::optional<std::string> Open(std::string_view sealed,
                                  std::string_view associated) const;

 private:
  Sealer() = default;

  std::array<unsigned char, 32> key_ = {};
};

}  // namespace parcours::crypto

#endif  // PARCOURS_COMMON_CRYPTO_SEALING_H_
