#ifndef PARCOURS_COMMON_IDENTITY_TOKEN_SIGNER_H_
#define PARCOURS_COMMON_IDENTITY_TOKEN_SIGNER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/identity/jose.h"

namespace parcours::identity {

// Which API client a token is of, by its name, and how often it may call.
struct ClientClaims {
  std::string name;
  int64_t calls_per_minute = 0;
};

// What a token of the local issuer, or of an API client, says. Empty members
// are left out.
struct TokenClaims {
  std::string issuer;
  std::string audience;
  std::string subject;
  // Names, as "jury_member".
  std::vector<std::string> roles;
  std::string body;
  std::string person;
  std::string organisation;
  std::string funder;
  std::optional<ClientClaims> client = std::nullopt;
  absl::Time issue_time;
  absl::Time expire_time;
};

// A private key on P-256, which signs with ES256; its `kid` is its thumbprint
// (RFC 7638). For the local issuer, for tests, and for the one service that
// gives API clients their tokens. Thread-safe.
class SigningKey {
 public:
  static absl::StatusOr<SigningKey> Generate();
  // From a private JWK with `kid`.
  static absl::StatusOr<SigningKey> Parse(std::string_view jwk);
  // From a file that holds one. FAILED_PRECONDITION when others than its owner
  // may read it.
  static absl::StatusOr<SigningKey> Load(const std::string& path);

  const std::string& kid() const { return kid_; }
  // The private JWK.
  std::string PrivateJwk() const;
  // The JWK Set of the public key alone.
  std::string PublicKeySet() const;

  absl::StatusOr<std::string> Sign(const TokenClaims& claims) const;
  // The same for any payload.
  absl::StatusOr<std::string> SignPayload(std::string_view payload) const;

 private:
  SigningKey(Jwk key, std::string kid)
      : key_(std::move(key)), kid_(std::move(kid)) {}

  Jwk key_;
  std::string kid_;
};

// Writes a new private key to `key_path`, readable by its owner only, and its
// public JWK Set to `set_path`; each file is there whole or not at all. A
// `key_path` that exists is ALREADY_EXISTS and is left alone.
absl::Status WriteNewKey(const std::string& key_path,
                         const std::string& set_path);

// The key at `key_path`, made when it is missing, with its public JWK Set at
// `set_path`, which is written again when it is of another key. Several
// processes may do so at once. FAILED_PRECONDITION with what is wrong.
absl::StatusOr<SigningKey> OpenOrMakeKey(const std::string& key_path,
                                         const std::string& set_path);

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_TOKEN_SIGNER_H_
