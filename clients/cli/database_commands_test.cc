#include "clients/cli/database_commands.h"

#include <sstream>
#include <string>

#include "absl/time/clock.h"
#include "clients/cli/migrate_command.h"
#include "common/audit/chain.h"
#include "common/status/macros.h"
#include "common/storage/database.h"
#include "common/storage/sequencer.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::cli {
namespace {

using storage::Outcome;
using storage::Transaction;
using ::testing::HasSubstr;

class CopyDatabaseCommandTest : public ::testing::Test {
 protected:
  CopyDatabaseCommandTest()
      : from_(storage::Engine::kSqlite), to_(storage::Engine::kPostgresql) {
    const auto migrations = MigrationsOf("evaluation");
    EXPECT_OK(migrations);
    to_.Open(*migrations).reset();
    database_ = from_.Open(*migrations);
    storage::Sequencer sequencer(*database_, {.steps = {audit::ChainStep()}});
    for (int i = 0; i < 3; ++i) {
      Execute(
          {"INSERT INTO ownership (owner_key, owned, source) "
           "VALUES ($1, 'b', 'c')",
           {Cat("learner:", i)}});
    }
    EXPECT_OK(sequencer.RunOnce());
  }

  void Execute(const storage::Statement& statement) {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "tester";
    caller.method = "parcours.test.v1.Test/Change";
    caller.deadline = absl::Now() + absl::Seconds(30);
    EXPECT_OK(database_->Transact(
        caller, [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
          transaction.Write(statement);
          return Outcome{"things/a", 1};
        }));
  }

  ExitCode Copy(const std::string& service = "evaluation") {
    database_.reset();
    out_.str("");
    errors_.str("");
    return CopyDatabaseCommand({.service = service,
                                .from = from_.options().url,
                                .to = to_.options().url},
                               out_, errors_);
  }

  testing::TestDatabase from_;
  testing::TestDatabase to_;
  std::unique_ptr<storage::Database> database_;
  std::ostringstream out_;
  std::ostringstream errors_;
};

TEST_F(CopyDatabaseCommandTest, PrintsTablesAuditTrailAndWhatToDo) {
  EXPECT_EQ(Copy(), kSuccess) << errors_.str();
  EXPECT_THAT(out_.str(), HasSubstr("ownership"));
  EXPECT_THAT(out_.str(), HasSubstr("3 entrées, sans faute"));
  EXPECT_THAT(out_.str(), HasSubstr("--database_url="));
  EXPECT_NE(Copy(), kSuccess);
  EXPECT_THAT(errors_.str(), HasSubstr("Rien n'a été copié"));
}

TEST_F(CopyDatabaseCommandTest, ABrokenAuditTrailIsNotCopied) {
  Execute(
      {"UPDATE audit_entry SET subject = 'somebody else' "
       "WHERE position = 2",
       {}});
  EXPECT_NE(Copy(), kSuccess);
  EXPECT_THAT(errors_.str(), HasSubstr("rompue à l'entrée 2"));
}

TEST_F(CopyDatabaseCommandTest, AServiceThatIsNoneIsRefused) {
  EXPECT_EQ(Copy("billing"), kUsage);
}

}  // namespace
}  // namespace parcours::cli
