#ifndef PARCOURS_COMMON_IDENTITY_TOKEN_VERIFIER_H_
#define PARCOURS_COMMON_IDENTITY_TOKEN_VERIFIER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/access/principal.h"
#include "common/identity/issuer.h"
#include "common/identity/issuer_keys.h"
#include "common/identity/key_refresher.h"
#include "common/identity/key_source.h"
#include "common/identity/token_cache.h"
#include "common/telemetry/metrics.h"

namespace parcours::identity {

// What became of a token; all but the first two are refusals.
enum class TokenOutcome {
  // It had been verified before.
  kKnown,
  kVerified,
  // Longer than 6 KiB.
  kTooLarge,
  // Not three parts of base64url, or not strict JSON with the members it needs.
  kMalformed,
  // Its `typ` is of something else, or a `crit` asks for what we do not know.
  kOfAnotherKind,
  kUnknownIssuer,
  // The issuer's keys have never been read, or too long ago.
  kNoKeys,
  kUnknownKey,
  // Not the algorithm of the key.
  kWrongAlgorithm,
  kWrongSignature,
  kExpired,
  kNotYetValid,
  kWrongAudience,
  // What it says of its bearer is malformed, or more than its issuer may say.
  kWrongClaims,
};

// The word for it in metrics and logs: "wrong_audience".
std::string_view TokenOutcomeName(TokenOutcome outcome);

struct TokenVerifierOptions {
  // Real time.
  std::function<absl::Time()> now = absl::Now;
  // Numbers of [0, 1), for pauses; the system's randomness where empty.
  std::function<double()> chance;
  // Verified tokens that are kept.
  std::size_t kept_tokens = 8192;
  // Whether a thread reads keys when they are due; else ReadKeysIfDue does.
  bool refresh_on_a_thread = true;
  // Where an issuer's keys are read; file and URL as it says where empty.
  std::function<std::unique_ptr<KeySource>(const Issuer&)> open_source;
};

// Verifies bearer tokens: JWTs (RFC 7519) in compact form, with the precautions
// of RFC 8725. The algorithm is the key's (RS256 or ES256); what the header
// says must agree and decides nothing. `kid`, `iss`, `sub`, `aud` and `exp` are
// required; `nbf` and `iat` must not lie ahead.
//
// Claims of Parcours: `parcours_roles`, an array of role names, of which those
// count that the issuer may give; `parcours_body`, `parcours_person`,
// `parcours_organisation`, resource names, the latter two under the first; and
// `parcours_funder`, an id. From an issuer of API clients alone, and required
// of it: `parcours_client`, a resource name under the body, and
// `parcours_calls_per_minute`, a positive integer. A malformed one, or a body
// that is not the issuer's, refuses the token.
//
// What was verified is kept under a digest of the token until it expires, or
// its key is no longer in the issuer's set: then a call costs a hash and a
// look-up. Never blocks on a file or a network. Thread-safe.
class TokenVerifier {
 public:
  // Reads the keys that are in files. FAILED_PRECONDITION with every problem,
  // one on a line, when one of them cannot be. Keys behind a URL are fetched
  // afterwards; until then, tokens of their issuers are refused.
  // `metrics` outlives the verifier.
  static absl::StatusOr<std::unique_ptr<TokenVerifier>> Create(
      std::vector<Issuer> issuers, TokenVerifierOptions options,
      telemetry::Metrics& metrics);

  // The bearer of the token; its subject is "<issuer id>|<sub>".
  // UNAUTHENTICATED, with one text whatever the reason, which a metric and a
  // debug line tell.
  absl::StatusOr<access::Principal> Verify(std::string_view token);

  // For verifiers without a thread.
  void ReadKeysIfDue();

 private:
  struct KnownIssuer {
    Issuer issuer;
    std::unique_ptr<IssuerKeys> keys;
  };
  explicit TokenVerifier(TokenVerifierOptions options)
      : options_(std::move(options)), cache_(options_.kept_tokens) {}

  // Whether a kept token is good at `now`.
  bool StillHolds(const VerifiedToken& token, absl::Time now) const;
  // The token verified from scratch, or why it is refused.
  TokenOutcome VerifyAnew(std::string_view token, absl::Time now,
                          VerifiedToken& verified, std::string_view& issuer_id);
  void Count(TokenOutcome outcome);

  const TokenVerifierOptions options_;
  std::vector<KnownIssuer> issuers_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  TokenCache cache_;
  std::vector<telemetry::Counter> counters_;
  std::unique_ptr<KeyRefresher> refresher_;
};

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_TOKEN_VERIFIER_H_
