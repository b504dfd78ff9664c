#include "clients/cli/migrate_command.h"

#include <string>
#include <tuple>

#include "common/storage/database.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::cli {
namespace {

using storage::Engine;

// What the database of `service` was created as.
bool IsSimulation(const std::string& service,
                  const storage::DatabaseOptions& options) {
  const auto migrations = MigrationsOf(service);
  EXPECT_OK(migrations);
  const auto database = storage::Database::Open(options, *migrations);
  EXPECT_OK(database);
  return database.ok() && (*database)->is_simulation();
}

class MigrateTest
    : public ::testing::TestWithParam<std::tuple<Engine, std::string>> {
 protected:
  static std::string service() { return std::get<1>(GetParam()); }
  MigrateOptions Options(bool simulation) {
    return {.service = service(),
            .database_url = database_.options().url,
            .simulation = simulation};
  }

  testing::TestDatabase database_{std::get<0>(GetParam())};
};

TEST_P(MigrateTest, ASecondRunChangesNothing) {
  EXPECT_OK(Migrate(Options(false)));
  EXPECT_OK(Migrate(Options(false)));
  EXPECT_FALSE(IsSimulation(service(), database_.options()));
}

TEST_P(MigrateTest, ADatabaseStaysWhatItWasCreatedAs) {
  EXPECT_OK(Migrate(Options(true)));
  EXPECT_TRUE(IsSimulation(service(), database_.options()));
  EXPECT_OK(Migrate(Options(false)));
  EXPECT_TRUE(IsSimulation(service(), database_.options()));
}

INSTANTIATE_TEST_SUITE_P(
    EveryServiceOnEveryEngine, MigrateTest,
    ::testing::Combine(::testing::Values(Engine::kSqlite, Engine::kPostgresql),
                       ::testing::Values("enrolment", "scheduling",
                                         "evaluation")),
    [](const ::testing::TestParamInfo<MigrateTest::ParamType>& info) {
      return (std::get<0>(info.param) == Engine::kSqlite ? "Sqlite_"
                                                         : "Postgresql_") +
             std::get<1>(info.param);
    });

TEST(MigrateCommandTest, RefusesAServiceThatIsNone) {
  EXPECT_THAT(Migrate({.service = "billing", .database_url = "sqlite:///x.db"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace parcours::cli
