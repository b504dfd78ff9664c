#include "common/storage/person_keys.h"

#include <sys/stat.h>

#include <cstddef>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "common/storage/database.h"
#include "common/storage/sql_repository.h"
#include "common/storage/table.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::TestDatabase;

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

const Table<Letter>& LetterTable() {
  static const auto* const table =
      new Table<Letter>(Table<Letter>("letter")
                            .Column("person", &Letter::person)
                            .SealedFor("person", &Letter::person)
                            .Sealed("text", &Letter::text)
                            .Sealed("note", &Letter::note));
  return *table;
}

constexpr Migration kMigrations[] = {{100, "letter", R"sql(
CREATE TABLE letter (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  person {key_text} NOT NULL,
  text TEXT NOT NULL,
  note TEXT NOT NULL
);
)sql"}};

constexpr char kText[] = "Candidate Une a besoin de temps";
constexpr char kPerson[] = "bodies/opale/persons/une";

Letter MakeLetter(const std::string& id, const std::string& person = kPerson) {
  Letter letter;
  letter.name = LetterName::FromRecord("bodies/opale/letters/" + id);
  letter.person = PersonName::FromRecord(person);
  letter.text = kText;
  letter.note = "note of " + id;
  return letter;
}

class PersonKeysTest : public ::testing::TestWithParam<Engine> {
 protected:
  PersonKeysTest() : files_(GetParam()) { Reopen(); }

  void Reopen() {
    database_.reset();
    database_ = files_.Open(kMigrations);
  }

  static access::Caller Call() {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "tester";
    caller.method = "Test";
    caller.now = absl::FromUnixSeconds(1'800'000'000);
    caller.deadline = absl::Now() + absl::Seconds(60);
    return caller;
  }

  template <typename Body>
  absl::Status Transact(Body body) {
    return database_
        ->Transact(Call(),
                   [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                     RETURN_IF_ERROR(body(transaction));
                     return Outcome{};
                   })
        .status();
  }

  absl::Status Insert(Letter letter) {
    return Transact([&](Transaction& transaction) {
      SqlRepository<Letter>(transaction, LetterTable()).Insert(letter);
      return absl::OkStatus();
    });
  }

  absl::Status Update(Letter letter) {
    return Transact([&](Transaction& transaction) {
      SqlRepository<Letter>(transaction, LetterTable()).Update(letter);
      return absl::OkStatus();
    });
  }

  absl::Status Execute(const std::string& sql, Values values = {}) {
    return Transact([&](Transaction& transaction) {
      transaction.Write({sql, values});
      return absl::OkStatus();
    });
  }

  absl::Status Erase(const std::string& person = kPerson) {
    return Transact([&](Transaction& transaction) {
      transaction.person_keys().Erase(person);
      return absl::OkStatus();
    });
  }

  absl::StatusOr<Letter> Read(const std::string& id) {
    std::optional<Letter> letter;
    RETURN_IF_ERROR(
        database_->View(Call(), [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(letter,
                           SqlRepository<Letter>(transaction, LetterTable())
                               .Get(Call().scope, MakeLetter(id).name));
          return absl::OkStatus();
        }));
    return *std::move(letter);
  }

  Rows Raw(const std::string& sql, Values values = {}) {
    Rows rows;
    EXPECT_OK(
        database_->View(Call(), [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(rows, transaction.Query({sql, values}));
          return absl::OkStatus();
        }));
    return rows;
  }

  std::string RawText(const std::string& id) {
    const Rows rows = Raw("SELECT text FROM letter WHERE name = $1",
                          {MakeLetter(id).name.text()});
    return rows.empty() ? "" : rows[0].Text(0);
  }

  // Secrets whose keyring has these lines.
  std::shared_ptr<const PersonSecrets> SecretsOf(
      const std::vector<std::string>& lines) {
    const std::string path = folder_.File("keys");
    {
      std::ofstream file(path, std::ios::trunc);
      for (const std::string& line : lines) file << line << "\n";
    }
    EXPECT_EQ(chmod(path.c_str(), 0600), 0);
    auto keyring = crypto::Keyring::Load(path);
    EXPECT_OK(keyring);
    return std::make_shared<PersonSecrets>(
        PersonSecrets{.master_keys = *std::move(keyring),
                      .blind_index_key = "a key of thirty-two bytes, fixed"});
  }

  void UseKeyring(const std::vector<std::string>& lines) {
    database_.reset();
    files_.options().person_secrets = SecretsOf(lines);
    Reopen();
  }

  int64_t LeftToRewrap() {
    int64_t left = -1;
    EXPECT_OK(
        database_->View(Call(), [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(
              left, PersonKeysToRewrap(transaction,
                                       *files_.options().person_secrets));
          return absl::OkStatus();
        }));
    return left;
  }

  testing::TempDir folder_;
  TestDatabase files_;
  std::unique_ptr<Database> database_;
};

INSTANTIATE_TEST_SUITE_P(Engines, PersonKeysTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(PersonKeysTest, ASealedColumnIsReadBackAndShowsNothingOfTheText) {
  ASSERT_OK(Insert(MakeLetter("1")));
  const auto letter = Read("1");
  ASSERT_OK(letter);
  EXPECT_EQ(letter->text, kText);
  EXPECT_EQ(letter->note, "note of 1");
  const std::string raw = RawText("1");
  EXPECT_FALSE(raw.empty());
  const std::string_view text = kText;
  for (std::size_t i = 0; i + 4 <= text.size(); ++i) {
    EXPECT_EQ(raw.find(text.substr(i, 4)), std::string::npos) << i;
  }
}

TEST_P(PersonKeysTest, TheSameTextIsNeverSealedTheSameWay) {
  ASSERT_OK(Insert(MakeLetter("1")));
  ASSERT_OK(Insert(MakeLetter("2")));
  EXPECT_NE(RawText("1"), RawText("2"));
  const std::string before = RawText("1");
  auto letter = Read("1");
  ASSERT_OK(letter);
  ASSERT_OK(Update(*letter));
  EXPECT_NE(RawText("1"), before);
}

TEST_P(PersonKeysTest, EmptyTextStaysEmpty) {
  Letter letter = MakeLetter("1");
  letter.text.clear();
  ASSERT_OK(Insert(letter));
  EXPECT_EQ(RawText("1"), "");
  EXPECT_EQ(Read("1")->text, "");
}

TEST_P(PersonKeysTest, WhatIsMovedToAnotherRowOrColumnDoesNotOpen) {
  ASSERT_OK(Insert(MakeLetter("1")));
  ASSERT_OK(Insert(MakeLetter("2")));
  ASSERT_OK(Insert(MakeLetter("3")));
  ASSERT_OK(Execute("UPDATE letter SET text = $1 WHERE name = $2",
                    {RawText("1"), MakeLetter("2").name.text()}));
  EXPECT_THAT(Read("2"), StatusIs(absl::StatusCode::kInternal));
  ASSERT_OK(Execute("UPDATE letter SET note = text WHERE name = $1",
                    {MakeLetter("3").name.text()}));
  EXPECT_THAT(Read("3"), StatusIs(absl::StatusCode::kInternal));
  EXPECT_OK(Read("1"));
}

TEST_P(PersonKeysTest, TheKeyOfAnotherPersonDoesNotOpenIt) {
  const std::string other = "bodies/opale/persons/deux";
  ASSERT_OK(Insert(MakeLetter("1")));
  ASSERT_OK(Insert(MakeLetter("2", other)));
  ASSERT_OK(Execute("UPDATE letter SET person = $1 WHERE name = $2",
                    {other, MakeLetter("1").name.text()}));
  EXPECT_THAT(Read("1"), StatusIs(absl::StatusCode::kInternal));
  // Nor does a wrapped key under another name.
  ASSERT_OK(
      Execute("UPDATE person_key SET wrapped ="
              " (SELECT p.wrapped FROM person_key p WHERE p.person = $1)"
              " WHERE person = $2",
              {std::string(kPerson), other}));
  EXPECT_THAT(Read("2"), StatusIs(absl::StatusCode::kInternal));
}

TEST_P(PersonKeysTest, AnErasedPersonsTextIsEmptyAndCannotBeWrittenAgain) {
  ASSERT_OK(Insert(MakeLetter("1")));
  const std::string sealed = RawText("1");
  ASSERT_OK(Erase());
  // What was sealed still stands there, as in a copy, and says nothing.
  EXPECT_EQ(RawText("1"), sealed);
  auto letter = Read("1");
  ASSERT_OK(letter);
  EXPECT_EQ(letter->text, "");
  EXPECT_EQ(letter->note, "");
  letter->text = "again";
  EXPECT_THAT(Update(*letter), HasReason(Reason::kPersonErased));
  EXPECT_THAT(Insert(MakeLetter("2")), HasReason(Reason::kPersonErased));
  // Without anything of theirs, the row may change.
  letter->text.clear();
  EXPECT_OK(Update(*letter));
}

TEST_P(PersonKeysTest, ErasingLeavesATombstoneWhoseTimeIsTheFirst) {
  ASSERT_OK(Insert(MakeLetter("1")));
  ASSERT_OK(Erase());
  const char* const kRow =
      "SELECT wrapped, master_key, erase_time, erased_time FROM person_key"
      " WHERE person = $1";
  const Rows first = Raw(kRow, {std::string(kPerson)});
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].Bytes(0), "");
  EXPECT_EQ(first[0].Text(1), "");
  EXPECT_FALSE(first[0].IsNull(2));
  EXPECT_TRUE(first[0].IsNull(3));
  ASSERT_OK(Execute("UPDATE person_key SET erase_time = 7"));
  ASSERT_OK(Erase());
  EXPECT_EQ(Raw(kRow, {std::string(kPerson)})[0].Integer(2), 7);
  // Also of somebody who never had a key.
  ASSERT_OK(Erase("bodies/opale/persons/nobody"));
  EXPECT_THAT(Insert(MakeLetter("2", "bodies/opale/persons/nobody")),
              HasReason(Reason::kPersonErased));
}

TEST_P(PersonKeysTest, AnErasureIsFinishedOnce) {
  ASSERT_OK(Insert(MakeLetter("1")));
  const auto to_finish = [&] {
    std::vector<std::string> persons;
    EXPECT_OK(
        database_->View(Call(), [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(persons, ErasuresToFinish(transaction, 10));
          return absl::OkStatus();
        }));
    return persons;
  };
  const auto finish = [&] {
    bool was_left = false;
    EXPECT_OK(Transact([&](Transaction& transaction) -> absl::Status {
      ASSIGN_OR_RETURN(was_left, FinishErasure(transaction, kPerson));
      return absl::OkStatus();
    }));
    return was_left;
  };
  EXPECT_TRUE(to_finish().empty());
  EXPECT_FALSE(finish());
  ASSERT_OK(Erase());
  EXPECT_EQ(to_finish(), std::vector<std::string>{kPerson});
  EXPECT_TRUE(finish());
  EXPECT_TRUE(to_finish().empty());
  EXPECT_FALSE(finish());
}

TEST_P(PersonKeysTest, OnePersonGetsOneKeyFromManyAtOnce) {
  constexpr int kWriters = 8;
  std::vector<std::thread> threads;
  std::vector<absl::Status> statuses(kWriters);
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i] {
      statuses[static_cast<std::size_t>(i)] = Insert(MakeLetter(Cat(i)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kWriters; ++i) {
    EXPECT_OK(statuses[static_cast<std::size_t>(i)]);
    const auto letter = Read(Cat(i));
    ASSERT_OK(letter);
    EXPECT_EQ(letter->text, kText);
  }
  EXPECT_EQ(Raw("SELECT person FROM person_key").size(), 1u);
}

TEST_P(PersonKeysTest, OneTransactionUsesOneKeyWhateverComesFirst) {
  ASSERT_OK(Transact([&](Transaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(transaction.person_keys().OfNew(kPerson).status());
    RETURN_IF_ERROR(transaction.person_keys().OfNew(kPerson).status());
    Letter letter = MakeLetter("1");
    SqlRepository<Letter>(transaction, LetterTable()).Insert(letter);
    return absl::OkStatus();
  }));
  EXPECT_EQ(Read("1")->text, kText);
}

TEST_P(PersonKeysTest, PlainTextOfBeforeIsReadAndSealedWithTheNextWrite) {
  ASSERT_OK(Execute(
      "INSERT INTO letter VALUES"
      " ($1, 'bodies/opale', 1, 0, 0, $2, $3, '')",
      {MakeLetter("1").name.text(), std::string(kPerson), std::string(kText)}));
  auto letter = Read("1");
  ASSERT_OK(letter);
  EXPECT_EQ(letter->text, kText);
  EXPECT_EQ(RawText("1"), kText);
  ASSERT_OK(Update(*letter));
  EXPECT_EQ(RawText("1").find("Candidate"), std::string::npos);
  EXPECT_EQ(Read("1")->text, kText);
}

TEST_P(PersonKeysTest, AfterWrappingAnewTheOldMasterKeyIsNotNeeded) {
  const std::string old_line = crypto::Keyring::NewLine();
  const std::string new_line = crypto::Keyring::NewLine();
  UseKeyring({old_line});
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(Insert(MakeLetter(Cat(i), Cat("bodies/opale/persons/p-", i))));
  }
  ASSERT_OK(Erase("bodies/opale/persons/p-4"));

  UseKeyring({new_line, old_line});
  EXPECT_EQ(LeftToRewrap(), 4);
  ASSERT_OK(Read("0"));
  const PersonSecrets& secrets = *files_.options().person_secrets;
  std::vector<int> found;
  do {
    const auto batch = RewrapPersonKeys(*database_, secrets, Call(), 3);
    ASSERT_OK(batch);
    found.push_back(*batch);
  } while (found.back() > 0);
  EXPECT_EQ(found, (std::vector<int>{3, 1, 0}));
  EXPECT_EQ(LeftToRewrap(), 0);

  UseKeyring({new_line});
  for (int i = 0; i < 4; ++i) {
    const auto letter = Read(Cat(i));
    ASSERT_OK(letter);
    EXPECT_EQ(letter->text, kText);
  }
  EXPECT_EQ(Read("4")->text, "");
}

TEST_P(PersonKeysTest, AMasterKeyThatIsGoneTooSoonIsNamed) {
  const std::string old_line = crypto::Keyring::NewLine();
  UseKeyring({old_line});
  ASSERT_OK(Insert(MakeLetter("1")));
  UseKeyring({crypto::Keyring::NewLine()});
  const auto found =
      RewrapPersonKeys(*database_, *files_.options().person_secrets, Call(), 3);
  EXPECT_THAT(found, StatusIs(absl::StatusCode::kInternal));
  EXPECT_NE(std::string(found.status().message()).find(old_line.substr(0, 8)),
            std::string::npos)
      << found.status();
  EXPECT_EQ(LeftToRewrap(), 1);
}

TEST_P(PersonKeysTest, WithoutSecretsNothingIsSealedOrOpened) {
  ASSERT_OK(Insert(MakeLetter("1")));
  database_.reset();
  files_.options().person_secrets = nullptr;
  Reopen();
  EXPECT_FALSE(Read("1").ok());
  EXPECT_FALSE(Insert(MakeLetter("2")).ok());
  EXPECT_EQ(RawText("2"), "");
}

TEST_P(PersonKeysTest, ABlindIndexIsTheSameForTheSamePurposeAlone) {
  const auto digest = [&](std::string_view purpose, std::string_view text) {
    std::string made;
    EXPECT_OK(
        database_->View(Call(), [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(made,
                           transaction.person_keys().BlindIndex(purpose, text));
          return absl::OkStatus();
        }));
    return made;
  };
  EXPECT_EQ(digest("candidate/1", kText), digest("candidate/1", kText));
  EXPECT_NE(digest("candidate/1", kText), digest("candidate/2", kText));
  EXPECT_EQ(digest("candidate/1", kText).find("Candidate"), std::string::npos);
}

}  // namespace
}  // namespace parcours::storage
