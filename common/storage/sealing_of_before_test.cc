#include "common/storage/sealing_of_before.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/storage/feed.h"
#include "common/storage/sql_repository.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using LetterName = ResourceName<"bodies/*/letters/*">;
using PersonName = ResourceName<"bodies/*/persons/*">;

struct Letter {
  LetterName name;
  PersonName person;
  std::string text;
  std::string note;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

struct Parcel : Letter {};

template <typename Resource>
Table<Resource> MakeTable(const std::string& name) {
  return Table<Resource>(name)
      .Column("person", &Resource::person)
      .SealedFor("person", &Resource::person)
      .Sealed("text", &Resource::text)
      .Sealed("note", &Resource::note);
}
const Table<Letter>& LetterTable() {
  static const auto& table = *new Table<Letter>(MakeTable<Letter>("letter"));
  return table;
}
const Table<Parcel>& ParcelTable() {
  static const auto& table = *new Table<Parcel>(MakeTable<Parcel>("parcel"));
  return table;
}

constexpr char kColumns[] = R"sql( (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  person {key_text} NOT NULL,
  text TEXT NOT NULL,
  note TEXT NOT NULL
);
)sql";

const std::vector<Migration>& Migrations() {
  static const auto& sql = *new std::string(
      Cat("CREATE TABLE letter", kColumns, "CREATE TABLE parcel", kColumns));
  static const auto& migrations =
      *new std::vector<Migration>{{100, "letter", sql.c_str()}};
  return migrations;
}

constexpr char kPerson[] = "bodies/opale/persons/une";

class SealingOfBeforeTest : public ::testing::TestWithParam<Engine> {
 protected:
  static access::Caller Call() {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "tester";
    caller.method = "Test";
    caller.now = absl::FromUnixSeconds(1'800'000'000);
    caller.deadline = absl::Now() + absl::Seconds(60);
    return caller;
  }

  absl::Status Write(const std::vector<Statement>& statements) {
    return database_
        ->Transact(Call(),
                   [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                     for (const Statement& one : statements) {
                       transaction.Write(one);
                     }
                     return Outcome{};
                   })
        .status();
  }

  // A row as a version without keys wrote it.
  static Statement RowOfBefore(const std::string& table, const std::string& id,
                               const std::string& text, const std::string& note,
                               const std::string& person = kPerson) {
    return {.sql = Cat("INSERT INTO ", table,
                       " (name, body, version, create_time, update_time,"
                       " person, text, note)"
                       " VALUES ($1, 'bodies/opale', 3, 5, 7, $2, $3, $4)"),
            .values = {Cat("bodies/opale/letters/", id), person, text, note}};
  }

  std::vector<std::string> Raw(const std::string& sql) {
    std::vector<std::string> texts;
    EXPECT_OK(
        database_->View(Call(), [&](Transaction& transaction) -> absl::Status {
          texts.clear();
          ASSIGN_OR_RETURN(const Rows rows,
                           transaction.Query({.sql = sql, .values = {}}));
          for (const Row& row : rows) texts.push_back(row.Text(0));
          return absl::OkStatus();
        }));
    return texts;
  }

  Letter Read(const std::string& id) {
    Letter letter;
    EXPECT_OK(
        database_->View(Call(), [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(
              letter,
              SqlRepository<Letter>(transaction, LetterTable())
                  .Get(Call().scope, LetterName::FromRecord(
                                         Cat("bodies/opale/letters/", id))));
          return absl::OkStatus();
        }));
    return letter;
  }

  SealingOfBefore Sealing() {
    return SealingOfBefore(*database_,
                           {SealingOfBefore::PartOf(LetterTable()),
                            SealingOfBefore::PartOf(ParcelTable())});
  }

  // Steps until nothing is left.
  int Seal(SealingOfBefore sealing) {
    int steps = 1;
    while (true) {
      const absl::StatusOr<bool> more = sealing.Step(Call());
      EXPECT_OK(more);
      if (!more.ok() || !*more) return steps;
      ++steps;
    }
  }

  testing::TestDatabase files_{GetParam()};
  std::unique_ptr<Database> database_ = files_.Open(Migrations());
};

INSTANTIATE_TEST_SUITE_P(Engines, SealingOfBeforeTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

TEST_P(SealingOfBeforeTest, EveryTableAndColumnIsSealed) {
  ASSERT_OK(Write({RowOfBefore("letter", "1", "clear text", "clear note"),
                   RowOfBefore("letter", "2", "", "clear too"),
                   RowOfBefore("letter", "3", "", ""),
                   RowOfBefore("parcel", "1", "in a parcel", "")}));
  std::size_t changes = 0;
  database_->AddCommitListener(
      [&](absl::Span<const Change> made) { changes += made.size(); });
  Seal(Sealing());
  constexpr char kTexts[] =
      "SELECT text FROM letter WHERE text <> ''"
      " UNION ALL SELECT note FROM letter WHERE note <> ''"
      " UNION ALL SELECT text FROM parcel WHERE text <> ''"
      " UNION ALL SELECT note FROM parcel WHERE note <> ''";
  EXPECT_THAT(Raw(kTexts), SizeIs(4));
  EXPECT_THAT(Raw(kTexts), Each(StartsWith("\x01")));
  const Letter read = Read("1");
  EXPECT_EQ(read.text, "clear text");
  EXPECT_EQ(read.note, "clear note");
  EXPECT_EQ(read.version, 3);
  EXPECT_EQ(absl::ToUnixMicros(read.update_time), 7);
  EXPECT_EQ(changes, 0U);
}

TEST_P(SealingOfBeforeTest, WhatIsSealedStaysAsItIs) {
  ASSERT_OK(Write({RowOfBefore("letter", "1", "clear text", "clear note")}));
  Seal(Sealing());
  const auto before = Raw("SELECT text FROM letter");
  EXPECT_EQ(Seal(Sealing()), 1);
  EXPECT_EQ(Raw("SELECT text FROM letter"), before);
}

TEST_P(SealingOfBeforeTest, WhatIsNobodysKeepsNothingElseBack) {
  ASSERT_OK(Write({RowOfBefore("letter", "1", "nobody's", "", ""),
                   RowOfBefore("letter", "2", "somebody's", "")}));
  Seal(Sealing());
  EXPECT_THAT(Raw("SELECT text FROM letter ORDER BY name"),
              ElementsAre("nobody's", StartsWith("\x01")));
}

TEST_P(SealingOfBeforeTest, WhatIsPreparedIsKeptWithWhatIsSealed) {
  ASSERT_OK(Write({RowOfBefore("letter", "1", "prepare", "a"),
                   RowOfBefore("letter", "2", "prepare", ""),
                   RowOfBefore("letter", "3", "", "")}));
  Seal(Sealing());
  const auto prepare = [](Transaction&, Letter& letter) {
    letter.note = Cat("prepared ", letter.text);
    return absl::OkStatus();
  };
  Seal(SealingOfBefore(
      *database_, {SealingOfBefore::PartOf(LetterTable(), prepare,
                                           "(text <> '' AND note = '')")}));
  EXPECT_EQ(Read("1").note, "a") << "nothing was left to do there";
  EXPECT_EQ(Read("2").note, "prepared prepare");
  EXPECT_EQ(Read("3").note, "");
  EXPECT_THAT(Raw("SELECT note FROM letter WHERE note <> ''"),
              Each(StartsWith("\x01")));
}

TEST_P(SealingOfBeforeTest, NoStepIsWithoutAnEnd) {
  constexpr int kMany = 4500;
  std::vector<Statement> rows;
  for (int i = 0; i < kMany; ++i) {
    rows.push_back(RowOfBefore("letter", Cat(100000 + i), "clear", ""));
  }
  ASSERT_OK(Write(rows));
  EXPECT_EQ(Seal(Sealing()), 2);
  EXPECT_THAT(Raw("SELECT name FROM letter WHERE text = 'clear'"), IsEmpty());
}

TEST_P(SealingOfBeforeTest, AFaultIsPassedByTheNextStep) {
  ASSERT_OK(Write({RowOfBefore("letter", "1", "clear", "")}));
  SealingOfBefore sealing = Sealing();
  access::Caller late = Call();
  late.deadline = absl::Now() - absl::Seconds(1);
  EXPECT_FALSE(sealing.Step(late).ok());
  EXPECT_EQ(Seal(std::move(sealing)), 1);
  EXPECT_THAT(Raw("SELECT text FROM letter"), ElementsAre(StartsWith("\x01")));
}

}  // namespace
}  // namespace parcours::storage
