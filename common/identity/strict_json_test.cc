#include "common/identity/strict_json.h"

#include <string>

#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::identity {
namespace {

TEST(StrictJson, TakesAnObject) {
  const auto parsed = ParseStrictObject(R"({"a":[{"b":1},{"b":2}],"c":"d"})");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ((*parsed)["c"], "d");
  EXPECT_TRUE(ParseStrictObject("{}").has_value());
}

TEST(StrictJson, RefusesAMemberThatStandsTwice) {
  EXPECT_FALSE(ParseStrictObject(R"({"kid":"a","kid":"b"})").has_value());
  EXPECT_FALSE(ParseStrictObject(R"({"a":{"b":1,"b":1}})").has_value());
  EXPECT_FALSE(ParseStrictObject(R"({"kid":"a","\u006bid":"b"})").has_value());
}

TEST(StrictJson, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "1", "null", "{", "{}x", "{\"a\":1,}",
                           "{\"a\":\"\xff\"}", "// x\n{}"}) {
    EXPECT_FALSE(ParseStrictObject(text).has_value()) << text;
  }
}

TEST(StrictJson, RefusesDeepNesting) {
  const auto nested = [](std::size_t depth) {
    return Cat(R"({"a":)", std::string(depth, '['), std::string(depth, ']'),
               "}");
  };
  EXPECT_TRUE(ParseStrictObject(nested(7)).has_value());
  EXPECT_FALSE(ParseStrictObject(nested(8)).has_value());
  EXPECT_FALSE(ParseStrictObject(nested(100'000)).has_value());
}

TEST(Base64Url, HasOneFormForEachValue) {
  EXPECT_EQ(DecodeBase64Url("AQI"), std::string("\x01\x02"));
  EXPECT_EQ(DecodeBase64Url(""), "");
  // The last character carries two bits that no byte takes.
  EXPECT_EQ(DecodeBase64Url("AQJ"), std::nullopt);
  for (const char* text : {"AQI=", "AQ I", "AQ\nI", "A", "A+==", "A/8", "é"}) {
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace parcours::identity
