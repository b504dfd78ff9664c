// What was deleted or overwritten is in no file of the database any more.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/time/clock.h"
#include "common/storage/database.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

constexpr char kSecret[] = "what nobody may read any more";
constexpr Migration kThings[] = {
    {100, "thing",
     "CREATE TABLE thing (name {key_text} PRIMARY KEY, note TEXT NOT NULL);"}};

class SecureDeleteTest : public ::testing::Test {
 protected:
  void Open() {
    auto opened =
        Database::Open({.url = "sqlite://" + folder_.File("test.db")}, kThings);
    ASSERT_OK(opened);
    database_ = *std::move(opened);
  }

  void Execute(const std::string& sql, std::vector<Value> values) {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "tester";
    caller.deadline = absl::Now() + absl::Seconds(30);
    ASSERT_OK(database_->Transact(caller, [&](Transaction& transaction) {
      transaction.Write({sql, values});
      return absl::StatusOr<Outcome>(Outcome{});
    }));
  }

  // The names of the files that hold the secret.
  std::vector<std::string> FilesWithIt() const {
    std::vector<std::string> found;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder_.path())) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(file)), {});
      if (bytes.find(kSecret) != std::string::npos) {
        found.push_back(entry.path().filename());
      }
    }
    return found;
  }

  testing::TempDir folder_;
  std::unique_ptr<Database> database_;
};

TEST_F(SecureDeleteTest, LeavesNothingInFreePagesOfAClosedDatabase) {
  Open();
  for (int i = 0; i < 200; ++i) {
    Execute("INSERT INTO thing (name, note) VALUES ($1, $2)",
            {Cat("thing-", i), Cat(std::string(500, 'x'), kSecret)});
  }
  database_.reset();
  ASSERT_FALSE(FilesWithIt().empty()) << "the test can find it";
  Open();
  Execute("UPDATE thing SET note = '' WHERE name < 'thing-2'", {});
  Execute("DELETE FROM thing", {});
  database_.reset();
  EXPECT_EQ(FilesWithIt(), std::vector<std::string>());
}

TEST_F(SecureDeleteTest, CutsItOffTheLogOnceTheLogIsCopied) {
  Open();
  Execute("INSERT INTO thing (name, note) VALUES ('secret', $1)",
          {std::string(kSecret)});
  Execute("DELETE FROM thing", {});
  EXPECT_FALSE(FilesWithIt().empty()) << "the log still holds it";
  // A thousand pages and some: SQLite copies the log and begins it anew.
  for (int i = 0; i < 40; ++i) {
    Execute("INSERT INTO thing (name, note) VALUES ($1, $2)",
            {Cat("thing-", i), std::string(200'000, 'x')});
  }
  EXPECT_EQ(FilesWithIt(), std::vector<std::string>());
}

}  // namespace
}  // namespace parcours::storage
