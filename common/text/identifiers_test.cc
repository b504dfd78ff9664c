#include "common/text/identifiers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parcours::text {
namespace {

struct Table {
  const char* name;
  bool (*predicate)(std::string_view);
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

std::string Long(std::size_t size) { return std::string(size, 'a'); }

const Table kTables[] = {
    {"Siren",
     IsSiren,
     {"732829320", "356000000", "000000018"},
     {"", "73282932", "7328293200", "732829321", "73282932O", "000000000",
      " 732829320", "732829320\n", "７３２８２９３２０"}},
    {"Siret",
     IsSiret,
     {"73282932000074", "35600000009075",
      // The seat of La Poste has both keys; others have one of them.
      "35600000000048", "35600000041574"},
     {"", "73282932000075", "7328293200007", "732829320000740",
      "7328293200007A", "00000000000000", "35600000009076", "732 829 320 00074",
      // A key over fourteen digits, but none over the SIREN.
      "73282931000075", "12345678901234",
      // The sum counts for La Poste alone.
      "73282932000077"}},
    {"ActivityNumber",
     IsActivityNumber,
     {"11750000000", "11755555575", "84690123469", "94200123420", "97970123497",
      "53350845035", "02973207972"},
     {"", "1175000000", "117500000000", "1175000000X", "00750000000",
      "11000000000", "11960000000", "11990000000", "942A0123420",
      "11 75 00000 00", "agréé 75001"}},
    {"PostalCode",
     IsPostalCode,
     {"75011", "01000", "20000", "20290", "95999", "97110", "97400", "97500",
      "97600", "97700", "97800", "98000", "98600", "98713", "98800", "00853",
      "75700"},
     {"", "7501", "750111", "96000", "97000", "97900", "98100", "98500",
      "98900", "99000", "00000", "2A004", "75 011", "F-75011", "7501A",
      "７５０１１"}},
    {"CommuneCode",
     IsCommuneCode,
     {"75056", "75111", "2A004", "2B033", "01001", "97105", "97411", "97502",
      "97608", "97701", "97801", "98411", "98611", "98735", "98818", "98901"},
     {"", "7505", "750560", "20004", "2a004", "2C004", "2A000", "A2004",
      "00001", "96001", "97001", "97900", "97100", "98001", "98501", "99100",
      "75000", "75 56"}},
    {"Email",
     IsEmail,
     {"candidate.une@exemple.test", "a@b.fr",
      "o'neil+jury@sous.domaine.example", "une_autre@xn--exmple-cua.test",
      "a@1.example", "a.b.c@d-e.example", Long(64) + "@exemple.test",
      "A@EXEMPLE.TEST"},
     {"",
      "@exemple.test",
      "a@b",
      "a@b..test",
      "a b@exemple.test",
      "a@exemple.test\n",
      "a@b@exemple.test",
      "a@.test",
      "a@exemple.",
      ".a@exemple.test",
      "a.@exemple.test",
      "a..b@exemple.test",
      "\"a b\"@exemple.test",
      "a@-exemple.test",
      "a@exemple-.test",
      "a@exem_ple.test",
      "a@192.0.2.1",
      "a@[192.0.2.1]",
      "a@exemple.123",
      "é@exemple.test",
      "a@exémple.test",
      "Une <a@exemple.test>",
      "a@exemple.test,b@exemple.test",
      "mailto:a@exemple.test?x",
      Long(65) + "@exemple.test",
      "a@" + Long(64) + ".test",
      "a@" + Long(60) + "." + Long(60) + "." + Long(60) + "." + Long(60) + "." +
          Long(60) + ".test",
      std::string("a\0b@exemple.test", 16),
      "a\x7f@exemple.test"}},
    {"Phone",
     IsPhone,
     {"+33145652000", "+33612345678", "+32475123456", "+262262123456",
      "+590590123456", "+12125550123", "+2904567", "+882123456789012"},
     {"", "+", "0145652000", "+0145652000", "+33 1 45 65 20 00",
      "+330145652000", "+3314565200", "+331456520000", "+33(0)145652000",
      "0033145652000", "+331456520O0", "+8821234567890123", "+123456",
      "+33145652000 ", "＋33145652000", "+262026212345"}},
};

class IdentifierTest : public ::testing::TestWithParam<Table> {};

TEST_P(IdentifierTest, TakesTheGood) {
  for (const std::string& text : GetParam().good) {
    EXPECT_TRUE(GetParam().predicate(text)) << text;
  }
}

TEST_P(IdentifierTest, RefusesTheBad) {
  for (const std::string& text : GetParam().bad) {
    EXPECT_FALSE(GetParam().predicate(text)) << text;
  }
}

// No digit of a number with a key can be mistyped unnoticed.
TEST(SiretTest, OneWrongDigitIsNoticed) {
  const std::string good = "73282932000074";
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (char digit = '0'; digit <= '9'; ++digit) {
      std::string text = good;
      text[i] = digit;
      EXPECT_EQ(IsSiret(text), text == good) << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, IdentifierTest, ::testing::ValuesIn(kTables),
                         [](const auto& info) -> std::string {
                           return info.param.name;
                         });

}  // namespace
}  // namespace parcours::text
