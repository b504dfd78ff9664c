#include "common/identity/key_set.h"

#include <string>
#include <vector>

#include "common/identity/testdata/forgery.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::identity {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

json With(json jwk, const char* member, json value) {
  jwk[member] = std::move(value);
  return jwk;
}

const json& Ec() {
  static const json& jwk = *new json(PublicPart(NewEcKey("ec")));
  return jwk;
}

const json& Rsa() {
  static const json& jwk = *new json(PublicPart(RsaKey("rsa")));
  return jwk;
}

TEST(KeySet, PinsTheAlgorithmToTheKey) {
  const auto set = KeySet::Parse(KeySetOf({Ec(), Rsa()}));
  ASSERT_OK(set);
  ASSERT_NE(set->Find("ec"), nullptr);
  EXPECT_EQ(set->Find("ec")->algorithm(), "ES256");
  ASSERT_NE(set->Find("rsa"), nullptr);
  EXPECT_EQ(set->Find("rsa")->algorithm(), "RS256");
  EXPECT_EQ(set->Find("another"), nullptr);
  EXPECT_EQ(set->Find(""), nullptr);
}

TEST(KeySet, LeavesOutKeysThatAreForSomethingElse) {
  json oct = {{"kty", "oct"}, {"kid", "oct"}, {"k", "c2VjcmV0"}};
  json without_kid = Ec();
  without_kid.erase("kid");
  json off_the_curve = With(Ec(), "kid", "off");
  off_the_curve["x"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const std::vector<json> others = {
      oct,
      without_kid,
      off_the_curve,
      With(With(Ec(), "kid", "enc"), "use", "enc"),
      With(With(Ec(), "kid", "ops"), "key_ops", json::array({"sign"})),
      With(With(Ec(), "kid", "ecdh"), "alg", "ECDH-ES"),
      With(With(Rsa(), "kid", "ps"), "alg", "PS256"),
      With(With(Rsa(), "kid", "none"), "alg", "none"),
      With(With(Rsa(), "kid", "hs"), "alg", "HS256"),
      With(With(Ec(), "kid", "okp"), "kty", "OKP"),
      PublicPart(NewEcKey("p384", CJOSE_JWK_EC_P_384)),
      PublicPart(RsaKey("weak", 1024)),
  };
  std::vector<json> all = others;
  all.push_back(With(With(Ec(), "use", "sig"), "alg", "ES256"));
  const auto set = KeySet::Parse(KeySetOf(all));
  ASSERT_OK(set);
  EXPECT_EQ(set->size(), 1u);
  EXPECT_NE(set->Find("ec"), nullptr);
  // Nothing is left without it.
  EXPECT_THAT(KeySet::Parse(KeySetOf(others)),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(KeySet, TwoKeysUnderOneKidAreRefused) {
  EXPECT_THAT(KeySet::Parse(KeySetOf({Ec(), PublicPart(NewEcKey("ec"))})),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(KeySet::Parse(KeySetOf({Ec(), With(Rsa(), "kid", "ec")})),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(KeySet, APrivateKeyIsRefusedAndNotTold) {
  const json secret = PrivatePart(NewEcKey("secret"));
  const auto set = KeySet::Parse(KeySetOf({Ec(), secret}));
  EXPECT_THAT(set, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(set.status().ToString(),
              Not(HasSubstr(secret["d"].get<std::string>())));
}

TEST(KeySet, WhatIsNoKeySetIsRefused) {
  for (const char* text :
       {"", "{}", "[]", R"({"keys":{}})", R"({"keys":[]})", R"({"keys":[1]})",
        R"({"keys":[],"keys":[]})", "<html>"}) {
    EXPECT_THAT(KeySet::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
}

}  // namespace
}  // namespace parcours::identity
