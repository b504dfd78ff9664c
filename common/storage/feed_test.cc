#include "common/storage/feed.h"

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/sequencer.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::TestDatabase;

class FeedTest : public ::testing::TestWithParam<Engine> {
 protected:
  FeedTest()
      : files_(GetParam()), database_(files_.Open({})), sequencer_(Make()) {}

  std::unique_ptr<Sequencer> Make() {
    return std::make_unique<Sequencer>(*database_, Sequencer::Options{});
  }

  static access::Caller TestCaller() {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "tester";
    caller.deadline = absl::Now() + absl::Seconds(30);
    caller.now = absl::FromUnixSeconds(1'800'000'000);
    return caller;
  }

  static Change ChangeOf(const std::string& name,
                         std::vector<std::string> before = {"bodies/opale"},
                         std::vector<std::string> after = {"bodies/opale"}) {
    return {"thing", name, 3, "Test", std::move(before), std::move(after)};
  }

  void Record(const Change& change) {
    ASSERT_OK(database_->Transact(TestCaller(), [&](Transaction& transaction) {
      transaction.Record(change);
      return absl::StatusOr<Outcome>(Outcome{});
    }));
  }

  void Execute(const std::string& sql) {
    ASSERT_OK(database_->Transact(TestCaller(), [&](Transaction& transaction) {
      transaction.Write({sql, {}});
      return absl::StatusOr<Outcome>(Outcome{});
    }));
  }

  Sequencer::Pass Pass(Sequencer& sequencer) {
    const auto pass = sequencer.RunOnce();
    EXPECT_OK(pass);
    return pass.value_or(Sequencer::Pass{});
  }

  absl::StatusOr<FeedPage> Read(
      std::optional<int64_t> after, int limit = 100,
      access::Scope scope = access::Scope::Installation()) {
    FeedQuery query{.scope = scope, .within = {}};
    query.after = after;
    query.limit = limit;
    query.deadline = absl::Now() + absl::Seconds(20);
    return ReadChanges(*database_, query);
  }

  std::vector<std::string> Names(const absl::StatusOr<FeedPage>& page) {
    EXPECT_OK(page);
    std::vector<std::string> names;
    if (!page.ok()) return names;
    for (const PositionedChange& change : page->changes) {
      names.push_back(change.change.name);
    }
    return names;
  }

  TestDatabase files_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Sequencer> sequencer_;
};

using Strings = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(Engines, FeedTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(FeedTest, ShowsWhatWasRecordedOnceItHasAPosition) {
  Record(ChangeOf("bodies/opale/things/a", {}, {"bodies/opale", "people/x"}));
  EXPECT_EQ(Names(Read(0)), Strings{});
  EXPECT_EQ(Pass(*sequencer_).positions, 1);
  const auto page = Read(0);
  ASSERT_OK(page);
  ASSERT_EQ(page->changes.size(), 1u);
  const PositionedChange& change = page->changes[0];
  EXPECT_EQ(change.position, 1);
  EXPECT_EQ(change.change.kind, "thing");
  EXPECT_EQ(change.change.name, "bodies/opale/things/a");
  EXPECT_EQ(change.change.version, 3);
  EXPECT_EQ(change.change.cause, "Test");
  EXPECT_EQ(change.change.scopes_before, Strings{});
  EXPECT_EQ(change.change.scopes_after, (Strings{"bodies/opale", "people/x"}));
  EXPECT_EQ(change.commit_time, TestCaller().now);
  EXPECT_FALSE(change.removed);
  EXPECT_EQ(page->next_position, 1);
  EXPECT_EQ(page->head, 1);
}

TEST_P(FeedTest, KeepsTheOrderWithinATransaction) {
  ASSERT_OK(database_->Transact(TestCaller(), [&](Transaction& transaction) {
    for (const char* name : {"c", "a", "b"}) transaction.Record(ChangeOf(name));
    return absl::StatusOr<Outcome>(Outcome{});
  }));
  Pass(*sequencer_);
  EXPECT_EQ(Names(Read(0)), (Strings{"c", "a", "b"}));
}

TEST_P(FeedTest, APageEndsWhereTheNextBegins) {
  for (int i = 0; i < 5; ++i) Record(ChangeOf(std::to_string(i)));
  Pass(*sequencer_);
  Strings names;
  int64_t after = 0;
  bool more = true;
  while (more) {
    const auto page = Read(after, 2);
    for (const std::string& name : Names(page)) names.push_back(name);
    after = page->next_position;
    more = page->more;
  }
  EXPECT_EQ(names, (Strings{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(after, 5);
}

TEST_P(FeedTest, AReaderSeesItsScopeAndWhatLeftIt) {
  Record(ChangeOf("mine"));
  Record(ChangeOf("theirs", {"bodies/jade"}, {"bodies/jade"}));
  Record(ChangeOf("left", {"bodies/opale"}, {"bodies/jade"}));
  Record(ChangeOf("gone", {"bodies/opale"}, {}));
  Record(ChangeOf("near-name", {}, {"bodies/opale-est"}));
  Pass(*sequencer_);
  const auto page = Read(0, 100, access::Scope::Body("bodies/opale"));
  EXPECT_EQ(Names(page), (Strings{"mine", "left", "gone"}));
  EXPECT_FALSE(page->changes[0].removed);
  EXPECT_TRUE(page->changes[1].removed);
  EXPECT_TRUE(page->changes[2].removed);
  // What others changed is not read again.
  EXPECT_EQ(page->next_position, 5);
  EXPECT_EQ(Names(Read(0)).size(), 5u);
}

TEST_P(FeedTest, AReaderMayBeNarrowedToWhatLiesWithinNames) {
  Record(ChangeOf("one", {}, {"bodies/opale", "organisations/x"}));
  Record(ChangeOf("two", {}, {"bodies/opale", "organisations/y"}));
  Record(ChangeOf("three", {"bodies/opale", "organisations/x"},
                  {"bodies/opale", "organisations/y"}));
  Pass(*sequencer_);
  FeedQuery query{.scope = access::Scope::Body("bodies/opale"),
                  .within = {"organisations/x"}};
  const auto page = ReadChanges(*database_, query);
  EXPECT_EQ(Names(page), (Strings{"one", "three"}));
  EXPECT_FALSE(page->changes[0].removed);
  EXPECT_TRUE(page->changes[1].removed);
}

TEST_P(FeedTest, AReaderMayBeNarrowedToKinds) {
  for (const char* kind : {"room", "venue", "room"}) {
    Change change = ChangeOf(Cat("bodies/opale/", kind));
    change.kind = kind;
    Record(change);
  }
  Pass(*sequencer_);
  FeedQuery query{.scope = access::Scope::Installation(), .kinds = {"venue"}};
  const auto page = ReadChanges(*database_, query);
  EXPECT_EQ(Names(page), Strings{"bodies/opale/venue"});
  EXPECT_EQ(page->next_position, 3);
  EXPECT_FALSE(page->more);
}

TEST_P(FeedTest, WithinAResourceIsAllBelowItAndWhatLiesInIt) {
  const std::string cohort = "bodies/opale/programmes/p/cohorts/c";
  Record(ChangeOf(cohort));
  Record(ChangeOf(cohort + "/sessions/s"));
  Record(ChangeOf(cohort + "2"));
  Record(
      ChangeOf("bodies/opale/a", {"bodies/opale"}, {"bodies/opale", cohort}));
  Record(ChangeOf("bodies/opale/b", {"bodies/opale", cohort + "/sessions/s"},
                  {"bodies/opale"}));
  Record(ChangeOf("bodies/opale/c", {}, {"bodies/opale", cohort + "2"}));
  Pass(*sequencer_);
  FeedQuery query{.scope = access::Scope::Installation(), .within = {cohort}};
  const auto page = ReadChanges(*database_, query);
  EXPECT_EQ(Names(page), (Strings{cohort, cohort + "/sessions/s",
                                  "bodies/opale/a", "bodies/opale/b"}));
  EXPECT_FALSE(page->changes[0].removed);
  EXPECT_FALSE(page->changes[2].removed);
  EXPECT_TRUE(page->changes[3].removed);
}

class OwnFeedTest : public FeedTest {
 protected:
  OwnFeedTest() : scope_(access::Scope::Own("bodies/opale", {"learner:x"})) {}

  void Own(const std::string& owned) {
    Execute(
        Cat("INSERT INTO ownership (owner_key, owned, source) VALUES "
            "('learner:x', '",
            owned, "', 'source')"));
  }

  const access::Scope scope_;
};

INSTANTIATE_TEST_SUITE_P(Engines, OwnFeedTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(OwnFeedTest, AnOwnerSeesWhatTheyOwnAllBelowItAndWhatLiesWithinIt) {
  const std::string enrolment = "bodies/opale/enrolments/e";
  Record(ChangeOf(enrolment));
  Record(ChangeOf(enrolment + "/notes/n"));
  Record(ChangeOf(enrolment + "2"));
  Record(ChangeOf("bodies/opale/sheets/s/entries/1", {},
                  {"bodies/opale", enrolment}));
  Record(ChangeOf("bodies/opale/sheets/s/entries/2", {},
                  {"bodies/opale", enrolment + "2"}));
  Record(ChangeOf("bodies/opale/keyed", {}, {"bodies/opale", "learner:x"}));
  Record(ChangeOf("bodies/jade/things/y", {}, {"bodies/jade", enrolment}));
  Pass(*sequencer_);
  EXPECT_EQ(Names(Read(0, 100, scope_)), Strings{"bodies/opale/keyed"});
  Own(enrolment);
  const auto page = Read(0, 100, scope_);
  EXPECT_EQ(Names(page),
            (Strings{enrolment, enrolment + "/notes/n",
                     "bodies/opale/sheets/s/entries/1", "bodies/opale/keyed"}));
  for (const PositionedChange& change : page->changes) {
    EXPECT_FALSE(change.removed) << change.change.name;
  }
  EXPECT_EQ(page->next_position, 7);
  // Somebody else who follows in their name gets the same, of every body.
  FeedQuery query{.scope = access::Scope::Installation(),
                  .within = {"learner:x"},
                  .after = 0};
  Strings followed = Names(page);
  followed.push_back("bodies/jade/things/y");
  EXPECT_EQ(Names(ReadChanges(*database_, query)), followed);
}

TEST_P(OwnFeedTest, WhatIsNoLongerTheirsIsRemoved) {
  const std::string enrolment = "bodies/opale/enrolments/e";
  Own(enrolment);
  // Given to another, gone, and moved out of what they own.
  Record(ChangeOf("bodies/opale/given", {"bodies/opale", "learner:x"},
                  {"bodies/opale", "learner:y"}));
  Record(ChangeOf(enrolment + "/notes/n", {"bodies/opale"}, {}));
  Record(ChangeOf("bodies/opale/moved", {"bodies/opale", enrolment},
                  {"bodies/opale", enrolment + "2"}));
  Pass(*sequencer_);
  const auto page = Read(0, 100, scope_);
  EXPECT_EQ(Names(page), (Strings{"bodies/opale/given", enrolment + "/notes/n",
                                  "bodies/opale/moved"}));
  for (const PositionedChange& change : page->changes) {
    EXPECT_TRUE(change.removed) << change.change.name;
  }
}

TEST_P(OwnFeedTest, AnOwnerOfNothingReadsOnWithoutSeeingAnything) {
  Record(ChangeOf("bodies/opale/things/a"));
  Pass(*sequencer_);
  const auto page = Read(
      0, 100, access::Scope::Own("bodies/opale", std::vector<std::string>()));
  EXPECT_EQ(Names(page), Strings{});
  EXPECT_EQ(page->next_position, 1);
  EXPECT_FALSE(page->more);
}

TEST_P(OwnFeedTest, APageIsFilledFromBehindWhatConcernsOthers) {
  ASSERT_OK(database_->Transact(TestCaller(), [&](Transaction& transaction) {
    for (int i = 0; i < 2500; ++i) {
      transaction.Record(ChangeOf(Cat("bodies/opale/things/", i)));
    }
    transaction.Record(
        ChangeOf("bodies/opale/mine", {}, {"bodies/opale", "learner:x"}));
    transaction.Record(
        ChangeOf("bodies/opale/mine2", {}, {"bodies/opale", "learner:x"}));
    return absl::StatusOr<Outcome>(Outcome{});
  }));
  while (Pass(*sequencer_).more) {
  }
  const auto page = Read(0, 1, scope_);
  EXPECT_EQ(Names(page), Strings{"bodies/opale/mine"});
  EXPECT_TRUE(page->more);
  EXPECT_EQ(page->next_position, 2501);
  const auto last = Read(page->next_position, 1, scope_);
  EXPECT_EQ(Names(last), Strings{"bodies/opale/mine2"});
  EXPECT_FALSE(last->more);
  EXPECT_EQ(last->next_position, 2502);
  // Whoever may look at no more than so many positions reads on by themselves.
  FeedQuery query{.scope = scope_};
  query.after = 0;
  query.scan = 1000;
  const auto partial = ReadChanges(*database_, query);
  EXPECT_EQ(Names(partial), Strings{});
  EXPECT_TRUE(partial->more);
  EXPECT_GT(partial->next_position, 0);
  EXPECT_LT(partial->next_position, 2500);
}

TEST_P(FeedTest, WhatWaitsForItsPositionIsCounted) {
  Record(ChangeOf("a"));
  Pass(*sequencer_);
  auto backlog = ReadBacklog(*database_, absl::Now() + absl::Seconds(20));
  ASSERT_OK(backlog);
  EXPECT_EQ(backlog->count, 0);
  EXPECT_EQ(backlog->oldest, 0);
  EXPECT_EQ(backlog->head, 1);
  Record(ChangeOf("b"));
  Record(ChangeOf("c"));
  backlog = ReadBacklog(*database_, absl::Now() + absl::Seconds(20));
  ASSERT_OK(backlog);
  EXPECT_EQ(backlog->count, 2);
  EXPECT_GT(backlog->oldest, 0);
}

TEST_P(FeedTest, AReaderNearTheHeadLooksAtFewRows) {
  ASSERT_OK(database_->Transact(TestCaller(), [&](Transaction& transaction) {
    for (int i = 0; i < 2000; ++i) {
      transaction.Record(ChangeOf(Cat("bodies/opale/things/", i)));
    }
    return absl::StatusOr<Outcome>(Outcome{});
  }));
  while (Pass(*sequencer_).more) {
  }
  const bool sqlite = GetParam() == Engine::kSqlite;
  if (!sqlite) Execute("ANALYZE change_feed");
  std::string plan;
  ASSERT_OK(database_->View(TestCaller(), [&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(
        const Rows rows,
        t.Query({Cat(sqlite ? "EXPLAIN QUERY PLAN " : "EXPLAIN ",
                     "SELECT name FROM change_feed WHERE position > $1 AND "
                     "position <= $2 AND (scopes_before LIKE $3 OR "
                     "scopes_after LIKE $3) ORDER BY position LIMIT $4"),
                 {int64_t{1990}, int64_t{6990}, std::string("%x%"),
                  int64_t{101}}}));
    for (const Row& row : rows) CatTo(plan, row.Text(sqlite ? 3 : 0), "\n");
    return absl::OkStatus();
  }));
  EXPECT_NE(plan.find(sqlite ? "SEARCH change_feed USING INDEX"
                             : "Index Scan using change_feed_position_key"),
            std::string::npos)
      << plan;
  EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << plan;
}

TEST_P(FeedTest, ATrimmedPositionIsRefused) {
  for (int i = 0; i < 3; ++i) Record(ChangeOf(std::to_string(i)));
  Pass(*sequencer_);
  ASSERT_OK(TrimFeed(*database_, TestCaller().now + absl::Seconds(1),
                     absl::Now() + absl::Seconds(20)));
  Record(ChangeOf("later"));
  Pass(*sequencer_);
  EXPECT_THAT(Read(0), HasReason(Reason::kFeedTrimmed));
  EXPECT_THAT(Read(2), HasReason(Reason::kFeedTrimmed));
  EXPECT_EQ(Names(Read(3)), Strings{"later"});
  const auto oldest = Read(std::nullopt);
  EXPECT_EQ(Names(oldest), Strings{"later"});
  EXPECT_EQ(oldest->changes.at(0).position, 4);
}

TEST_P(FeedTest, WhatIsNotOldEnoughStays) {
  const absl::Time before = TestCaller().now + absl::Seconds(1);
  const auto trim = [&](absl::Time time) {
    ASSERT_OK(TrimFeed(*database_, time, absl::Now() + absl::Seconds(20)));
  };
  trim(before);
  Record(ChangeOf("a"));
  Pass(*sequencer_);
  // What has no position yet is not looked at.
  Record(ChangeOf("b"));
  trim(TestCaller().now);
  EXPECT_EQ(Names(Read(std::nullopt)), Strings{"a"});
  trim(before);
  Pass(*sequencer_);
  EXPECT_EQ(Names(Read(std::nullopt)), Strings{"b"});
}

TEST_P(FeedTest, AListAndItsFeedPositionMeetWithoutAGap) {
  Record(ChangeOf("a"));
  Pass(*sequencer_);
  Record(ChangeOf("b"));
  int64_t head = -1;
  ASSERT_OK(database_->View(TestCaller(), [&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(head, FeedHead(t));
    return absl::OkStatus();
  }));
  EXPECT_EQ(head, 1);
  Pass(*sequencer_);
  EXPECT_EQ(Names(Read(head)), Strings{"b"});
}

TEST_P(FeedTest, OneReplicaAtATimeGivesPositions) {
  const auto other = Make();
  Record(ChangeOf("a"));
  const Sequencer::Pass first = Pass(*sequencer_);
  EXPECT_TRUE(first.worked);
  Record(ChangeOf("b"));
  EXPECT_FALSE(Pass(*other).worked);
  EXPECT_EQ(Names(Read(0)), Strings{"a"});
  Execute("UPDATE feed_lease SET expire_time = 0");
  const Sequencer::Pass second = Pass(*other);
  EXPECT_TRUE(second.worked);
  EXPECT_EQ(second.fencing, first.fencing + 1);
  // The first has lost the lease without knowing.
  Record(ChangeOf("c"));
  EXPECT_FALSE(Pass(*sequencer_).worked);
  EXPECT_EQ(Pass(*other).head, 3);
  EXPECT_EQ(Names(Read(0)), (Strings{"a", "b", "c"}));
}

// The holder was killed, and the clock then set back by an hour.
TEST_P(FeedTest, ALeaseOfAClockThatWasSetBackStopsNobody) {
  const auto other = Make();
  Record(ChangeOf("a"));
  EXPECT_TRUE(Pass(*sequencer_).worked);
  Execute("UPDATE feed_lease SET expire_time = expire_time + 3600000000");
  Record(ChangeOf("b"));
  EXPECT_TRUE(Pass(*other).worked);
  EXPECT_EQ(Names(Read(0)), (Strings{"a", "b"}));
}

TEST_P(FeedTest, AStoppedReplicaGivesUpTheLease) {
  auto first = Make();
  Record(ChangeOf("a"));
  first->Start();
  while (Read(0)->changes.empty()) std::this_thread::yield();
  first->Stop();
  Record(ChangeOf("b"));
  EXPECT_TRUE(Pass(*sequencer_).worked);
}

TEST_P(FeedTest, AStepRunsInThePassAndItsFailureUndoesIt) {
  bool fails = true;
  Sequencer::Options options;
  options.steps.push_back(
      {"SELECT 1 FROM change_feed WHERE cause = 'Test'",
       [&](Transaction& transaction) -> absl::StatusOr<bool> {
         transaction.Write({"UPDATE change_feed SET cause = 'Chained'", {}});
         if (fails) return absl::InternalError("step");
         return false;
       }});
  Sequencer stepping(*database_, options);
  Record(ChangeOf("a"));
  EXPECT_THAT(stepping.RunOnce(), StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(Names(Read(0)), Strings{});
  fails = false;
  EXPECT_EQ(Pass(stepping).positions, 1);
  EXPECT_EQ(Read(0)->changes.at(0).change.cause, "Chained");
}

TEST_P(FeedTest, ConcurrentWritersAreFollowedWithoutGapOrRepetition) {
  constexpr int kWriters = 4;
  constexpr int kChanges = 40;
  absl::Mutex mutex;
  int64_t head = 0;
  Sequencer::Options options;
  options.on_head = [&](int64_t now) {
    absl::MutexLock lock(&mutex);
    head = now;
  };
  Sequencer running(*database_, options);
  running.Start();
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      for (int j = 0; j < kChanges; ++j) Record(ChangeOf(Cat(i, "/", j)));
    });
  }
  std::set<std::string> seen;
  int64_t after = 0;
  while (seen.size() < kWriters * kChanges) {
    const auto page = Read(after, 7);
    ASSERT_OK(page);
    for (const PositionedChange& change : page->changes) {
      EXPECT_EQ(change.position, ++after);
      EXPECT_TRUE(seen.insert(change.change.name).second);
    }
    EXPECT_EQ(page->next_position, after);
  }
  for (std::thread& writer : writers) writer.join();
  absl::MutexLock lock(&mutex);
  mutex.Await(absl::Condition(
      +[](int64_t* at) { return *at == kWriters * kChanges; }, &head));
  EXPECT_EQ(after, kWriters * kChanges);
}

class PostgresqlFeedTest : public FeedTest {};

INSTANTIATE_TEST_SUITE_P(Engines, PostgresqlFeedTest,
                         ::testing::Values(Engine::kPostgresql), EngineName());

TEST_P(PostgresqlFeedTest, WhatCommitsLateGetsALaterPosition) {
  absl::Notification inserted;
  absl::Notification go;
  std::thread slow([&] {
    EXPECT_OK(database_->Transact(
        TestCaller(), [&](Transaction& t) -> absl::StatusOr<Outcome> {
          // As Record does, but before the commit.
          t.Write(
              {"INSERT INTO change_feed (kind, name, version, cause, body, "
               "scopes_before, scopes_after, commit_time) "
               "VALUES ('thing', 'slow', 1, 'Test', '', '', '', 0)",
               {}});
          RETURN_IF_ERROR(t.Query({"SELECT 1", {}}).status());
          inserted.Notify();
          go.WaitForNotification();
          return Outcome{};
        }));
  });
  inserted.WaitForNotification();
  Record(ChangeOf("quick"));
  EXPECT_EQ(Pass(*sequencer_).positions, 1);
  EXPECT_EQ(Names(Read(0)), Strings{"quick"});
  go.Notify();
  slow.join();
  EXPECT_EQ(Pass(*sequencer_).positions, 1);
  EXPECT_EQ(Names(Read(1)), Strings{"slow"});
  EXPECT_EQ(Read(1)->changes.at(0).position, 2);
}

TEST(FeedTokenTest, HoldsAPositionOfItsIncarnation) {
  const std::string token = EncodeFeedToken("abc", 42);
  const auto position = DecodeFeedToken(token, "abc");
  ASSERT_OK(position);
  EXPECT_EQ(*position, 42);
  EXPECT_THAT(DecodeFeedToken(token, "xyz"),
              HasReason(Reason::kFeedIncarnationChanged));
  const auto none = DecodeFeedToken("", "abc");
  ASSERT_OK(none);
  EXPECT_EQ(*none, std::nullopt);
}

TEST(FeedTokenTest, RefusesWhatIsNoToken) {
  for (const std::string& token :
       {std::string("%"), std::string("YWJj"), EncodeFeedToken("abc", -1),
        EncodeFeedToken("a:b", 1)}) {
    const auto position = DecodeFeedToken(token, "abc");
    EXPECT_THAT(position, HasReason(Reason::kFieldMalformed)) << token;
    EXPECT_THAT(position, ViolatesField("after_token"));
  }
}

}  // namespace
}  // namespace parcours::storage
