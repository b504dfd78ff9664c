#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/identity/issuer.h"
#include "common/identity/key_set.h"
#include "common/identity/key_source.h"
#include "common/identity/token_signer.h"
#include "common/identity/token_verifier.h"
#include "common/telemetry/metrics.h"
#include "parcours/type/v1/access.pb.h"
#include "tests/fuzz/target.h"

namespace {

namespace identity = parcours::identity;

constexpr char kIssuer[] = "https://issuer.example";
const absl::Time kNow = absl::FromUnixSeconds(1'780'000'000);

const identity::SigningKey& Key() {
  static const auto& key = *[] {
    auto generated = identity::SigningKey::Generate();
    PARCOURS_FUZZ_CHECK(generated.ok());
    return new identity::SigningKey(*std::move(generated));
  }();
  return key;
}

class FixedKeys final : public identity::KeySource {
 public:
  absl::StatusOr<std::optional<std::string>> Read(bool) override {
    return Key().PublicKeySet();
  }
};

// Each input is judged anew: nothing is kept.
identity::TokenVerifier& Verifier() {
  static auto& verifier = *[] {
    static auto& metrics = *new parcours::telemetry::Metrics;
    identity::Issuer issuer;
    issuer.id = "issuer";
    issuer.issuer = kIssuer;
    issuer.audience = "parcours";
    issuer.jwks_file = "keys.json";
    issuer.allowed_roles.Add(parcours::type::v1::ROLE_COORDINATOR);
    issuer.body = "bodies/opale";
    issuer.clock_skew = absl::Seconds(30);
    issuer.refresh_interval = absl::Hours(1);
    issuer.maximum_key_age = absl::Hours(24);
    identity::TokenVerifierOptions options;
    options.now = [] { return kNow; };
    options.kept_tokens = 1;
    options.refresh_on_a_thread = false;
    options.open_source = [](const identity::Issuer&) {
      return std::make_unique<FixedKeys>();
    };
    auto created =
        identity::TokenVerifier::Create({issuer}, std::move(options), metrics);
    PARCOURS_FUZZ_CHECK(created.ok());
    return created->release();
  }();
  return verifier;
}

const std::string& GoodToken() {
  static const auto& token = *[] {
    auto made = Key().Sign({.issuer = kIssuer,
                            .audience = "parcours",
                            .subject = "coordinator",
                            .roles = {"coordinator"},
                            .body = "bodies/opale",
                            .issue_time = kNow - absl::Minutes(1),
                            .expire_time = kNow + absl::Minutes(9)});
    PARCOURS_FUZZ_CHECK(made.ok());
    return new std::string(*std::move(made));
  }();
  return token;
}

}  // namespace

// The first byte chooses: a token as it comes; a set of keys; a good token with
// bytes of it replaced; or any payload, signed.
PARCOURS_FUZZ_TARGET(token) {
  const unsigned choice = parcours::fuzz::TakeByte(input);
  switch (choice % 4) {
    case 0:
      PARCOURS_FUZZ_CHECK(!Verifier().Verify(input).ok());
      break;
    case 1: {
      const auto keys = identity::KeySet::Parse(input);
      if (keys.ok()) PARCOURS_FUZZ_CHECK(keys->size() > 0);
      break;
    }
    case 2: {
      const std::size_t at = parcours::fuzz::TakeByte(input) << 8 |
                             parcours::fuzz::TakeByte(input);
      std::string token = GoodToken();
      token.replace(at % token.size(), input.size(), input);
      PARCOURS_FUZZ_CHECK(Verifier().Verify(token).ok() ==
                          (token == GoodToken()));
      break;
    }
    default: {
      const auto signed_token = Key().SignPayload(input);
      if (!signed_token.ok()) break;
      const auto bearer = Verifier().Verify(*signed_token);
      if (!bearer.ok()) break;
      // What an issuer may not say, nobody is.
      PARCOURS_FUZZ_CHECK(bearer->subject.starts_with("issuer|"));
      PARCOURS_FUZZ_CHECK(bearer->body == "bodies/opale");
      parcours::access::RoleSet more;
      more.Add(parcours::type::v1::ROLE_ADMINISTRATOR);
      PARCOURS_FUZZ_CHECK(!bearer->roles.Intersects(more));
    }
  }
}
