// What identity costs a call: a token that is known, and one that is not.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/identity/issuer.h"
#include "common/identity/token_signer.h"
#include "common/identity/token_verifier.h"
#include "common/telemetry/metrics.h"

namespace parcours::identity {
namespace {

class OneSet final : public KeySource {
 public:
  explicit OneSet(std::string set) : set_(std::move(set)) {}
  absl::StatusOr<std::optional<std::string>> Read(bool) override {
    return set_;
  }

 private:
  const std::string set_;
};

struct Setting {
  Setting() : key(SigningKey::Generate().value()) {
    platform::v1::IdentityConfig config;
    platform::v1::TokenIssuer& issuer = *config.add_issuers();
    issuer.set_id("local");
    issuer.set_issuer("local");
    issuer.set_audience("parcours");
    issuer.set_jwks_url("https://issuer.example.org/keys");
    TokenVerifierOptions options;
    options.refresh_on_a_thread = false;
    options.kept_tokens = 1024;
    options.open_source = [this](const Issuer&) {
      return std::make_unique<OneSet>(key.PublicKeySet());
    };
    verifier =
        TokenVerifier::Create(IssuersOf(config, "").value(), options, metrics)
            .value();
    verifier->ReadKeysIfDue();
  }

  std::string Token(int number) const {
    return key
        .Sign({.issuer = "local",
               .audience = "parcours",
               .subject = "somebody-" + std::to_string(number),
               .roles = {"coordinator", "admissions"},
               .body = "bodies/opale",
               .person = "bodies/opale/persons/une",
               .organisation = "",
               .funder = "",
               .issue_time = absl::Now(),
               .expire_time = absl::Now() + absl::Hours(8)})
        .value();
  }

  telemetry::Metrics metrics;
  const SigningKey key;
  std::unique_ptr<TokenVerifier> verifier;
};

Setting& TheSetting() {
  static Setting& setting = *new Setting;
  return setting;
}

void Known(benchmark::State& state) {
  Setting& setting = TheSetting();
  const std::string token = setting.Token(0);
  for (auto _ : state) {
    const auto principal = setting.verifier->Verify(token);
    if (!principal.ok()) std::abort();
    benchmark::DoNotOptimize(principal);
  }
}
BENCHMARK(Known)->Threads(1)->Threads(2)->UseRealTime();

void Unknown(benchmark::State& state) {
  Setting& setting = TheSetting();
  // More than are kept, in turn: none is known when it comes again.
  std::vector<std::string> tokens;
  for (int i = 0; i < 4096; ++i) tokens.push_back(setting.Token(i));
  std::size_t next = 0;
  for (auto _ : state) {
    const auto principal =
        setting.verifier->Verify(tokens[next++ % tokens.size()]);
    if (!principal.ok()) std::abort();
    benchmark::DoNotOptimize(principal);
  }
}
BENCHMARK(Unknown)->UseRealTime();

}  // namespace
}  // namespace parcours::identity

BENCHMARK_MAIN();
