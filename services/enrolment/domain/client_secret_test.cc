#include "services/enrolment/domain/client_secret.h"

#include <set>
#include <string>

#include "common/crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::enrolment {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

const std::string kKey(32, 'k');
const absl::Time kNow = absl::FromUnixSeconds(1'772'000'000);

TEST(ClientSecretTest, IsKnownByPrefixAndCheck) {
  const std::string text = NewSecretText();
  EXPECT_THAT(text, MatchesRegex("parcours_[0-9a-f]{72}"));
  // As the contract tells those who scan for secrets.
  EXPECT_EQ(text.substr(73),
            crypto::Sha256Hex(text.substr(0, 73)).substr(0, 8));
  EXPECT_TRUE(HasSecretForm(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_FALSE(HasSecretForm(changed)) << i;
  }
  EXPECT_FALSE(HasSecretForm(""));
  EXPECT_FALSE(HasSecretForm("parcours_"));
  EXPECT_FALSE(HasSecretForm(text + "0"));
  EXPECT_FALSE(HasSecretForm(text.substr(0, text.size() - 1)));
}

TEST(ClientSecretTest, IsNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(NewSecretText());
  EXPECT_EQ(seen.size(), 100U);
}

TEST(ClientSecretTest, IsNotInItsRecord) {
  const std::string text = NewSecretText();
  const ClientSecret one =
      RecordOfSecret(kKey, text, "une", kNow, kNow + absl::Hours(1));
  const ClientSecret two =
      RecordOfSecret(kKey, text, "deux", kNow, kNow + absl::Hours(1));
  EXPECT_EQ(one.digest.size(), 64U);
  EXPECT_THAT(one.digest, Not(HasSubstr(text.substr(9, 16))));
  EXPECT_NE(one.salt, two.salt);
  EXPECT_NE(one.digest, two.digest);
  EXPECT_NE(one.digest, crypto::Sha256Hex(one.salt + text));
}

TEST(ClientSecretTest, IsGoodUnderItsKeyUntilItExpires) {
  const std::string text = NewSecretText();
  const ClientSecret secret =
      RecordOfSecret(kKey, text, "une", kNow, kNow + absl::Hours(1));
  EXPECT_TRUE(IsGood(secret, kKey, text, kNow));
  EXPECT_TRUE(IsGood(secret, kKey, text,
                     kNow + absl::Hours(1) - absl::Microseconds(1)));
  EXPECT_FALSE(IsGood(secret, kKey, text, kNow + absl::Hours(1)));
  EXPECT_FALSE(IsGood(secret, kKey, NewSecretText(), kNow));
  EXPECT_FALSE(IsGood(secret, kKey, text.substr(0, 80), kNow));
  EXPECT_FALSE(IsGood(secret, kKey, "", kNow));
  EXPECT_FALSE(IsGood(secret, std::string(32, 'x'), text, kNow));
}

TEST(ClientSecretTest, NobodysIsNeverGood) {
  const ClientSecret nobodys = NobodysSecret();
  const ClientSecret any =
      RecordOfSecret(kKey, NewSecretText(), "une", kNow, kNow);
  EXPECT_EQ(nobodys.salt.size(), any.salt.size());
  EXPECT_EQ(nobodys.digest.size(), any.digest.size());
  EXPECT_FALSE(IsGood(nobodys, kKey, "", kNow));
  EXPECT_FALSE(IsGood(nobodys, kKey, NewSecretText(), absl::UnixEpoch()));
}

}  // namespace
}  // namespace parcours::enrolment
