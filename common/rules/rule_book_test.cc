#include "common/rules/rule_book.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"
#include "common/textproto/text_proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::rules {
namespace {

using absl::CivilDay;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two versions with a gap between them, and a flag.
constexpr char kBook[] = R"pb(
  book: "xx"
  rules {
    id: "cooling_off"
    description_fr: "Délai"
    unit: UNIT_DAYS
    values {
      effective_from { year: 2020 month: 1 day: 1 }
      effective_until { year: 2020 month: 12 day: 31 }
      value: 7
      article: "art. 1"
      source: "journal"
      certainty: CERTAINTY_VERIFIED
    }
    values {
      effective_from { year: 2021 month: 3 day: 1 }
      value: 9
      article: "art. 2"
      source: "journal"
      certainty: CERTAINTY_UNCERTAIN
    }
    values {
      effective_from { year: 2022 month: 1 day: 1 }
      value: 11
      article: "art. 3"
      source: "journal"
      certainty: CERTAINTY_UNCERTAIN
    }
  }
  rules {
    id: "house.flag"
    description_fr: "Choix"
    unit: UNIT_FLAG
    values {
      effective_from { year: 2020 month: 1 day: 1 }
      value: 1
      article: "paramètre"
      source: "choix"
      certainty: CERTAINTY_HOUSE
    }
  }
)pb";

RuleBook Book() { return RuleBook::Parse(kBook, "book").value(); }

TEST(RuleBookTest, GivesTheVersionInForceOnTheDay) {
  const RuleBook book = Book();
  EXPECT_EQ(book.AsOf("cooling_off", CivilDay(2020, 1, 1))->value, 7);
  EXPECT_EQ(book.AsOf("cooling_off", CivilDay(2020, 12, 31))->value, 7);
  EXPECT_EQ(book.AsOf("cooling_off", CivilDay(2021, 12, 31))->value, 9);
  EXPECT_EQ(book.AsOf("cooling_off", CivilDay(2022, 1, 1))->value, 11);
  EXPECT_EQ(book.AsOf("cooling_off", CivilDay(2099, 1, 1))->value, 11);
}

TEST(RuleBookTest, NamesVersionArticleUnitAndAuthority) {
  const DatedRule rule =
      Book().AsOf("cooling_off", CivilDay(2021, 6, 1)).value();
  EXPECT_EQ(rule.id, "cooling_off");
  EXPECT_EQ(rule.version, "xx/cooling_off@2021-03-01");
  EXPECT_EQ(rule.article, "art. 2");
  EXPECT_EQ(rule.source, "journal");
  EXPECT_EQ(rule.unit, RuleUnit::kDays);
  EXPECT_EQ(rule.certainty, RuleCertainty::kUncertain);
  EXPECT_EQ(rule.effective_from, CivilDay(2021, 3, 1));
  EXPECT_EQ(rule.effective_until, CivilDay(2021, 12, 31));
}

TEST(RuleBookTest, ReadsFlags) {
  const DatedRule flag =
      Book().AsOf("house.flag", CivilDay(2021, 6, 1)).value();
  EXPECT_TRUE(flag.IsSet());
  EXPECT_EQ(flag.certainty, RuleCertainty::kHouse);
}

TEST(RuleBookTest, HasNoValueBeforeTheFirstVersionNorInAGap) {
  const RuleBook book = Book();
  EXPECT_EQ(book.AsOf("cooling_off", CivilDay(2019, 12, 31)).status().code(),
            absl::StatusCode::kInternal);
  EXPECT_EQ(book.AsOf("cooling_off", CivilDay(2021, 1, 1)).status().code(),
            absl::StatusCode::kInternal);
  EXPECT_EQ(book.AsOf("absent", CivilDay(2021, 6, 1)).status().code(),
            absl::StatusCode::kInternal);
}

TEST(RuleBookTest, RequireNamesEveryMissingRule) {
  const RuleBook book = Book();
  EXPECT_TRUE(book.Require({"cooling_off", "house.flag"}).ok());
  const absl::Status status = book.Require({"one", "cooling_off", "two"});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("one, two"));
  EXPECT_THAT(book.Ids(), ElementsAre("cooling_off", "house.flag"));
}

TEST(RuleBookTest, RequirePeriodsNamesWhatIsNoTime) {
  const RuleBook book = Book();
  EXPECT_TRUE(book.RequirePeriods({"cooling_off"}).ok());
  const absl::Status other = book.RequirePeriods({"cooling_off", "house.flag"});
  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(other.message()), HasSubstr("counts house.flag in"));
  const absl::Status missing = book.RequirePeriods({"house.flag", "absent"});
  EXPECT_THAT(std::string(missing.message()), HasSubstr("lacks absent"));
}

TEST(RuleBookTest, ReportsASyntaxErrorWithLineAndColumn) {
  const absl::StatusOr<RuleBook> book =
      RuleBook::Parse("book: \"xx\"\nrules {\n  idd: \"a\"\n}", "r.txtpb");
  EXPECT_EQ(book.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(book.status().message()),
              AllOf(HasSubstr("r.txtpb:3:"), HasSubstr("idd")));
}

struct BadBook {
  std::string from;
  std::string to;
  std::string reported;
};

class BadRuleBookTest : public testing::TestWithParam<BadBook> {};

TEST_P(BadRuleBookTest, IsRefusedWithItsReason) {
  const BadBook& bad = GetParam();
  const std::string text = absl::StrReplaceAll(kBook, {{bad.from, bad.to}});
  ASSERT_NE(text, kBook);
  const absl::StatusOr<RuleBook> book = RuleBook::Parse(text, "book");
  ASSERT_EQ(book.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(book.status().message()), HasSubstr(bad.reported));
}

INSTANTIATE_TEST_SUITE_P(
    Books, BadRuleBookTest,
    testing::Values(
        BadBook{"id: \"house.flag\"", "id: \"cooling_off\"",
                "in the book already"},
        BadBook{"id: \"house.flag\"", "id: \"House Flag\"", "lower-case"},
        BadBook{"article: \"art. 1\"", "article: \" \"", "no article"},
        BadBook{"source: \"choix\"", "", "no source"},
        BadBook{"unit: UNIT_FLAG", "", "no unit"},
        BadBook{"description_fr: \"Choix\"", "", "no description_fr"},
        BadBook{"certainty: CERTAINTY_HOUSE", "", "no certainty"},
        BadBook{"value: 7", "value: -7", "negative"},
        BadBook{"value: 1\n", "value: 2\n", "a flag is 0 or 1"},
        BadBook{"unit: UNIT_DAYS", "unit: UNIT_DAYS unit: UNIT_HOURS",
                "multiple times"},
        BadBook{"book: \"xx\"", "", "book must be"},
        BadBook{"effective_from { year: 2021 month: 3 day: 1 }",
                "effective_from { year: 2021 month: 2 day: 30 }",
                "not a calendar day"},
        BadBook{"effective_from { year: 2021 month: 3 day: 1 }",
                "effective_from { year: 2020 month: 12 day: 31 }", "overlaps"},
        BadBook{"effective_from { year: 2021 month: 3 day: 1 }",
                "effective_from { year: 2019 month: 3 day: 1 }",
                "not after that of the version before"},
        BadBook{"effective_until { year: 2020 month: 12 day: 31 }",
                "effective_until { year: 2019 month: 12 day: 31 }",
                "effective_until is before"}));

TEST(RuleBookTest, ReportsEveryProblemAtOnceWithItsLine) {
  const std::string text = absl::StrReplaceAll(
      kBook, {{"article: \"art. 1\"", ""}, {"unit: UNIT_FLAG", ""}});
  const absl::Status status = RuleBook::Parse(text, "book").status();
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("book:7:5: rule \"cooling_off\": no article"),
                    HasSubstr("rule \"house.flag\": no unit")));
}

// The file that is shipped.
class FrenchRulesTest : public testing::Test {
 protected:
  static std::string Path() {
    const char* path = std::getenv("PARCOURS_RULES_FILE");
    return path == nullptr ? "rules/fr.txtpb" : path;
  }
};

TEST_F(FrenchRulesTest, Loads) {
  const absl::StatusOr<RuleBook> book = RuleBook::Load(Path());
  ASSERT_TRUE(book.ok()) << book.status();
  const CivilDay day(2026, 1, 15);
  for (const std::string& id : book->Ids()) {
    EXPECT_TRUE(book->AsOf(id, CivilDay(2026, 3, 16)).ok()) << id;
  }
  EXPECT_EQ(book->AsOf("withdrawal.on_premises", day)->article,
            "C. trav. L6353-5");
  EXPECT_EQ(book->AsOf("withdrawal.distance", CivilDay(2015, 1, 1))->article,
            "C. conso. L121-21");
  EXPECT_EQ(book->AsOf("withdrawal.distance", day)->version,
            "fr/withdrawal.distance@2016-07-01");
}

TEST_F(FrenchRulesTest, TellsTheLawFromTheHouse) {
  const RuleBook book = RuleBook::Load(Path()).value();
  for (const std::string& id : book.Ids()) {
    const DatedRule rule = book.AsOf(id, CivilDay(2026, 3, 16)).value();
    EXPECT_EQ(rule.certainty == RuleCertainty::kHouse,
              rule.article == "paramètre de l'organisme")
        << id;
  }
}

TEST_F(FrenchRulesTest, ChangedFileChangesValueAndArticle) {
  const std::string original = textproto::ReadTextFile(Path()).value();
  const std::string changed = absl::StrReplaceAll(
      original, {{"value: 10\n    article: \"C. trav. L6353-5\"",
                  "value: 21\n    article: \"C. trav. L9999-9\""}});
  ASSERT_NE(changed, original);
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) /
      absl::StrCat("changed_rules_", std::rand(), ".txtpb");
  std::ofstream(path) << changed;

  const CivilDay day(2026, 1, 15);
  const DatedRule before =
      RuleBook::Load(Path())->AsOf("withdrawal.on_premises", day).value();
  const DatedRule after = RuleBook::Load(path.string())
                              ->AsOf("withdrawal.on_premises", day)
                              .value();
  std::filesystem::remove(path);
  EXPECT_EQ(before.value, 10);
  EXPECT_EQ(after.value, 21);
  EXPECT_EQ(after.article, "C. trav. L9999-9");
}

TEST_F(FrenchRulesTest, MissingFileIsNotFound) {
  EXPECT_EQ(
      RuleBook::Load(testing::TempDir() + "/absent.txtpb").status().code(),
      absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace parcours::rules
