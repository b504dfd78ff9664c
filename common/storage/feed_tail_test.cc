#include "common/storage/feed_tail.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "common/storage/sequencer.h"
#include "common/testing/database_fixture.h"
#include "common/testing/session_faults.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::SessionFaults;
using ::parcours::testing::TestDatabase;

// What a listener was told, in order.
class Heard {
 public:
  void Hear(absl::Span<const PositionedChange> changes) {
    const std::lock_guard lock(mutex_);
    for (const PositionedChange& change : changes) {
      positions_.push_back(change.position);
    }
    changed_.notify_all();
  }
  std::vector<int64_t> WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return positions_.size() >= count; });
    return positions_;
  }

 private:
  std::mutex mutex_;  // guards positions_
  std::condition_variable changed_;
  std::vector<int64_t> positions_;
};

class FeedTailTest : public ::testing::TestWithParam<Engine> {
 protected:
  FeedTailTest() : files_(GetParam()) {
    files_.options().decorate_session = faults_.Decorator();
    database_ = files_.Open({});
    sequencer_ = std::make_unique<Sequencer>(*database_, Sequencer::Options{});
  }

  std::unique_ptr<FeedTail> Make(std::size_t kept = 4096) {
    auto tail = std::make_unique<FeedTail>(
        *database_, FeedTail::Options{.kept = kept,
                                      .poll_interval = absl::Milliseconds(5)});
    tail->AddListener([this](absl::Span<const PositionedChange> changes) {
      heard_.Hear(changes);
    });
    return tail;
  }

  static access::Caller TestCaller() {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "tester";
    caller.deadline = absl::Now() + absl::Seconds(30);
    caller.now = absl::FromUnixSeconds(1'800'000'000);
    return caller;
  }

  // Records `count` changes of `kind` and gives them positions.
  void Record(int count, const std::string& kind = "thing") {
    ASSERT_OK(database_->Transact(TestCaller(), [&](Transaction& transaction) {
      for (int i = 0; i < count; ++i) {
        transaction.Record({kind,
                            Cat("bodies/opale/things/", i),
                            1,
                            "Test",
                            {},
                            {"bodies/opale"}});
      }
      return absl::StatusOr<Outcome>(Outcome{});
    }));
    GivePositions();
  }
  void GivePositions() {
    bool more = true;
    while (more) {
      const auto pass = sequencer_->RunOnce();
      ASSERT_OK(pass);
      more = pass->more;
    }
  }

  static void WaitFor(const std::function<bool()>& condition) {
    while (!condition()) std::this_thread::yield();
  }

  static std::vector<int64_t> Sequence(int64_t first, int64_t last) {
    std::vector<int64_t> positions;
    for (int64_t i = first; i <= last; ++i) positions.push_back(i);
    return positions;
  }

  static FeedQuery After(int64_t position,
                         access::Scope scope = access::Scope::Installation()) {
    FeedQuery query{.scope = std::move(scope)};
    query.after = position;
    return query;
  }

  static std::vector<int64_t> PositionsOf(const std::optional<FeedPage>& page) {
    std::vector<int64_t> positions;
    EXPECT_TRUE(page.has_value());
    if (!page.has_value()) return positions;
    for (const PositionedChange& change : page->changes) {
      positions.push_back(change.position);
    }
    return positions;
  }

  SessionFaults faults_;
  TestDatabase files_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Sequencer> sequencer_;
  Heard heard_;
};

INSTANTIATE_TEST_SUITE_P(Engines, FeedTailTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(FeedTailTest, TellsOfEveryChangeAfterTheHeadItBeganAt) {
  Record(3);
  const auto tail = Make();
  tail->Start();
  EXPECT_EQ(tail->applied(), 3);
  Record(2);
  EXPECT_EQ(heard_.WaitFor(2), Sequence(4, 5));
  WaitFor([&] { return tail->applied() == 5; });
  Record(1);
  tail->Wake();
  EXPECT_EQ(heard_.WaitFor(3), Sequence(4, 6));
}

TEST_P(FeedTailTest, ListenersAreToldBeforeAppliedPasses) {
  const auto tail = Make();
  std::mutex mutex;
  std::vector<int64_t> order;
  const FeedTail* const seen = tail.get();
  tail->AddListener([&](absl::Span<const PositionedChange> changes) {
    EXPECT_LT(seen->applied(), changes.front().position);
    const std::lock_guard lock(mutex);
    order.push_back(-changes.back().position);
  });
  tail->AddFollower([&](int64_t applied) {
    EXPECT_EQ(seen->applied(), applied);
    const std::lock_guard lock(mutex);
    order.push_back(applied);
  });
  tail->Start();
  Record(2);
  WaitFor([&] {
    const std::lock_guard lock(mutex);
    return order.size() == 2;
  });
  tail->Stop();
  EXPECT_EQ(order, (std::vector<int64_t>{-2, 2}));
}

TEST_P(FeedTailTest, ThousandsAreToldInOrderWithoutGap) {
  const auto tail = Make();
  tail->Start();
  Record(5000);
  EXPECT_EQ(heard_.WaitFor(5000), Sequence(1, 5000));
}

TEST_P(FeedTailTest, ALostDatabaseIsWaitedForAndCaughtUpWith) {
  const auto tail = Make();
  tail->Start();
  Record(1);
  heard_.WaitFor(1);
  const int lost = faults_.lost();
  faults_.Inject(SessionFaults::kLoseAtOnce, 1'000'000);
  WaitFor([&] { return faults_.lost() >= lost + 40; });
  faults_.Inject(SessionFaults::kLoseAtOnce, 0);
  Record(3);
  EXPECT_EQ(heard_.WaitFor(4), Sequence(1, 4));
}

TEST_P(FeedTailTest, WhatCannotBeAskedAtTheStartIsToldFromTheOldestChange) {
  Record(2);
  const auto tail = Make();
  faults_.Inject(SessionFaults::kLoseAtOnce, 1'000'000);
  tail->Start();
  faults_.Inject(SessionFaults::kLoseAtOnce, 0);
  Record(1);
  EXPECT_EQ(heard_.WaitFor(3), Sequence(1, 3));
}

TEST_P(FeedTailTest, KeepsTheLastChangesInMemory) {
  Record(1);
  const auto tail = Make(/*kept=*/10);
  tail->Start();
  Record(4);
  heard_.WaitFor(4);
  WaitFor([&] { return tail->applied() == 5; });
  EXPECT_FALSE(tail->Recent(After(0)).has_value()) << "before it began";
  EXPECT_EQ(PositionsOf(tail->Recent(After(1))), Sequence(2, 5));
  EXPECT_EQ(PositionsOf(tail->Recent(After(4))), Sequence(5, 5));
  const auto level = tail->Recent(After(5));
  EXPECT_EQ(PositionsOf(level), Sequence(1, 0));
  EXPECT_EQ(level->next_position, 5);
  EXPECT_EQ(level->head, 5);
  // A reader of the database may be ahead of this process.
  EXPECT_EQ(tail->Recent(After(9))->next_position, 9);

  Record(20);
  heard_.WaitFor(24);
  WaitFor([&] { return tail->applied() == 25; });
  EXPECT_FALSE(tail->Recent(After(14)).has_value());
  EXPECT_EQ(PositionsOf(tail->Recent(After(15))), Sequence(16, 25));
}

TEST_P(FeedTailTest, MemorySaysWhatTheDatabaseSays) {
  const auto tail = Make();
  tail->Start();
  Record(5);
  Record(5, "room");
  Record(5);
  WaitFor([&] { return tail->applied() == 15; });
  std::vector<FeedQuery> queries = {
      After(0), After(3), After(0, access::Scope::Body("bodies/opale")),
      After(0, access::Scope::Body("bodies/jade"))};
  FeedQuery query = After(2);
  query.kinds = {"room"};
  queries.push_back(query);
  query.limit = 2;
  queries.push_back(query);
  query = After(0);
  query.within = {"bodies/opale/things/3"};
  queries.push_back(query);
  for (const FeedQuery& asked : queries) {
    const auto memory = tail->Recent(asked);
    const auto record = ReadChanges(*database_, asked);
    ASSERT_OK(record);
    EXPECT_EQ(PositionsOf(memory), PositionsOf(*record));
    EXPECT_EQ(memory->more, record->more);
    EXPECT_EQ(memory->next_position, record->next_position);
    EXPECT_EQ(memory->head, record->head);
  }
}

TEST_P(FeedTailTest, WhatIsOnesOwnIsAskedOfTheDatabase) {
  const auto tail = Make();
  tail->Start();
  Record(1);
  heard_.WaitFor(1);
  EXPECT_FALSE(
      tail->Recent(After(0, access::Scope::Own("bodies/opale", {"learner:x"})))
          .has_value());
}

TEST_P(FeedTailTest, ChangesTrimmedUnreadAreSaidToBeLost) {
  const auto tail = Make();
  std::mutex mutex;
  int losses = 0;
  tail->AddLossListener([&] {
    const std::lock_guard lock(mutex);
    ++losses;
  });
  tail->Start();
  Record(2);
  heard_.WaitFor(2);
  // As a trim while this process could not read.
  ASSERT_OK(database_->Transact(TestCaller(), [&](Transaction& transaction) {
    transaction.Write({"UPDATE feed_state SET floor = 10, head = 10", {}});
    transaction.Write({"DELETE FROM change_feed", {}});
    for (int i = 11; i <= 12; ++i) {
      transaction.Write(
          {"INSERT INTO change_feed (position, kind, name, version, cause, "
           "body, scopes_before, scopes_after, commit_time) VALUES ($1, "
           "'thing', 'a', 1, 'Test', '', '', $2, 0)",
           {int64_t{i}, std::string("\nbodies/opale\n")}});
    }
    transaction.Write({"UPDATE feed_state SET head = 12", {}});
    return absl::StatusOr<Outcome>(Outcome{});
  }));
  EXPECT_EQ(heard_.WaitFor(4), (std::vector<int64_t>{1, 2, 11, 12}));
  WaitFor([&] { return tail->applied() == 12; });
  EXPECT_FALSE(tail->Recent(After(2)).has_value());
  EXPECT_EQ(PositionsOf(tail->Recent(After(10))), Sequence(11, 12));
  const std::lock_guard lock(mutex);
  EXPECT_EQ(losses, 1);
}

}  // namespace
}  // namespace parcours::storage
