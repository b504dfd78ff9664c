#ifndef PARCOURS_COMMON_TESTING_DATABASE_FIXTURE_H_
#define PARCOURS_COMMON_TESTING_DATABASE_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/storage/database.h"
#include "common/testing/temp_dir.h"
#include "gtest/gtest.h"

namespace parcours::testing {

// Both engines, for
//   INSTANTIATE_TEST_SUITE_P(Engines, FooTest,
//                            ::testing::ValuesIn(EnginesUnderTest()),
//                            EngineName());
std::vector<storage::Engine> EnginesUnderTest();

struct EngineName {
  std::string operator()(
      const ::testing::TestParamInfo<storage::Engine>& info) const {
    return info.param == storage::Engine::kSqlite ? "Sqlite" : "Postgresql";
  }
};

// A new empty database, removed on destruction: a file in a temporary folder,
// or a database of a PostgreSQL cluster that this process starts when first
// needed and that goes with it, however it ends. With
// PARCOURS_TEST_POSTGRESQL=<folder of the socket> a running cluster is used.
// Aborts the process when there is no PostgreSQL.
class TestDatabase {
 public:
  explicit TestDatabase(storage::Engine engine);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  storage::Engine engine() const { return engine_; }

  // To be changed before Open, where a test needs to.
  storage::DatabaseOptions& options() { return options_; }

  // Migrates and opens; aborts on failure. Everything that was opened must be
  // closed before this is destroyed. On SQLite only one at a time may be open.
  std::unique_ptr<storage::Database> Open(
      absl::Span<const storage::Migration> migrations);

 private:
  const storage::Engine engine_;
  TempDir folder_;
  std::string name_;
  storage::DatabaseOptions options_;
};

}  // namespace parcours::testing

#endif  // PARCOURS_COMMON_TESTING_DATABASE_FIXTURE_H_
