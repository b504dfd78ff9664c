#include "common/crypto/digest.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace parcours::crypto {
namespace {

TEST(DigestTest, IsSha256) {
  // FIPS 180-4, example "abc".
  EXPECT_EQ(Sha256Hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(DigestTest, OfPartsIsThatOfTheWhole) {
  Sha256 digest;
  digest.Update("a");
  digest.Update("");
  digest.Update("bc");
  EXPECT_EQ(digest.FinishHex(), Sha256Hex("abc"));
}

TEST(RandomTest, DoesNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(RandomHex(16));
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(seen.begin()->size(), 32u);
}

TEST(RandomTest, StaysBelowItsBound) {
  for (int i = 0; i < 1000; ++i) EXPECT_LT(RandomBelow(32), 32u);
}

TEST(EqualInConstantTimeTest, ComparesBytes) {
  EXPECT_TRUE(EqualInConstantTime("abc", "abc"));
  EXPECT_FALSE(EqualInConstantTime("abc", "abd"));
  EXPECT_FALSE(EqualInConstantTime("abc", "abcd"));
  EXPECT_TRUE(EqualInConstantTime("", ""));
}

TEST(KeyedDigestTest, DependsOnKeyAndBytes) {
  const std::string key(32, 'k');
  // BLAKE2b-256 of "abc" under that key, by Python's hashlib.
  EXPECT_EQ(KeyedDigestHex(key, "abc"),
            "0a9b1f4f633832a535f3e4539d906998c3814fbcd4cc136e57e8ea742ac36b61");
  EXPECT_NE(KeyedDigestHex(key, "abd"), KeyedDigestHex(key, "abc"));
  EXPECT_NE(KeyedDigestHex(std::string(32, 'x'), "abc"),
            KeyedDigestHex(key, "abc"));
}

TEST(CommitmentTest, DependsOnSaltAndTextAndTheirBorder) {
  EXPECT_EQ(Commitment("salt", "text"), Commitment("salt", "text"));
  EXPECT_NE(Commitment("salt", "text"), Commitment("other", "text"));
  EXPECT_NE(Commitment("salt", "text"), Commitment("saltt", "ext"));
}

}  // namespace
}  // namespace parcours::crypto
