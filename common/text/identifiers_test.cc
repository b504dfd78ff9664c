#include "common/text/identifiers.h"

#include <gtest/gtest.h>

namespace parcours::text {
namespace {

TEST(SiretTest, NeedsFourteenDigitsAndTheLuhnKey) {
  EXPECT_TRUE(IsSiret("73282932000074"));
  EXPECT_FALSE(IsSiret("73282932000075"));
  EXPECT_FALSE(IsSiret("7328293200007"));
  EXPECT_FALSE(IsSiret("7328293200007A"));
  EXPECT_FALSE(IsSiret(""));
}

TEST(SiretTest, OfNothingButZeroesIsRefused) {
  EXPECT_FALSE(IsSiret("00000000000000"));
}

TEST(SiretTest, OfLaPostePassesBySumOfDigits) {
  EXPECT_TRUE(IsSiret("35600000009075"));
  EXPECT_FALSE(IsSiret("35600000009076"));
}

TEST(ActivityNumberTest, HasElevenDigits) {
  EXPECT_TRUE(IsActivityNumber("11750000000"));
  EXPECT_FALSE(IsActivityNumber("1175000000"));
  EXPECT_FALSE(IsActivityNumber("1175000000X"));
}

TEST(EmailTest, HasOneAtAndADomainWithADot) {
  EXPECT_TRUE(IsEmail("candidate.une@exemple.test"));
  for (const char* wrong :
       {"", "@exemple.test", "a@b", "a@b..test", "a b@exemple.test",
        "a@exemple.test\n", "a@b@exemple.test", "a@.test", "a@exemple."}) {
    EXPECT_FALSE(IsEmail(wrong)) << wrong;
  }
}

TEST(PhoneTest, IsInternational) {
  EXPECT_TRUE(IsPhone("+33145652000"));
  EXPECT_FALSE(IsPhone("0145652000"));
  EXPECT_FALSE(IsPhone("+0145652000"));
  EXPECT_FALSE(IsPhone("+33 1 45 65 20 00"));
  EXPECT_FALSE(IsPhone("+"));
}

}  // namespace
}  // namespace parcours::text
