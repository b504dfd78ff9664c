#ifndef PARCOURS_COMMON_CACHE_SEALING_H_
#define PARCOURS_COMMON_CACHE_SEALING_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace parcours::cache {

// Authenticated encryption of cached values (XChaCha20-Poly1305, random nonce).
// Thread-safe.
class Sealer {
 public:
  // `key` is 32 random bytes, the same in all processes that share the cache;
  // INVALID_ARGUMENT otherwise.
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

}  // namespace parcours::cache

#endif  // PARCOURS_COMMON_CACHE_SEALING_H_
