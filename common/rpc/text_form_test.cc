#include "common/rpc/text_form.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace parcours::rpc {
namespace {

using type::v1::FieldRules;

// `character` in UTF-8, surrogates included, which are not UTF-8.
std::string Utf8(char32_t character) {
  const auto byte = [](char32_t bits) { return static_cast<char>(bits); };
  if (character < 0x80) return {byte(character)};
  if (character < 0x800) {
    return {byte(0xC0 | character >> 6), byte(0x80 | (character & 0x3F))};
  }
  if (character < 0x10000) {
    return {byte(0xE0 | character >> 12), byte(0x80 | (character >> 6 & 0x3F)),
            byte(0x80 | (character & 0x3F))};
  }
  return {byte(0xF0 | character >> 18), byte(0x80 | (character >> 12 & 0x3F)),
          byte(0x80 | (character >> 6 & 0x3F)),
          byte(0x80 | (character & 0x3F))};
}

unsigned Number(char32_t character) { return character; }

bool IsForbidden(std::string_view text, bool multiline = false) {
  return ExamineText(text, multiline).forbidden;
}

TEST(ExamineTextTest, TakesWhatPeopleWrite) {
  for (const std::string_view text :
       {"Candidate Une", "Éloïse d’Hôpital-Fictif", "Œuvre « à venir »",
        "Владимир", "Ζωή", "山田", "محمد", "\xE2\x80\x8Eשלום\xE2\x80\x8F",
        "می\xE2\x80\x8Cخواهم", "नमस्ते", "👩‍🏫", "ﬁn", "a\xC2\xA0: b",
        "a\xE2\x80\xAF!", "mi\xC2\xADlieu"}) {
    EXPECT_FALSE(IsForbidden(text)) << text;
  }
}

TEST(ExamineTextTest, RefusesEveryControlCharacter) {
  for (char32_t c = 0; c < 0xA0; ++c) {
    const bool control = c < 0x20 || c >= 0x7F;
    EXPECT_EQ(IsForbidden("a" + Utf8(c) + "b"), control) << Number(c);
    const bool in_lines = control && c != '\n' && c != '\t';
    EXPECT_EQ(IsForbidden("a" + Utf8(c) + "b", true), in_lines) << Number(c);
  }
}

TEST(ExamineTextTest, RefusesWhatXmlForbidsAndEveryNoncharacter) {
  for (char32_t plane = 0; plane <= 0x10; ++plane) {
    for (const char32_t last : {U'\uFFFE', U'\uFFFF'}) {
      EXPECT_TRUE(IsForbidden(Utf8(plane << 16 | last))) << Number(plane);
    }
  }
  for (char32_t c = 0xFDD0; c <= 0xFDEF; ++c) EXPECT_TRUE(IsForbidden(Utf8(c)));
  EXPECT_FALSE(IsForbidden(Utf8(0xFFFD)));
  EXPECT_FALSE(IsForbidden(Utf8(0xFDF0)));
}

TEST(ExamineTextTest, RefusesSurrogates) {
  for (char32_t c = 0xD800; c < 0xE000; ++c) {
    EXPECT_TRUE(IsForbidden("a" + Utf8(c)));
  }
  // A character beyond the basic plane as the two of UTF-16.
  EXPECT_TRUE(IsForbidden(Utf8(0xD83D) + Utf8(0xDE00)));
}

TEST(ExamineTextTest, RefusesWhatIsNotUtf8) {
  for (const std::string_view text :
       {"\x80", "\xBF", "a\xC3", "\xC3(", "\xC0\xAF", "\xC1\xBF",
        "\xE0\x80\xAF", "\xE0\x9F\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF8\x88\x80\x80\x80", "\xFE",
        "\xFF", "\xE2\x82", "\xF0\x9F\x8E"}) {
    EXPECT_TRUE(IsForbidden(text));
    EXPECT_TRUE(IsForbidden(text, true));
  }
}

TEST(ExamineTextTest, RefusesWhatLetsATextBeReadAsAnother) {
  for (char32_t c = 0x202A; c <= 0x202E; ++c) {
    EXPECT_TRUE(IsForbidden("a" + Utf8(c) + "b", true)) << Number(c);
  }
  for (char32_t c = 0x2066; c <= 0x2069; ++c) {
    EXPECT_TRUE(IsForbidden("a" + Utf8(c) + "b", true)) << Number(c);
  }
}

TEST(ExamineTextTest, RefusesWhatNobodySees) {
  for (const char32_t c :
       {U'\u2028', U'\u2029', U'\uFEFF', U'\uFFF9', U'\uFFFB', U'\U000E0001',
        U'\U000E0041', U'\U000E007F'}) {
    EXPECT_TRUE(IsForbidden("a" + Utf8(c), true)) << Number(c);
  }
}

TEST(ExamineTextTest, CountsCharacters) {
  EXPECT_EQ(ExamineText("", false).characters, 0U);
  EXPECT_EQ(ExamineText("été", false).characters, 3U);
  EXPECT_EQ(ExamineText("👩‍🏫", false).characters, 3U);
}

TEST(NormaliseTextTest, ComposesAndLeavesComposed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"E\xCC\x81t\xC3\xA9", "\xC3\x89t\xC3\xA9"},
      // Two marks in the wrong order.
      {"a\xCC\x82\xCC\xA3", "\xE1\xBA\xAD"},
      {"\xE2\x84\xAB", "\xC3\x85"},        // the ångström sign
      {"\xEF\xAC\x81n", "\xEF\xAC\x81n"},  // a ligature is no other character
      {"\xE1\x84\x80\xE1\x85\xA1", "\xEA\xB0\x80"},
  };
  for (const auto& [text, normal] : cases) {
    EXPECT_EQ(NormaliseText(text, false), normal);
    EXPECT_EQ(ExamineText(text, false).normal, text == normal);
    EXPECT_TRUE(ExamineText(normal, false).normal);
  }
}

TEST(NormaliseTextTest, MakesLineEndsOne) {
  EXPECT_FALSE(ExamineText("a\r\nb", true).normal);
  EXPECT_EQ(NormaliseText("a\r\nb\r\n", true), "a\nb\n");
  EXPECT_TRUE(IsForbidden("a\rb", true));
}

struct FormCase {
  FieldRules::PatternKind form;
  std::string_view good;
  std::string_view bad;
};

TEST(HasFormTest, EveryFormTellsGoodFromBad) {
  const std::string digest(64, 'a');
  const std::vector<FormCase> cases = {
      {FieldRules::PATTERN_KIND_UUID, "0190a5f0-0000-7000-8000-000000000001",
       "0190a5f0000070008000000000000001"},
      {FieldRules::PATTERN_KIND_ID, "culture-ess-2026", "Culture_ESS"},
      {FieldRules::PATTERN_KIND_EMAIL, "une@exemple.test", "une@exemple"},
      {FieldRules::PATTERN_KIND_PHONE, "+33145652000", "01 45 65 20 00"},
      {FieldRules::PATTERN_KIND_HTTPS_URL, "https://exemple.test:8443/a?b",
       "https://exemple.test\\@evil.example/"},
      {FieldRules::PATTERN_KIND_SHA256, digest, "abc"},
      {FieldRules::PATTERN_KIND_DIGITS, "0042", "4 2"},
      {FieldRules::PATTERN_KIND_COUNTRY, "FR", "fr"},
      {FieldRules::PATTERN_KIND_SIRET, "73282932000074", "73282932000075"},
      {FieldRules::PATTERN_KIND_SIREN, "732829320", "732829321"},
      {FieldRules::PATTERN_KIND_ACTIVITY_NUMBER, "11755555575", "1175555557"},
      {FieldRules::PATTERN_KIND_POSTAL_CODE, "20290", "2B033"},
      {FieldRules::PATTERN_KIND_COMMUNE, "2B033", "20290"},
  };
  const google::protobuf::EnumDescriptor& forms =
      *FieldRules::PatternKind_descriptor();
  EXPECT_EQ(cases.size() + 1, static_cast<std::size_t>(forms.value_count()));
  for (const FormCase& c : cases) {
    SCOPED_TRACE(FieldRules::PatternKind_Name(c.form));
    EXPECT_TRUE(HasForm(c.good, c.form));
    EXPECT_FALSE(HasForm(c.bad, c.form));
    EXPECT_NE(FormName(c.form), FormName(FieldRules::PATTERN_KIND_UNSPECIFIED));
  }
}

TEST(HasFormTest, ALinkShowsTheHostItLeadsTo) {
  for (const std::string_view url :
       {"https://une@exemple.test/", "https://", "https:///x", "http://a.test",
        "https://exemple.test:/", "https://exemple.test:80a/",
        "https://ex\xC3\xA9mple.test/", "https://.test/", "https://a b.test/",
        "javascript:alert(1)", "https:exemple.test", " https://exemple.test"}) {
    EXPECT_FALSE(HasForm(url, FieldRules::PATTERN_KIND_HTTPS_URL)) << url;
  }
}

}  // namespace
}  // namespace parcours::rpc
