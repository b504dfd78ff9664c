#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/storage/sqlite_database.h"
#include "common/storage/sqlite_session.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

constexpr char kMark[] = "qzmarkqz";
constexpr int64_t kMost = int64_t{1} << 30;

absl::Time Soon() { return absl::Now() + absl::Minutes(1); }

class SqliteRewriteTest : public ::testing::Test {
 protected:
  // Rows that push each other from page to page; some are deleted then.
  void LeaveRemains() {
    const auto session = Open();
    ASSERT_OK(session->RunScript(
        "CREATE TABLE note (id TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID"));
    std::vector<Statement> rows;
    rows.push_back({"BEGIN", {}});
    for (int i = 0; i < 3000; ++i) {
      const std::string text(static_cast<std::size_t>(i * 37 % 200), 'x');
      rows.push_back(
          {"INSERT INTO note VALUES ($1, $2)",
           {Cat(i * 7919 % 3000), Cat(text, i % 3 == 0 ? kMark : "")}});
    }
    rows.push_back({"UPDATE note SET text = text || $1 WHERE length(id) = 3",
                    {std::string(34, 'y')}});
    rows.push_back({"COMMIT", {}});
    rows.push_back(
        {"DELETE FROM note WHERE text LIKE $1", {Cat("%", kMark, "%")}});
    rows.push_back({"INSERT INTO note VALUES ('kept', 'as it was')", {}});
    rows.push_back({"PRAGMA wal_checkpoint(TRUNCATE)", {}});
    ASSERT_OK(session->Run(rows, Soon()));
  }

  std::unique_ptr<SqliteSession> Open() {
    auto session =
        SqliteSession::Open(path_, SqliteSession::Access::kReadWrite);
    EXPECT_OK(session);
    return *std::move(session);
  }

  std::string Bytes() const {
    std::string all;
    for (const char* const suffix : {"", "-wal"}) {
      std::ifstream file(path_ + suffix, std::ios::binary);
      all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  }

  testing::TempDir folder_;
  const std::string path_ = folder_.File("db");
  const std::string url_ = Cat("sqlite://", path_);
};

TEST_F(SqliteRewriteTest, NothingIsLeftOfWhatWasDeleted) {
  LeaveRemains();
  // What secure_delete does not reach.
  ASSERT_THAT(Bytes(), ::testing::HasSubstr(kMark));
  // Others have the file open.
  const auto other = Open();
  const std::vector<Statement> read = {
      {"SELECT text FROM note WHERE id = 'kept'", {}}};
  ASSERT_OK(other->Run(read, Soon()));
  const auto rewritten = RewriteSqliteFile(url_, kMost, Soon());
  ASSERT_OK(rewritten);
  EXPECT_TRUE(*rewritten);
  EXPECT_THAT(Bytes(), ::testing::Not(::testing::HasSubstr(kMark)));
  const auto rows = other->Run(read, Soon());
  ASSERT_OK(rows);
  EXPECT_EQ(rows->at(0).rows.at(0).Text(0), "as it was");
}

TEST_F(SqliteRewriteTest, ALargeFileStaysAsItIs) {
  LeaveRemains();
  const std::string before = Bytes();
  const auto rewritten = RewriteSqliteFile(url_, 1000, Soon());
  ASSERT_OK(rewritten);
  EXPECT_FALSE(*rewritten);
  EXPECT_EQ(Bytes(), before);
}

}  // namespace
}  // namespace parcours::storage
