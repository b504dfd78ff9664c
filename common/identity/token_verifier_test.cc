#include "common/identity/token_verifier.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/identity/strict_json.h"
#include "common/identity/testdata/forgery.h"
#include "common/telemetry/log.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::identity {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kIssuer[] = "https://issuer.example.org";
constexpr char kAudience[] = "parcours";

// A key set that a test holds in its hand.
struct Shelf {
  absl::StatusOr<std::string> set = absl::UnavailableError("nothing yet");
  int readings = 0;
};

class ShelfSource final : public KeySource {
 public:
  explicit ShelfSource(std::shared_ptr<Shelf> shelf)
      : shelf_(std::move(shelf)) {}
  absl::StatusOr<std::optional<std::string>> Read(bool) override {
    ++shelf_->readings;
    if (!shelf_->set.ok()) return shelf_->set.status();
    return *shelf_->set;
  }

 private:
  const std::shared_ptr<Shelf> shelf_;
};

access::RoleSet Roles(std::initializer_list<int> roles) {
  access::RoleSet set;
  for (const int role : roles) set.Add(role);
  return set;
}

bool Same(access::RoleSet a, access::RoleSet b) {
  return a.IsWithin(b) && b.IsWithin(a);
}

platform::v1::TokenIssuer Config(const std::string& id,
                                 const std::string& issuer) {
  platform::v1::TokenIssuer config;
  config.set_id(id);
  config.set_issuer(issuer);
  config.set_audience(kAudience);
  config.set_jwks_url(Cat("https://", id, ".example.org/keys"));
  return config;
}

// A verifier of tokens of one issuer, "first", whose key is `key_`; its keys
// are on a shelf, and it stands at a time that only the test moves.
class TokenVerifierTest : public ::testing::Test {
 protected:
  TokenVerifierTest() : key_(NewEcKey("key")) {
    config_.add_issuers()->CopyFrom(Config("first", kIssuer));
    shelf_->set = KeySetOf({PublicPart(key_)});
  }

  void Make() {
    auto issuers = IssuersOf(config_, "");
    ASSERT_OK(issuers);
    TokenVerifierOptions options;
    options.now = [this] { return now_; };
    options.chance = [] { return 0.0; };
    options.refresh_on_a_thread = false;
    options.kept_tokens = 64;
    options.open_source = [this](const Issuer& issuer) {
      return std::make_unique<ShelfSource>(issuer.id == "first" ? shelf_
                                                                : other_shelf_);
    };
    auto verifier = TokenVerifier::Create(*std::move(issuers),
                                          std::move(options), metrics_);
    ASSERT_OK(verifier);
    verifier_ = *std::move(verifier);
    verifier_->ReadKeysIfDue();
  }

  json Header() const { return {{"alg", "ES256"}, {"kid", "key"}}; }

  json Claims() const {
    return {{"iss", kIssuer},
            {"aud", kAudience},
            {"sub", "somebody"},
            {"exp", absl::ToUnixSeconds(now_) + 600},
            {"parcours_roles", {"coordinator", "jury_member"}},
            {"parcours_body", "bodies/opale"}};
  }

  std::string Token() const { return SignWith(key_, Header(), Text(Claims())); }
  std::string TokenWith(const char* claim, json value) const {
    json claims = Claims();
    claims[claim] = std::move(value);
    return SignWith(key_, Header(), Text(claims));
  }
  std::string TokenWithout(const char* claim) const {
    json claims = Claims();
    claims.erase(claim);
    return SignWith(key_, Header(), Text(claims));
  }
  std::string TokenWithHeader(const char* member, json value) const {
    json header = Header();
    header[member] = std::move(value);
    return SignWith(key_, header, Text(Claims()));
  }

  static std::string Text(const json& claims) { return claims.dump(); }

  // How often tokens came to `outcome`.
  int Count(TokenOutcome outcome) const {
    const std::string line = Cat("parcours_identity_tokens_total{outcome=\"",
                                 TokenOutcomeName(outcome), "\"} ");
    const std::string text = metrics_.Text();
    const std::size_t found = text.find(line);
    return found == std::string::npos
               ? 0
               : std::stoi(text.substr(found + line.size()));
  }

  // Refused, for that reason, with the one text that all refusals have.
  void ExpectRefused(const std::string& token, TokenOutcome outcome) {
    const int before = Count(outcome);
    const auto principal = verifier_->Verify(token);
    ASSERT_THAT(principal, StatusIs(absl::StatusCode::kUnauthenticated));
    EXPECT_EQ(principal.status(), MakeError(Reason::kUnauthenticated));
    EXPECT_EQ(Count(outcome), before + 1)
        << "not for the reason " << TokenOutcomeName(outcome);
  }

  absl::Time now_ = absl::FromUnixSeconds(1'790'000'000);
  telemetry::Metrics metrics_;
  platform::v1::IdentityConfig config_;
  Jwk key_;
  std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
  std::shared_ptr<Shelf> other_shelf_ = std::make_shared<Shelf>();
  std::unique_ptr<TokenVerifier> verifier_;
};

TEST_F(TokenVerifierTest, SaysWhoBearsAToken) {
  Make();
  json claims = Claims();
  claims["parcours_person"] = "bodies/opale/persons/une";
  claims["parcours_organisation"] = "bodies/opale/organisations/fictive";
  claims["parcours_funder"] = "afdas";
  const auto principal =
      verifier_->Verify(SignWith(key_, Header(), Text(claims)));
  ASSERT_OK(principal);
  EXPECT_EQ(principal->subject, "first|somebody");
  EXPECT_TRUE(Same(principal->roles, Roles({type::v1::ROLE_COORDINATOR,
                                            type::v1::ROLE_JURY_MEMBER})));
  EXPECT_EQ(principal->body, "bodies/opale");
  EXPECT_EQ(principal->person, "bodies/opale/persons/une");
  EXPECT_EQ(principal->organisation, "bodies/opale/organisations/fictive");
  EXPECT_EQ(principal->funder, "afdas");
  EXPECT_EQ(principal->client, "");
}

TEST_F(TokenVerifierTest, VerifiesRs256) {
  shelf_->set = KeySetOf({PublicPart(RsaKey("rsa"))});
  Make();
  const json header = {{"alg", "RS256"}, {"kid", "rsa"}, {"typ", "at+JWT"}};
  EXPECT_OK(verifier_->Verify(SignWith(RsaKey("rsa"), header, Text(Claims()))));
  // Another key under the same name.
  ExpectRefused(SignWith(RsaKey("other"), header, Text(Claims())),
                TokenOutcome::kWrongSignature);
}

TEST_F(TokenVerifierTest, AKnownTokenIsNotVerifiedAgain) {
  Make();
  const std::string token = Token();
  ASSERT_OK(verifier_->Verify(token));
  const auto again = verifier_->Verify(token);
  ASSERT_OK(again);
  EXPECT_EQ(again->subject, "first|somebody");
  EXPECT_EQ(Count(TokenOutcome::kVerified), 1);
  EXPECT_EQ(Count(TokenOutcome::kKnown), 1);
}

TEST_F(TokenVerifierTest, AKnownTokenDiesWhenItExpires) {
  Make();
  const std::string token = Token();
  ASSERT_OK(verifier_->Verify(token));
  now_ += absl::Seconds(659);
  ASSERT_OK(verifier_->Verify(token));
  now_ += absl::Seconds(1);
  ExpectRefused(token, TokenOutcome::kExpired);
}

TEST_F(TokenVerifierTest, AKnownTokenDiesWithItsKey) {
  Make();
  const std::string token = Token();
  ASSERT_OK(verifier_->Verify(token));
  shelf_->set = KeySetOf({PublicPart(NewEcKey("next"))});
  now_ += absl::Minutes(5);
  ASSERT_OK(verifier_->Verify(token));
  verifier_->ReadKeysIfDue();
  ExpectRefused(token, TokenOutcome::kUnknownKey);
}

TEST_F(TokenVerifierTest, AKnownTokenDiesWhenItsKidIsGivenToAnotherKey) {
  Make();
  const std::string token = Token();
  ASSERT_OK(verifier_->Verify(token));
  shelf_->set = KeySetOf({PublicPart(NewEcKey("key"))});
  now_ += absl::Minutes(5);
  verifier_->ReadKeysIfDue();
  ExpectRefused(token, TokenOutcome::kWrongSignature);
}

TEST_F(TokenVerifierTest, AKnownTokenOutlivesAReadingOfTheSameKey) {
  Make();
  const std::string token = Token();
  ASSERT_OK(verifier_->Verify(token));
  shelf_->set = KeySetOf({PublicPart(NewEcKey("next")), PublicPart(key_)});
  now_ += absl::Minutes(5);
  verifier_->ReadKeysIfDue();
  ASSERT_OK(verifier_->Verify(token));
  EXPECT_EQ(Count(TokenOutcome::kKnown), 1);
}

TEST_F(TokenVerifierTest, TheCacheIsBounded) {
  Make();
  std::vector<std::string> tokens;
  for (int i = 0; i < 200; ++i) {
    tokens.push_back(TokenWith("jti", i));
    ASSERT_OK(verifier_->Verify(tokens.back()));
  }
  for (const std::string& token : tokens) ASSERT_OK(verifier_->Verify(token));
  // 64 are kept, so most had to be verified twice.
  EXPECT_GE(Count(TokenOutcome::kVerified), 300);
}

TEST_F(TokenVerifierTest, AStolenNameDoesNotHelp) {
  Make();
  // Signed with a key of one's own under the issuer's kid.
  ExpectRefused(SignWith(NewEcKey("key"), Header(), Text(Claims())),
                TokenOutcome::kWrongSignature);
  // The signature of another token of the same key.
  const std::vector<std::string> one = absl::StrSplit(Token(), '.');
  const std::vector<std::string> two =
      absl::StrSplit(TokenWith("sub", "else"), '.');
  ExpectRefused(Cat(one[0], ".", two[1], ".", one[2]),
                TokenOutcome::kWrongSignature);
}

TEST_F(TokenVerifierTest, AnotherIssuersKeyDoesNotHelp) {
  config_.add_issuers()->CopyFrom(Config("second", "https://second.example"));
  const Jwk second = NewEcKey("second-key");
  other_shelf_->set = KeySetOf({PublicPart(second)});
  Make();
  json header = Header();
  header["kid"] = "second-key";
  // Its own tokens are good, and those it makes in the first one's name not.
  ExpectRefused(SignWith(second, header, Text(Claims())),
                TokenOutcome::kUnknownKey);
  json claims = Claims();
  claims["iss"] = "https://second.example";
  const auto principal =
      verifier_->Verify(SignWith(second, header, Text(claims)));
  ASSERT_OK(principal);
  EXPECT_EQ(principal->subject, "second|somebody");
}

TEST_F(TokenVerifierTest, AnIssuerOfOneBodyNeverMintsForAnother) {
  config_.mutable_issuers(0)->set_body("bodies/opale");
  Make();
  EXPECT_OK(verifier_->Verify(Token()));
  const auto without = verifier_->Verify(TokenWithout("parcours_body"));
  ASSERT_OK(without);
  EXPECT_EQ(without->body, "bodies/opale");
  ExpectRefused(TokenWith("parcours_body", "bodies/autre"),
                TokenOutcome::kWrongClaims);
  json claims = Claims();
  claims.erase("parcours_body");
  claims["parcours_person"] = "bodies/autre/persons/une";
  ExpectRefused(SignWith(key_, Header(), Text(claims)),
                TokenOutcome::kWrongClaims);
}

TEST_F(TokenVerifierTest, OnlyAnIssuerOfTheInstallationMayLeaveOutTheBody) {
  Make();
  ExpectRefused(TokenWithout("parcours_body"), TokenOutcome::kWrongClaims);
  config_.mutable_issuers(0)->set_installation_wide(true);
  Make();
  const auto principal = verifier_->Verify(TokenWithout("parcours_body"));
  ASSERT_OK(principal);
  EXPECT_EQ(principal->body, "");
}

TEST_F(TokenVerifierTest, AnIssuerOfApiClientsSaysWhichAndHowOften) {
  json claims = Claims();
  claims["parcours_client"] = "bodies/opale/apiClients/opco";
  claims["parcours_calls_per_minute"] = 120;
  const std::string token = SignWith(key_, Header(), Text(claims));
  // Others cannot give themselves a limit of their own.
  Make();
  const auto ordinary = verifier_->Verify(token);
  ASSERT_OK(ordinary);
  EXPECT_EQ(ordinary->client, "");
  EXPECT_EQ(ordinary->calls_per_minute, 0);

  config_.mutable_issuers(0)->set_api_clients(true);
  Make();
  const auto client = verifier_->Verify(token);
  ASSERT_OK(client);
  EXPECT_EQ(client->client, "bodies/opale/apiClients/opco");
  EXPECT_EQ(client->calls_per_minute, 120);

  const std::pair<const char*, json> wrong[] = {
      {"parcours_client", "bodies/autre/apiClients/opco"},
      {"parcours_client", "bodies/opale/persons/opco"},
      {"parcours_client", ""},
      {"parcours_client", nullptr},
      {"parcours_calls_per_minute", 0},
      {"parcours_calls_per_minute", -1},
      {"parcours_calls_per_minute", 1.5},
      {"parcours_calls_per_minute", "120"},
      {"parcours_calls_per_minute", 18446744073709551615U}};
  int refused = 0;
  for (const auto& [claim, value] : wrong) {
    SCOPED_TRACE(Cat(claim, " ", value.dump()));
    json spoilt = claims;
    spoilt[claim] = value;
    EXPECT_FALSE(
        verifier_->Verify(SignWith(key_, Header(), Text(spoilt))).ok());
    EXPECT_EQ(Count(TokenOutcome::kWrongClaims), ++refused);
  }
  for (const char* const claim :
       {"parcours_client", "parcours_calls_per_minute"}) {
    json spoilt = claims;
    spoilt.erase(claim);
    EXPECT_FALSE(
        verifier_->Verify(SignWith(key_, Header(), Text(spoilt))).ok());
    EXPECT_EQ(Count(TokenOutcome::kWrongClaims), ++refused);
  }
}

TEST_F(TokenVerifierTest, PersonAndOrganisationLieUnderTheBody) {
  config_.mutable_issuers(0)->set_installation_wide(true);
  Make();
  const std::pair<const char*, json> wrong[] = {
      {"parcours_person", "bodies/autre/persons/une"},
      {"parcours_person", "bodies/opale2/persons/une"},
      {"parcours_person", "bodies/opale/organisations/une"},
      {"parcours_person", "bodies/opale/persons/../x"},
      {"parcours_person", ""},
      {"parcours_person", nullptr},
      {"parcours_organisation", "bodies/autre/organisations/une"},
      {"parcours_organisation", "bodies/opale"},
      {"parcours_body", "bodies/Opale"},
      {"parcours_body", "opale"},
      {"parcours_body", ""},
      {"parcours_body", "bodies/*"},
      {"parcours_body", json::array({"bodies/opale"})},
      {"parcours_funder", "funders/afdas"},
      {"parcours_funder", 7}};
  for (const auto& [claim, value] : wrong) {
    SCOPED_TRACE(Cat(claim, " ", value.dump()));
    ExpectRefused(TokenWith(claim, value), TokenOutcome::kWrongClaims);
  }
  // Without a body they lie under none.
  json claims = Claims();
  claims.erase("parcours_body");
  claims["parcours_person"] = "bodies/opale/persons/une";
  ExpectRefused(SignWith(key_, Header(), Text(claims)),
                TokenOutcome::kWrongClaims);
}

TEST_F(TokenVerifierTest, RolesThatOnlyTheConfigurationGives) {
  const json all = RoleNames();
  ASSERT_THAT(all, ::testing::SizeIs(19));
  Make();
  const auto ordinary = verifier_->Verify(TokenWith("parcours_roles", all));
  ASSERT_OK(ordinary);
  for (const int role : {type::v1::ROLE_ADMINISTRATOR, type::v1::ROLE_SERVICE,
                         type::v1::ROLE_PUBLIC, type::v1::ROLE_FEED_READER}) {
    EXPECT_FALSE(ordinary->roles.Has(role)) << role;
  }
  EXPECT_TRUE(ordinary->roles.Has(type::v1::ROLE_AUDITOR));

  config_.mutable_issuers(0)->add_allowed_roles(type::v1::ROLE_ADMINISTRATOR);
  config_.mutable_issuers(0)->add_allowed_roles(type::v1::ROLE_FUNDER);
  Make();
  const auto given = verifier_->Verify(TokenWith("parcours_roles", all));
  ASSERT_OK(given);
  EXPECT_TRUE(Same(given->roles, Roles({type::v1::ROLE_ADMINISTRATOR,
                                        type::v1::ROLE_FUNDER})));
}

TEST_F(TokenVerifierTest, RolesThatAreNoneAreLeftOut) {
  Make();
  const auto principal = verifier_->Verify(TokenWith(
      "parcours_roles", {"king", "COORDINATOR", "role_coordinator", "",
                         "unspecified", "reader", "jury member"}));
  ASSERT_OK(principal);
  EXPECT_TRUE(Same(principal->roles, Roles({type::v1::ROLE_READER})));
  const auto none = verifier_->Verify(TokenWithout("parcours_roles"));
  ASSERT_OK(none);
  EXPECT_TRUE(none->roles.empty());
  ExpectRefused(TokenWith("parcours_roles", "coordinator"),
                TokenOutcome::kWrongClaims);
  ExpectRefused(TokenWith("parcours_roles", {"coordinator", 1}),
                TokenOutcome::kWrongClaims);
}

TEST_F(TokenVerifierTest, TimesAreHeldToWithSkew) {
  Make();
  const int64_t now = absl::ToUnixSeconds(now_);
  EXPECT_OK(verifier_->Verify(TokenWith("exp", now - 59)));
  ExpectRefused(TokenWith("exp", now - 60), TokenOutcome::kExpired);
  ExpectRefused(TokenWith("exp", static_cast<double>(now) - 60.5),
                TokenOutcome::kExpired);
  ExpectRefused(TokenWith("exp", 0), TokenOutcome::kExpired);
  EXPECT_OK(verifier_->Verify(TokenWith("nbf", now + 60)));
  ExpectRefused(TokenWith("nbf", now + 61), TokenOutcome::kNotYetValid);
  EXPECT_OK(verifier_->Verify(TokenWith("iat", now + 60)));
  ExpectRefused(TokenWith("iat", now + 61), TokenOutcome::kNotYetValid);
  // What is not yet valid becomes so.
  const std::string early = TokenWith("nbf", now + 90);
  ExpectRefused(early, TokenOutcome::kNotYetValid);
  now_ += absl::Seconds(30);
  EXPECT_OK(verifier_->Verify(early));

  config_.mutable_issuers(0)->mutable_clock_skew()->set_seconds(0);
  Make();
  const int64_t then = absl::ToUnixSeconds(now_);
  ExpectRefused(TokenWith("exp", then), TokenOutcome::kExpired);
  EXPECT_OK(verifier_->Verify(TokenWith("exp", then + 1)));
}

TEST_F(TokenVerifierTest, TimesMustBeNumbersOfThisWorld) {
  Make();
  ExpectRefused(TokenWithout("exp"), TokenOutcome::kWrongClaims);
  for (const json& value :
       {json("1790000600"), json(-1), json(1e300), json(nullptr), json(true),
        json::array({1'790'000'600})}) {
    SCOPED_TRACE(value.dump());
    ExpectRefused(TokenWith("exp", value), TokenOutcome::kWrongClaims);
    ExpectRefused(TokenWith("nbf", value), TokenOutcome::kWrongClaims);
  }
}

TEST_F(TokenVerifierTest, TheAudienceIsUs) {
  Make();
  EXPECT_OK(verifier_->Verify(TokenWith("aud", {"other", kAudience})));
  for (const json& value :
       {json("other"), json(""), json(json::array()), json({"other"}),
        json("parcours "), json("PARCOURS"), json({{"parcours", true}}),
        json(nullptr), json::array({json::array({kAudience})})}) {
    SCOPED_TRACE(value.dump());
    ExpectRefused(TokenWith("aud", value), TokenOutcome::kWrongAudience);
  }
  ExpectRefused(TokenWithout("aud"), TokenOutcome::kWrongAudience);
}

TEST_F(TokenVerifierTest, TheIssuerIsKnownToTheLetter) {
  Make();
  for (const char* issuer : {"https://issuer.example.org/", "https://evil",
                             "HTTPS://ISSUER.EXAMPLE.ORG"}) {
    ExpectRefused(TokenWith("iss", issuer), TokenOutcome::kUnknownIssuer);
  }
  ExpectRefused(TokenWithout("iss"), TokenOutcome::kMalformed);
}

TEST_F(TokenVerifierTest, TheSubjectIsWhatAnAuditTrailCanShow) {
  Make();
  for (const json& value : {json(""), json("a\nb"), json(std::string(256, 'x')),
                            json(7), json(nullptr)}) {
    SCOPED_TRACE(value.dump());
    ExpectRefused(TokenWith("sub", value), TokenOutcome::kWrongClaims);
  }
  ExpectRefused(TokenWithout("sub"), TokenOutcome::kWrongClaims);
}

TEST_F(TokenVerifierTest, AnAlgorithmOfTheAttackersChoiceIsRefused) {
  Make();
  const std::string payload = Text(Claims());
  for (const char* none : {"none", "None", "NONE", "nOnE"}) {
    const std::string header =
        json({{"alg", none}, {"kid", "key"}, {"typ", "JWT"}}).dump();
    ExpectRefused(Assemble(header, payload, ""), TokenOutcome::kWrongAlgorithm);
    ExpectRefused(Assemble(header, payload, std::string(64, 'x')),
                  TokenOutcome::kWrongAlgorithm);
  }
  // The signature left out, or all zero, with the right algorithm.
  const std::string header = Header().dump();
  ExpectRefused(Assemble(header, payload, ""), TokenOutcome::kWrongSignature);
  ExpectRefused(Assemble(header, payload, std::string(64, '\0')),
                TokenOutcome::kWrongSignature);
  ExpectRefused(TokenWithHeader("alg", "ES256").substr(0, 40),
                TokenOutcome::kMalformed);
}

TEST_F(TokenVerifierTest, Hs256WithThePublicKeyAsSecretIsRefused) {
  const json jwk = PublicPart(RsaKey("rsa"));
  shelf_->set = KeySetOf({jwk, PublicPart(key_)});
  Make();
  // Whichever way the attacker writes the public key.
  for (const std::string& secret :
       {jwk.dump(), jwk["n"].get<std::string>(), PublicPart(key_).dump(),
        PublicPart(key_)["x"].get<std::string>(), *shelf_->set}) {
    for (const char* kid : {"rsa", "key"}) {
      ExpectRefused(SignWith(SecretKey(secret),
                             {{"alg", "HS256"}, {"kid", kid}}, Text(Claims())),
                    TokenOutcome::kWrongAlgorithm);
    }
  }
}

TEST_F(TokenVerifierTest, TheAlgorithmIsTheKeysAndNoOther) {
  shelf_->set = KeySetOf({PublicPart(RsaKey("rsa"))});
  Make();
  for (const char* algorithm : {"PS256", "RS384", "RS512"}) {
    ExpectRefused(SignWith(RsaKey("rsa"), {{"alg", algorithm}, {"kid", "rsa"}},
                           Text(Claims())),
                  TokenOutcome::kWrongAlgorithm);
  }
  ExpectRefused(
      SignWith(key_, {{"alg", "ES256"}, {"kid", "rsa"}}, Text(Claims())),
      TokenOutcome::kWrongAlgorithm);
}

TEST_F(TokenVerifierTest, ASignatureOfAnotherLengthIsRefused) {
  Make();
  const std::vector<std::string> parts = absl::StrSplit(Token(), '.');
  const auto header = DecodeBase64Url(parts[0]);
  const auto payload = DecodeBase64Url(parts[1]);
  const auto signature = DecodeBase64Url(parts[2]);
  ASSERT_TRUE(header.has_value() && payload.has_value());
  ASSERT_EQ(signature.value_or("").size(), 64u);
  // cjose alone would take the two halves of 65 bytes and find them right.
  for (const std::string& other :
       {*signature + 'x', *signature + "xx", signature->substr(0, 63),
        signature->substr(0, 32), Cat(*signature, *signature)}) {
    ExpectRefused(Assemble(*header, *payload, other),
                  TokenOutcome::kWrongSignature);
  }
  EXPECT_OK(verifier_->Verify(Assemble(*header, *payload, *signature)));
}

TEST_F(TokenVerifierTest, AWrongKidIsRefusedAndTheKeysAreReadAgain) {
  Make();
  EXPECT_EQ(shelf_->readings, 1);
  const Jwk next = NewEcKey("next");
  const json header = {{"alg", "ES256"}, {"kid", "next"}};
  const std::string token = SignWith(next, header, Text(Claims()));
  shelf_->set = KeySetOf({PublicPart(key_), PublicPart(next)});
  ExpectRefused(token, TokenOutcome::kUnknownKey);
  // Not more often than every 10 s.
  verifier_->ReadKeysIfDue();
  EXPECT_EQ(shelf_->readings, 1);
  now_ += absl::Seconds(10);
  verifier_->ReadKeysIfDue();
  EXPECT_EQ(shelf_->readings, 2);
  EXPECT_OK(verifier_->Verify(token));
  // A kid that stays unknown does not make it more.
  for (int second = 0; second < 100; ++second) {
    EXPECT_FALSE(verifier_->Verify(TokenWithHeader("kid", "never")).ok());
    now_ += absl::Seconds(1);
    verifier_->ReadKeysIfDue();
  }
  EXPECT_LE(shelf_->readings, 12);
}

TEST_F(TokenVerifierTest, AHeaderThatAsksForMoreIsRefused) {
  Make();
  EXPECT_OK(verifier_->Verify(TokenWithHeader("typ", "JWT")));
  EXPECT_OK(verifier_->Verify(TokenWithHeader("typ", "application/AT+jwt")));
  for (const char* type :
       {"secevent+jwt", "dpop+jwt", "logout+jwt", "JOSE", "jwt2", ""}) {
    ExpectRefused(TokenWithHeader("typ", type), TokenOutcome::kOfAnotherKind);
  }
  ExpectRefused(TokenWithHeader("crit", {"exp"}), TokenOutcome::kOfAnotherKind);
  ExpectRefused(TokenWithHeader("crit", json::array()),
                TokenOutcome::kOfAnotherKind);
  // A key that the token brings itself is never looked at.
  const Jwk own = NewEcKey("own");
  json header = {{"alg", "ES256"}, {"kid", "own"}, {"jwk", PublicPart(own)}};
  header["jku"] = "https://evil.example/keys";
  ExpectRefused(SignWith(own, header, Text(Claims())),
                TokenOutcome::kUnknownKey);
}

TEST_F(TokenVerifierTest, MembersThatStandTwiceAreRefused) {
  Make();
  const std::string payload = Text(Claims());
  const std::string signature(64, 'x');
  ExpectRefused(Assemble(R"({"alg":"ES256","kid":"key","kid":"other"})",
                         payload, signature),
                TokenOutcome::kMalformed);
  ExpectRefused(
      Assemble(R"({"alg":"none","alg":"ES256","kid":"key"})", payload, ""),
      TokenOutcome::kMalformed);
  std::string twice = payload;
  twice.insert(1, R"("parcours_body":"bodies/autre",)");
  ExpectRefused(SignWith(key_, Header(), twice), TokenOutcome::kMalformed);
}

TEST_F(TokenVerifierTest, TruncatedTokensAreRefused) {
  Make();
  const std::string token = Token();
  for (std::size_t length = 0; length < token.size(); ++length) {
    EXPECT_THAT(verifier_->Verify(token.substr(0, length)),
                StatusIs(absl::StatusCode::kUnauthenticated))
        << length;
  }
  EXPECT_OK(verifier_->Verify(token));
}

TEST_F(TokenVerifierTest, WhatIsNoTokenIsRefused) {
  Make();
  const std::string token = Token();
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("..."),
        Cat(token, "."), Cat(".", token), Cat(token, " "), Cat(" ", token),
        Cat(token, "="), Cat(token, "\n"), std::string("\0\0", 2),
        std::string("é.é.é"), Assemble("[]", "{}", "x"),
        Assemble("{}", "{}", "x"), Assemble(R"({"alg":1,"kid":2})", "{}", "x"),
        // The five parts of an encrypted one.
        Cat(token, ".a.b")}) {
    SCOPED_TRACE(text);
    ExpectRefused(text, TokenOutcome::kMalformed);
  }
}

TEST_F(TokenVerifierTest, AHugeTokenIsNotEvenRead) {
  Make();
  ExpectRefused(TokenWith("padding", std::string(5000, 'x')),
                TokenOutcome::kTooLarge);
  ExpectRefused(std::string(10 << 20, 'x'), TokenOutcome::kTooLarge);
}

TEST_F(TokenVerifierTest, EveryFlippedCharacterIsNoticed) {
  Make();
  const std::string token = Token();
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string flipped = token;
    flipped[i] = flipped[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verifier_->Verify(flipped).ok()) << i;
  }
}

TEST_F(TokenVerifierTest, WithoutKeysEveryTokenIsRefused) {
  const std::string set = *shelf_->set;
  shelf_->set = absl::UnavailableError("the issuer is away");
  Make();
  ExpectRefused(Token(), TokenOutcome::kNoKeys);
  shelf_->set = set;
  now_ += absl::Seconds(1);
  verifier_->ReadKeysIfDue();
  EXPECT_OK(verifier_->Verify(Token()));
}

TEST_F(TokenVerifierTest, TheLastGoodKeysServeAndThenNoMore) {
  config_.mutable_issuers(0)->mutable_maximum_key_age()->set_seconds(3600);
  Make();
  const std::string known = TokenWith("exp", absl::ToUnixSeconds(now_) + 7200);
  ASSERT_OK(verifier_->Verify(known));
  shelf_->set = absl::UnavailableError("the issuer is away");
  for (int minute = 0; minute < 60; ++minute) {
    now_ += absl::Minutes(1);
    verifier_->ReadKeysIfDue();
    ASSERT_OK(verifier_->Verify(known)) << minute;
    ASSERT_OK(verifier_->Verify(Token())) << minute;
  }
  EXPECT_GT(shelf_->readings, 5);
  now_ += absl::Seconds(1);
  ExpectRefused(known, TokenOutcome::kNoKeys);
  ExpectRefused(Token(), TokenOutcome::kNoKeys);
}

TEST_F(TokenVerifierTest, ARefusalTellsNothingOfTheToken) {
  Make();
  std::string lines;
  telemetry::ConfigureLog("test", telemetry::LogLevel::kDebug);
  telemetry::SetLogWriterForTest(
      [&lines](std::string_view line) { lines.append(line); });
  const std::string token = TokenWith("sub", std::string("planted\n"));
  const auto refused = verifier_->Verify(token);
  telemetry::SetLogWriterForTest(nullptr);
  telemetry::ConfigureLog("test", telemetry::LogLevel::kInfo);
  EXPECT_THAT(lines, HasSubstr("wrong_claims"));
  EXPECT_THAT(lines, HasSubstr("\"first\""));
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  for (const std::string& part : parts) {
    EXPECT_THAT(lines, Not(HasSubstr(part)));
    EXPECT_THAT(refused.status().ToString(), Not(HasSubstr(part)));
  }
  EXPECT_THAT(lines, Not(HasSubstr("planted")));
}

TEST(TokenVerifierFiles, AMissingOrWrongFileIsAProblemAtStart) {
  const testing::TempDir folder;
  std::ofstream(folder.File("wrong.json")) << "{}";
  platform::v1::IdentityConfig config;
  for (const char* file : {"missing.json", "wrong.json"}) {
    platform::v1::TokenIssuer& issuer = *config.add_issuers();
    issuer = Config(std::string(file).substr(0, 5), file);
    issuer.set_jwks_file(file);
  }
  auto issuers = IssuersOf(config, folder.path());
  ASSERT_OK(issuers);
  telemetry::Metrics metrics;
  const auto verifier = TokenVerifier::Create(*std::move(issuers),
                                              TokenVerifierOptions(), metrics);
  ASSERT_THAT(verifier, StatusIs(absl::StatusCode::kFailedPrecondition));
  const std::string message(verifier.status().message());
  EXPECT_THAT(message, HasSubstr("missing.json"));
  EXPECT_THAT(message, HasSubstr("issuer wrong"));
}

TEST(TokenVerifierFiles, KeysAreRotatedByReplacingTheFile) {
  const testing::TempDir folder;
  const Jwk old_key = NewEcKey("old");
  const Jwk new_key = NewEcKey("new");
  const auto write = [&folder](const std::string& set) {
    std::ofstream(folder.File("new")) << set;
    std::filesystem::rename(folder.File("new"), folder.File("keys.json"));
  };
  write(KeySetOf({PublicPart(old_key)}));
  platform::v1::IdentityConfig config;
  *config.add_issuers() = Config("first", kIssuer);
  config.mutable_issuers(0)->set_jwks_file("keys.json");
  auto issuers = IssuersOf(config, folder.path());
  ASSERT_OK(issuers);
  telemetry::Metrics metrics;
  absl::Time now = absl::FromUnixSeconds(1'790'000'000);
  TokenVerifierOptions options;
  options.now = [&now] { return now; };
  options.refresh_on_a_thread = false;
  auto created = TokenVerifier::Create(*std::move(issuers), options, metrics);
  ASSERT_OK(created);
  TokenVerifier& verifier = **created;
  const std::string claims = json({{"iss", kIssuer},
                                   {"aud", kAudience},
                                   {"sub", "s"},
                                   {"exp", absl::ToUnixSeconds(now) + 3600},
                                   {"parcours_body", "bodies/opale"}})
                                 .dump();
  const std::string by_old =
      SignWith(old_key, {{"alg", "ES256"}, {"kid", "old"}}, claims);
  const std::string by_new =
      SignWith(new_key, {{"alg", "ES256"}, {"kid", "new"}}, claims);
  const auto read = [&] {
    now += absl::Seconds(5);
    verifier.ReadKeysIfDue();
  };
  EXPECT_OK(verifier.Verify(by_old));
  EXPECT_FALSE(verifier.Verify(by_new).ok());

  write(KeySetOf({PublicPart(old_key), PublicPart(new_key)}));
  read();
  EXPECT_OK(verifier.Verify(by_old));
  EXPECT_OK(verifier.Verify(by_new));

  // A broken file changes nothing.
  write("{");
  read();
  EXPECT_OK(verifier.Verify(by_old));

  write(KeySetOf({PublicPart(new_key)}));
  read();
  EXPECT_FALSE(verifier.Verify(by_old).ok());
  EXPECT_OK(verifier.Verify(by_new));
}

}  // namespace
}  // namespace parcours::identity
