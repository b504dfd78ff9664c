#include "common/storage/sql_repository.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/storage/database.h"
#include "common/storage/recording_repository.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

enum class Colour { kRed, kBlue };

}  // namespace
}  // namespace parcours::storage

template <>
struct parcours::EnumNames<parcours::storage::Colour> {
  static constexpr std::string_view values[] = {"RED", "BLUE"};
};

namespace parcours::storage {
namespace {

using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::TestDatabase;

using ShelfName = ResourceName<"bodies/*/shelves/*">;

struct Label {
  std::string text;
  std::optional<absl::CivilDay> day;
  std::vector<Colour> colours;
  friend bool operator==(const Label&, const Label&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Label, text, day, colours)

struct Shelf {
  ShelfName name;
  std::string title;
  int32_t width = 0;
  bool open = false;
  Colour colour = Colour::kRed;
  absl::Time built;
  absl::CivilDay opened;
  std::optional<absl::CivilDay> closed;
  std::optional<std::string> note;
  ShelfName beside;
  std::vector<ShelfName> near;
  std::vector<std::string> tags;
  std::vector<Label> labels;
  Blob picture;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

const Table<Shelf>& ShelfTable() {
  static const auto* const table = new Table<Shelf>(
      Table<Shelf>("shelf")
          .Column("title", &Shelf::title)
          .Column(
              "width", [](auto& s) -> auto& { return s.width; })
          .Column("open_now", &Shelf::open)
          .Column("colour", &Shelf::colour)
          .Column("built", &Shelf::built)
          .Column("opened", &Shelf::opened)
          .Column("closed", &Shelf::closed)
          .Column("note", &Shelf::note)
          .Column("beside", &Shelf::beside)
          .Column("near", &Shelf::near)
          .Column("tags", &Shelf::tags)
          .Json("labels", &Shelf::labels)
          .Column("picture", &Shelf::picture));
  return *table;
}

constexpr Migration kMigrations[] = {{100, "shelf", R"sql(
CREATE TABLE shelf (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  title TEXT NOT NULL,
  width BIGINT NOT NULL,
  open_now SMALLINT NOT NULL,
  colour TEXT NOT NULL,
  built BIGINT NOT NULL,
  opened TEXT NOT NULL,
  closed TEXT,
  note TEXT,
  beside {key_text} NOT NULL,
  near TEXT NOT NULL,
  tags TEXT NOT NULL,
  labels TEXT NOT NULL,
  picture BYTEA NOT NULL
);
)sql"}};

ShelfName Name(const std::string& body, const std::string& id) {
  return ShelfName::FromRecord("bodies/" + body + "/shelves/" + id);
}

class SqlRepositoryTest : public ::testing::TestWithParam<Engine> {
 protected:
  SqlRepositoryTest()
      : files_(GetParam()), database_(files_.Open(kMigrations)) {
    caller_.principal.subject = "tester";
    caller_.now = absl::FromUnixSeconds(1'800'000'000);
    caller_.deadline = absl::Now() + absl::Seconds(30);
  }

  absl::StatusOr<Outcome> Change(
      absl::FunctionRef<absl::Status(SqlRepository<Shelf>&, Transaction&)>
          body) {
    return database_->Transact(
        caller_, [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
          SqlRepository<Shelf> shelves(transaction, ShelfTable());
          RETURN_IF_ERROR(body(shelves, transaction));
          return Outcome{};
        });
  }

  void Add(const ShelfName& name) {
    ASSERT_OK(Change([&](auto& shelves, Transaction&) {
      Shelf shelf;
      shelf.name = name;
      shelves.Insert(shelf);
      return absl::OkStatus();
    }));
  }

  template <typename Body>
  auto Read(Body body) {
    std::invoke_result_t<Body, SqlRepository<Shelf>&> found =
        absl::UnknownError("not read");
    EXPECT_OK(database_->View(caller_, [&](Transaction& transaction) {
      SqlRepository<Shelf> shelves(transaction, ShelfTable());
      found = body(shelves);
      return absl::OkStatus();
    }));
    return found;
  }

  std::vector<std::string> Names(const access::Scope& scope,
                                 const std::string& parent) {
    std::vector<std::string> names;
    const auto page =
        Read([&](auto& shelves) { return shelves.List(scope, parent, {}); });
    EXPECT_OK(page);
    for (const Shelf& shelf : page->items) names.push_back(shelf.name.text());
    return names;
  }

  TestDatabase files_;
  std::unique_ptr<Database> database_;
  access::Caller caller_{.scope = access::Scope::Installation()};
  const access::Scope all_ = access::Scope::Installation();
};

INSTANTIATE_TEST_SUITE_P(Engines, SqlRepositoryTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(SqlRepositoryTest, KeepsEveryTypeOfColumn) {
  Shelf shelf;
  shelf.name = Name("opale", "one");
  shelf.title = "Étagère";
  shelf.width = -7;
  shelf.open = true;
  shelf.colour = Colour::kBlue;
  shelf.built = absl::FromUnixMicros(1'234'567'890'123'457);
  shelf.opened = absl::CivilDay(2027, 2, 28);
  shelf.note = "";
  shelf.beside = Name("opale", "two");
  shelf.near = {Name("opale", "three"), Name("opale", "four")};
  shelf.tags = {"a\"b", "é"};
  shelf.labels = {{"x", absl::CivilDay(2028, 2, 29), {Colour::kBlue}},
                  {"y", std::nullopt, {}}};
  shelf.picture.bytes = std::string("\0\xff", 2);
  ASSERT_OK(Change([&](auto& shelves, Transaction&) {
    shelves.Insert(shelf);
    return absl::OkStatus();
  }));
  const auto read =
      Read([&](auto& shelves) { return shelves.Get(all_, shelf.name); });
  ASSERT_OK(read);
  EXPECT_EQ(read->title, shelf.title);
  EXPECT_EQ(read->width, -7);
  EXPECT_TRUE(read->open);
  EXPECT_EQ(read->colour, Colour::kBlue);
  EXPECT_EQ(read->built, shelf.built);
  EXPECT_EQ(read->opened, shelf.opened);
  EXPECT_EQ(read->closed, std::nullopt);
  EXPECT_EQ(read->note, "");
  EXPECT_EQ(read->beside, shelf.beside);
  EXPECT_EQ(read->near, shelf.near);
  EXPECT_EQ(read->tags, shelf.tags);
  EXPECT_EQ(read->labels, shelf.labels);
  EXPECT_EQ(read->picture, shelf.picture);
  EXPECT_EQ(read->version, 1);
  EXPECT_EQ(read->create_time, caller_.now);
  EXPECT_EQ(read->update_time, caller_.now);
}

TEST_P(SqlRepositoryTest, UpdateRaisesTheVersionAndKeepsTheCreation) {
  Add(Name("opale", "one"));
  const absl::Time created = caller_.now;
  caller_.now += absl::Hours(1);
  ASSERT_OK(Change([&](auto& shelves, Transaction&) -> absl::Status {
    ASSIGN_OR_RETURN(Shelf shelf, shelves.Lock(all_, Name("opale", "one")));
    shelf.title = "changed";
    shelves.Update(shelf);
    EXPECT_EQ(shelf.version, 2);
    return absl::OkStatus();
  }));
  const auto read = Read(
      [&](auto& shelves) { return shelves.Get(all_, Name("opale", "one")); });
  ASSERT_OK(read);
  EXPECT_EQ(read->title, "changed");
  EXPECT_EQ(read->version, 2);
  EXPECT_EQ(read->create_time, created);
  EXPECT_EQ(read->update_time, caller_.now);
}

TEST_P(SqlRepositoryTest, AnUpdateOfWhatHasChangedSinceRunsAgain) {
  Add(Name("opale", "one"));
  int runs = 0;
  ASSERT_OK(Change([&](auto& shelves,
                       Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(Shelf shelf, shelves.Get(all_, Name("opale", "one")));
    // As if another had written between the reading and the update.
    if (++runs == 1) {
      transaction.Write(
          {"UPDATE shelf SET version = version + 1, title = $2 WHERE name = $1",
           {shelf.name.text(), "theirs"}});
    }
    shelf.width = 5;
    shelves.Update(shelf);
    return absl::OkStatus();
  }));
  EXPECT_EQ(runs, 2);
}

TEST_P(SqlRepositoryTest, AbsenceIsSaidOnlyToFullScope) {
  Add(Name("opale", "one"));
  const auto body = access::Scope::Body("bodies/jade");
  const auto get = [&](const access::Scope& scope, const ShelfName& name) {
    return Read([&](auto& shelves) { return shelves.Get(scope, name); });
  };
  EXPECT_THAT(get(all_, Name("opale", "none")), HasReason(Reason::kNotFound));
  const auto forbidden = get(body, Name("opale", "one"));
  const auto absent = get(body, Name("opale", "none"));
  EXPECT_THAT(forbidden, HasReason(Reason::kPermissionDenied));
  EXPECT_EQ(forbidden.status(), absent.status());
  EXPECT_OK(get(access::Scope::Body("bodies/opale"), Name("opale", "one")));
  const auto found = Read(
      [&](auto& shelves) { return shelves.Find(body, Name("opale", "one")); });
  ASSERT_OK(found);
  EXPECT_EQ(*found, std::nullopt);
}

TEST_P(SqlRepositoryTest, ListsTheChildrenOfAParentWithinTheScope) {
  Add(Name("opale", "b"));
  Add(Name("opale", "a"));
  Add(Name("opale-est", "c"));
  Add(Name("opales", "d"));
  const std::vector<std::string> opale = {"bodies/opale/shelves/a",
                                          "bodies/opale/shelves/b"};
  EXPECT_EQ(Names(all_, "bodies/opale"), opale);
  EXPECT_EQ(Names(access::Scope::Body("bodies/opale"), ""), opale);
  EXPECT_EQ(Names(all_, "").size(), 4u);
  EXPECT_TRUE(
      Names(access::Scope::Body("bodies/jade"), "bodies/opale").empty());
}

TEST_P(SqlRepositoryTest, PagesHoldEachResourceOnceInOrder) {
  for (const char* id : {"e", "a", "c", "b", "d"}) Add(Name("opale", id));
  std::string listed;
  std::string after;
  int pages = 0;
  do {
    const auto page = Read([&](auto& shelves) {
      return shelves.List(all_, "bodies/opale", {2, after});
    });
    ASSERT_OK(page);
    for (const Shelf& shelf : page->items) listed += shelf.name.id();
    after = page->next_key;
    ++pages;
  } while (!after.empty());
  EXPECT_EQ(listed, "abcde");
  EXPECT_EQ(pages, 3);
}

TEST_P(SqlRepositoryTest, ListWhereFiltersWithinTheScope) {
  for (const char* id : {"a", "b"}) Add(Name("opale", id));
  Add(Name("jade", "a"));
  const auto page = Read([&](auto& shelves) {
    return shelves.ListWhere(access::Scope::Body("bodies/opale"), "", {},
                             "name <> $1 AND colour = $2",
                             {"bodies/opale/shelves/a", "RED"});
  });
  ASSERT_OK(page);
  ASSERT_EQ(page->items.size(), 1u);
  EXPECT_EQ(page->items[0].name, Name("opale", "b"));
}

// What opens rows to owners.

class OwnershipTest : public SqlRepositoryTest {
 protected:
  using Shelves = RecordingRepository<Shelf>;

  // A shelf is owned by whoever its tags name, and opens the one beside it to
  // those whom its note names.
  static Shelves Recording(Transaction& transaction) {
    return Shelves(
        transaction, ShelfTable(), "shelf",
        [](const Shelf& shelf) {
          return std::vector<std::string>{shelf.name.body()};
        },
        [](const Shelf& shelf) {
          std::vector<access::Ownership> owners;
          for (const std::string& tag : shelf.tags) {
            owners.push_back({shelf.name.text(), tag});
          }
          if (shelf.note.has_value()) {
            owners.push_back({shelf.beside.text(), *shelf.note});
          }
          return owners;
        });
  }

  void Put(const ShelfName& name, std::vector<std::string> tags,
           const ShelfName& beside = ShelfName(),
           std::optional<std::string> note = std::nullopt) {
    ASSERT_OK(database_->Transact(
        caller_, [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
          Shelves shelves = Recording(transaction);
          ASSIGN_OR_RETURN(std::optional<Shelf> known,
                           shelves.Find(access::Scope::Installation(), name));
          Shelf shelf = known.value_or(Shelf());
          shelf.name = name;
          shelf.tags = tags;
          shelf.beside = beside;
          shelf.note = note;
          if (known.has_value()) {
            shelves.Update(shelf);
          } else {
            shelves.Insert(shelf);
          }
          return Outcome{};
        }));
  }

  static access::Scope Own(std::vector<std::string> keys) {
    return access::Scope::Own("bodies/a", std::move(keys));
  }
};

TEST_P(OwnershipTest, OwnersSeeTheirOwnAndNothingElse) {
  Put(Name("a", "one"), {"learner:une"});
  Put(Name("a", "two"), {"learner:deux", "trainer:une"});
  Put(Name("b", "one"), {"learner:une"});
  EXPECT_EQ(Names(Own({"learner:une"}), ""),
            std::vector<std::string>{"bodies/a/shelves/one"});
  EXPECT_EQ(Names(Own({"trainer:une", "learner:une"}), "").size(), 2u);
  EXPECT_TRUE(Names(Own({"learner:un"}), "").empty());
  EXPECT_TRUE(Names(Own({}), "").empty());
  EXPECT_THAT(Read([&](auto& shelves) {
                return shelves.Get(Own({"learner:une"}), Name("a", "two"));
              }),
              HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(Read([&](auto& shelves) {
                return shelves.Get(Own({"learner:une"}), Name("b", "one"));
              }),
              HasReason(Reason::kPermissionDenied))
      << "the body is the wall of every query";
  EXPECT_THAT(Read([&](auto& shelves) {
                return shelves.Get(Own({"learner:une"}), Name("a", "absent"));
              }),
              HasReason(Reason::kPermissionDenied));
}

TEST_P(OwnershipTest, WhoeverNoLongerOwnsNoLongerSees) {
  Put(Name("a", "one"), {"learner:une"});
  Put(Name("a", "one"), {"learner:deux"});
  EXPECT_TRUE(Names(Own({"learner:une"}), "").empty());
  EXPECT_EQ(Names(Own({"learner:deux"}), "").size(), 1u);
}

TEST_P(OwnershipTest, AnotherResourceMayGiveItAndTakesOnlyWhatItGave) {
  Put(Name("a", "one"), {"learner:une"});
  Put(Name("a", "two"), {}, Name("a", "one"), "learner:une");
  Put(Name("a", "three"), {}, Name("a", "one"), "jury:deux");
  EXPECT_EQ(Names(Own({"jury:deux"}), ""),
            std::vector<std::string>{"bodies/a/shelves/one"});
  Put(Name("a", "two"), {});
  EXPECT_EQ(Names(Own({"learner:une"}), "").size(), 1u)
      << "it is owned by itself still";
  Put(Name("a", "three"), {});
  EXPECT_TRUE(Names(Own({"jury:deux"}), "").empty());
}

TEST_P(OwnershipTest, OwningAResourceOpensWhatLiesBelowItAndNotBesideIt) {
  Put(Name("a", "one"), {});
  Put(Name("a", "one-more"), {});
  ASSERT_OK(database_->Transact(
      caller_, [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
        transaction.Write(
            {"INSERT INTO ownership (owner_key, owned, source) VALUES"
             " ('k', 'bodies/a/shelves', 's'),"
             " ('l', 'bodies/a/shelves/one', 's')",
             {}});
        return Outcome{};
      }));
  EXPECT_EQ(Names(Own({"k"}), "").size(), 2u);
  EXPECT_EQ(Names(Own({"l"}), ""),
            std::vector<std::string>{"bodies/a/shelves/one"});
}

TEST_P(OwnershipTest, ManyOwnersAreKept) {
  std::vector<std::string> many;
  for (int i = 0; i < 700; ++i) many.push_back(absl::StrCat("jury:", i));
  Put(Name("a", "one"), many);
  EXPECT_EQ(Names(Own({"jury:0"}), "").size(), 1u);
  EXPECT_EQ(Names(Own({"jury:699"}), "").size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Engines, OwnershipTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(SqlRepositoryTest, ASecondInsertOfANameAlreadyExists) {
  Add(Name("opale", "one"));
  const auto again = Change([&](auto& shelves, Transaction&) {
    Shelf shelf;
    shelf.name = Name("opale", "one");
    shelves.Insert(shelf);
    return absl::OkStatus();
  });
  EXPECT_THAT(again, HasReason(Reason::kAlreadyExists));
  EXPECT_EQ(MetadataOf(again.status())["resource"], "bodies/opale/shelves/one");
}

TEST_P(SqlRepositoryTest, AMalformedRecordIsNamed) {
  Add(Name("opale", "one"));
  ASSERT_OK(Change([&](auto&, Transaction& transaction) {
    transaction.Write({"UPDATE shelf SET colour = 'MAUVE'", {}});
    return absl::OkStatus();
  }));
  const auto read = Read(
      [&](auto& shelves) { return shelves.Get(all_, Name("opale", "one")); });
  EXPECT_THAT(read, StatusIs(absl::StatusCode::kInternal));
  for (const char* part : {"shelf", "colour", "bodies/opale/shelves/one"}) {
    EXPECT_NE(read.status().ToString().find(part), std::string::npos);
  }
}

}  // namespace
}  // namespace parcours::storage
