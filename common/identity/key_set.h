#ifndef PARCOURS_COMMON_IDENTITY_KEY_SET_H_
#define PARCOURS_COMMON_IDENTITY_KEY_SET_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "common/identity/jose.h"
#include "nlohmann/json.hpp"

namespace parcours::identity {

// One public key and the one algorithm that it verifies: RS256 for RSA keys of
// 2048 to 8192 bits, ES256 for keys on P-256 (RFC 7518, 3). Thread-safe.
class VerificationKey {
 public:
  // The key that a JWK describes; null for one that is for something else, is
  // of another kind, has no `kid`, or is no valid key: such are left out of a
  // set (RFC 7517, 5).
  static std::shared_ptr<const VerificationKey> Import(
      const nlohmann::json& jwk);

  const std::string& kid() const { return kid_; }
  // "RS256" or "ES256".
  std::string_view algorithm() const { return algorithm_; }
  // The public part, for comparison: equal for the same key only.
  const std::string& public_part() const { return public_part_; }

  // The payload of `compact`, a JWS in compact form, when its signature of
  // `signature_bytes` bytes was made with this key. REQUIRES: its header says
  // algorithm().
  std::optional<std::string> Verify(std::string_view compact,
                                    std::size_t signature_bytes) const;

 private:
  VerificationKey() = default;

  std::string kid_;
  std::string_view algorithm_;
  std::size_t signature_bytes_ = 0;
  std::string public_part_;
  Jwk key_;
};

// The keys of one issuer by `kid`.
class KeySet {
 public:
  // Reads a JWK Set (RFC 7517). INVALID_ARGUMENT, without any part of the text,
  // when it is none, has no key that can be used, has two under one `kid`, or
  // holds a private key.
  static absl::StatusOr<KeySet> Parse(std::string_view json);

  // Null when there is none.
  std::shared_ptr<const VerificationKey> Find(std::string_view kid) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::map<std::string, std::shared_ptr<const VerificationKey>, std::less<>>
      keys_;
};

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_KEY_SET_H_
