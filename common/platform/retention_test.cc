#include "common/platform/retention.h"

#include <memory>
#include <string>

#include "common/rules/rule_book.h"
#include "common/status/macros.h"
#include "common/storage/sequencer.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "common/time/clock.h"
#include "gtest/gtest.h"

namespace parcours::platform {
namespace {

rules::RuleBook RulesOf(int feed_days, int request_days) {
  const auto rule = [](std::string_view id, int days) {
    return Cat("rules { id: \"", id,
               "\" description_fr: \"Essai\" unit: UNIT_DAYS values {"
               " effective_from { year: 2020 month: 1 day: 1 } value: ",
               days,
               " article: \"essai\" source: \"essai\""
               " certainty: CERTAINTY_HOUSE } }\n");
  };
  auto rules = rules::RuleBook::Parse(
      Cat("book: \"essai\"\n", rule("retention.change_feed", feed_days),
          rule("retention.request_ids", request_days)),
      "essai");
  EXPECT_OK(rules);
  return *std::move(rules);
}

class RetentionTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  RetentionTest()
      : test_database_(GetParam()), database_(test_database_.Open({})) {
    sequencer_ = std::make_unique<storage::Sequencer>(
        *database_, storage::Sequencer::Options{});
  }

  void ChangeAt(absl::CivilDay day) {
    access::Caller caller{.principal = {.subject = "essai"},
                          .scope = access::Scope::Installation(),
                          .method = "Essai",
                          .request_id = Cat("id-", ++changes_),
                          .request_digest = "digest",
                          .now = ParisMidnight(day)};
    EXPECT_OK(database_->Transact(
        caller,
        [](storage::Transaction& transaction)
            -> absl::StatusOr<storage::Outcome> {
          transaction.Record({.kind = "essai",
                              .name = "bodies/essai",
                              .version = 1,
                              .cause = "Essai",
                              .scopes_before = {},
                              .scopes_after = {"bodies/essai"}});
          return storage::Outcome{.name = "bodies/essai"};
        }));
    EXPECT_OK(sequencer_->RunOnce());
  }

  int64_t Count(const std::string& table) {
    int64_t count = -1;
    EXPECT_OK(database_->View(
        {.scope = access::Scope::Installation()},
        [&](storage::Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(
              const storage::Rows rows,
              transaction.Query(
                  {.sql = Cat("SELECT COUNT(*) FROM ", table), .values = {}}));
          count = rows.front().Integer(0);
          return absl::OkStatus();
        }));
    return count;
  }

  testing::TestDatabase test_database_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<storage::Sequencer> sequencer_;
  int changes_ = 0;
};

TEST_P(RetentionTest, KeepsEachForTheTimeOfItsRule) {
  const rules::RuleBook rules = RulesOf(/*feed_days=*/100, /*request_days=*/30);
  Retention retention(*database_, rules);
  ChangeAt(absl::CivilDay(2026, 1, 1));
  ChangeAt(absl::CivilDay(2026, 3, 1));
  const auto run = [&](absl::CivilDay day) {
    EXPECT_OK(retention.Run(ParisMidnight(day) + absl::Hours(9),
                            absl::InfiniteFuture()));
  };
  run(absl::CivilDay(2026, 1, 31));
  EXPECT_EQ(Count("idempotency"), 2);
  run(absl::CivilDay(2026, 2, 1));
  EXPECT_EQ(Count("idempotency"), 1);
  EXPECT_EQ(Count("change_feed"), 2);
  run(absl::CivilDay(2026, 4, 11));
  EXPECT_EQ(Count("idempotency"), 0);
  EXPECT_EQ(Count("change_feed"), 2);
  run(absl::CivilDay(2026, 4, 12));
  EXPECT_EQ(Count("change_feed"), 1);
}

TEST_P(RetentionTest, LooksOncePerDay) {
  const rules::RuleBook rules = RulesOf(1, 1);
  Retention retention(*database_, rules);
  const absl::Time morning = ParisMidnight(absl::CivilDay(2026, 3, 1));
  ASSERT_OK(retention.Run(morning, absl::InfiniteFuture()));
  ChangeAt(absl::CivilDay(2026, 1, 1));
  ASSERT_OK(retention.Run(morning + absl::Hours(23), absl::InfiniteFuture()));
  EXPECT_EQ(Count("idempotency"), 1);
  ASSERT_OK(retention.Run(morning + absl::Hours(24), absl::InfiniteFuture()));
  EXPECT_EQ(Count("idempotency"), 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, RetentionTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

}  // namespace
}  // namespace parcours::platform
