// What several threads share, on SQLite alone and without what locks by
// Abseil: for the thread sanitizer.

#include <memory>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "common/storage/feed_tail.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

access::Caller TestCaller() {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = "tester";
  caller.deadline = absl::Now() + absl::Seconds(30);
  return caller;
}

// Inserts a change with its position.
void Insert(Database& database, int64_t position) {
  ASSERT_OK(database.Transact(TestCaller(), [&](Transaction& transaction) {
    transaction.Write(
        {"INSERT INTO change_feed (position, kind, name, version, cause, "
         "body, scopes_before, scopes_after, commit_time) VALUES ($1, "
         "'thing', 'a', 1, 'Test', '', '', $2, 0)",
         {position, std::string("\nbodies/opale\n")}});
    transaction.Write({"UPDATE feed_state SET head = $1", {position}});
    return absl::StatusOr<Outcome>(Outcome{});
  }));
}

TEST(FeedTailThreadsTest, ReadersAskWhileChangesCome) {
  constexpr int64_t kChanges = 200;
  const testing::TempDir folder;
  auto opened =
      Database::Open({.url = Cat("sqlite://", folder.File("record.db"))}, {});
  ASSERT_OK(opened);
  Database& database = **opened;
  FeedTail tail(database, {.poll_interval = absl::Milliseconds(5)});
  int64_t heard = 0;
  tail.AddListener([&](absl::Span<const PositionedChange> changes) {
    for (const PositionedChange& change : changes) {
      EXPECT_EQ(change.position, ++heard);
    }
  });
  tail.Start();
  std::thread reader([&] {
    FeedQuery query{.scope = access::Scope::Installation()};
    for (int64_t at = 0; at < kChanges;) {
      query.after = at;
      const auto page = tail.Recent(query);
      ASSERT_TRUE(page.has_value());
      for (const PositionedChange& change : page->changes) {
        EXPECT_EQ(change.position, ++at);
      }
      EXPECT_LE(at, tail.applied());
    }
  });
  for (int64_t i = 1; i <= kChanges; ++i) {
    Insert(database, i);
    tail.Wake();
  }
  reader.join();
  tail.Stop();
  tail.Stop();
  EXPECT_EQ(heard, kChanges);
}

}  // namespace
}  // namespace parcours::storage
