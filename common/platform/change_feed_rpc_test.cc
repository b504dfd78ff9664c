#include "common/platform/change_feed_rpc.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/platform/caller_rpc.h"
#include "common/rpc/grpc_status.h"
#include "common/status/macros.h"
#include "common/storage/feed.h"
#include "common/storage/sequencer.h"
#include "common/testing/database_fixture.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::platform {
namespace {

using ::parcours::testing::EngineName;
using ::parcours::testing::EnginesUnderTest;
using ::parcours::testing::TestDatabase;
using storage::Engine;
using storage::Outcome;
using storage::Transaction;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Strings = std::vector<std::string>;

// A replica: its own tail and sequencer on a database, and a server.
class Replica {
 public:
  Replica(storage::Database& database,
          std::function<void(rpc::ShellOptions&)> adapt)
      : tail_(database, {.poll_interval = absl::Milliseconds(5)}),
        sequencer_(database, {.poll_interval = absl::Milliseconds(5),
                              .on_head = [this](int64_t) { tail_.Wake(); }}),
        fixture_(std::move(adapt)),
        feed_(fixture_.shell(), database, tail_, fixture_.metrics()),
        caller_(fixture_.shell()) {
    tail_.Start();
    fixture_.Serve({&feed_, &caller_});
  }
  ~Replica() {
    fixture_.StopServing();
    sequencer_.Stop();
    tail_.Stop();
  }

  storage::FeedTail& tail() { return tail_; }
  storage::Sequencer& sequencer() { return sequencer_; }
  RpcFixture& fixture() { return fixture_; }
  std::unique_ptr<v1::ChangeFeedService::Stub> Stub() {
    return v1::ChangeFeedService::NewStub(fixture_.channel());
  }

 private:
  storage::FeedTail tail_;
  storage::Sequencer sequencer_;
  RpcFixture fixture_;
  ChangeFeedRpc feed_;
  CallerRpc caller_;
};

// One stream as its reader has it.
class Watcher {
 public:
  Watcher(v1::ChangeFeedService::Stub& stub,
          const v1::WatchChangesRequest& request)
      : reader_(stub.WatchChanges(&context_, request)) {}

  // The next piece; nothing at the end.
  std::optional<v1::WatchChangesResponse> Piece() {
    v1::WatchChangesResponse piece;
    if (!reader_->Read(&piece)) return std::nullopt;
    token_ = piece.next_token();
    return piece;
  }
  // The changes of the next pieces, until there are so many.
  std::vector<v1::Change> Changes(std::size_t count) {
    std::vector<v1::Change> changes;
    while (changes.size() < count) {
      const auto piece = Piece();
      if (!piece.has_value()) {
        ADD_FAILURE() << Finish();
        break;
      }
      EXPECT_LE(piece->changes_size(), 100);
      EXPECT_GE(piece->head_position(),
                piece->changes_size() == 0
                    ? 0
                    : piece->changes().rbegin()->position());
      changes.insert(changes.end(), piece->changes().begin(),
                     piece->changes().end());
    }
    return changes;
  }
  // "+name" or "-name" for what was removed.
  Strings Names(std::size_t count) {
    Strings names;
    for (const v1::Change& change : Changes(count)) {
      names.push_back(Cat(change.removed() ? "-" : "+", change.resource()));
    }
    return names;
  }
  void Cancel() { context_.TryCancel(); }
  absl::Status Finish() { return rpc::FromGrpcStatus(reader_->Finish()); }
  const std::string& token() const { return token_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchChangesResponse>> reader_;
  std::string token_;
};

class ChangeFeedRpcTest : public ::testing::TestWithParam<Engine> {
 protected:
  ChangeFeedRpcTest() : files_(GetParam()), database_(files_.Open({})) {
    who_.subject = "somebody";
    who_.roles.Add(type::v1::ROLE_ADMINISTRATOR);
  }

  Replica& replica() {
    if (replica_ == nullptr) replica_ = MakeReplica();
    return *replica_;
  }
  std::unique_ptr<Replica> MakeReplica() {
    return std::make_unique<Replica>(
        *database_, [this](rpc::ShellOptions& options) {
          options.identify = [this](const grpc::CallbackServerContext&)
              -> absl::StatusOr<access::Principal> { return who_; };
          adapt_(options);
        });
  }

  void Be(int role, const std::string& body = "bodies/opale") {
    who_.roles = {};
    who_.roles.Add(role);
    who_.body = body;
  }

  static access::Caller TestCaller() {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.principal.subject = "tester";
    caller.deadline = absl::Now() + absl::Seconds(60);
    caller.now = absl::FromUnixSeconds(1'800'000'000);
    return caller;
  }

  void Record(const std::string& name, Strings before = {},
              Strings after = {"bodies/opale"},
              const std::string& kind = "thing") {
    ASSERT_OK(database_->Transact(TestCaller(), [&](Transaction& transaction) {
      transaction.Record({kind, name, 1, "Test", before, after});
      return absl::StatusOr<Outcome>(Outcome{});
    }));
  }
  void RecordMany(int count, const std::string& prefix = "bodies/opale/t/") {
    ASSERT_OK(database_->Transact(TestCaller(), [&](Transaction& transaction) {
      for (int i = 0; i < count; ++i) {
        transaction.Record(
            {"thing", Cat(prefix, i), 1, "Test", {}, {"bodies/opale"}});
      }
      return absl::StatusOr<Outcome>(Outcome{});
    }));
  }
  void Execute(const std::string& sql) {
    ASSERT_OK(database_->Transact(TestCaller(), [&](Transaction& transaction) {
      transaction.Write({sql, {}});
      return absl::StatusOr<Outcome>(Outcome{});
    }));
  }
  void GivePositions() {
    for (bool more = true; more;) {
      const auto pass = replica().sequencer().RunOnce();
      ASSERT_OK(pass);
      more = pass->more;
    }
    replica().tail().Wake();
  }
  void Trim() {
    ASSERT_OK(storage::TrimFeed(*database_, absl::InfiniteFuture(),
                                absl::Now() + absl::Seconds(30)));
  }

  std::string TokenAt(int64_t position) {
    return storage::EncodeFeedToken(database_->incarnation(), position);
  }
  v1::WatchChangesRequest After(int64_t position) {
    v1::WatchChangesRequest request;
    request.set_after_token(TokenAt(position));
    return request;
  }
  std::unique_ptr<Watcher> Watch(const v1::WatchChangesRequest& request) {
    stubs_.push_back(replica().Stub());
    return std::make_unique<Watcher>(*stubs_.back(), request);
  }
  absl::Status EndOf(const v1::WatchChangesRequest& request) {
    const auto watcher = Watch(request);
    while (watcher->Piece().has_value()) {
    }
    return watcher->Finish();
  }

  std::function<void(rpc::ShellOptions&)> adapt_ = [](rpc::ShellOptions&) {};
  access::Principal who_;
  TestDatabase files_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Replica> replica_;
  std::vector<std::unique_ptr<v1::ChangeFeedService::Stub>> stubs_;
};

INSTANTIATE_TEST_SUITE_P(Engines, ChangeFeedRpcTest,
                         ::testing::ValuesIn(EnginesUnderTest()), EngineName());

TEST_P(ChangeFeedRpcTest, WhatWasComesFirstAndThenWhatComes) {
  Record("a");
  Record("b");
  GivePositions();
  const auto watcher = Watch({});
  EXPECT_THAT(watcher->Names(2), ElementsAre("+a", "+b"));
  EXPECT_EQ(watcher->token(), TokenAt(2));
  Record("c");
  GivePositions();
  const auto changes = watcher->Changes(1);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].resource(), "c");
  EXPECT_EQ(changes[0].position(), 3);
  EXPECT_EQ(changes[0].kind(), "thing");
  EXPECT_EQ(changes[0].cause(), "Test");
  EXPECT_EQ(watcher->token(), TokenAt(3));
  EXPECT_THAT(replica().fixture().metrics().Text(),
              HasSubstr("parcours_feed_open_streams 1\n"));
}

TEST_P(ChangeFeedRpcTest, WhereThereIsNothingTheFirstPieceSaysFromWhere) {
  const auto watcher = Watch({});
  const auto piece = watcher->Piece();
  ASSERT_TRUE(piece.has_value());
  EXPECT_THAT(piece->changes(), IsEmpty());
  EXPECT_EQ(piece->next_token(), TokenAt(0));
}

TEST_P(ChangeFeedRpcTest, AHeartbeatSaysUpToWhereThereWasNothing) {
  Be(type::v1::ROLE_COORDINATOR);
  v1::WatchChangesRequest request;
  request.mutable_heartbeat_interval()->set_seconds(1);
  const auto watcher = Watch(request);
  watcher->Piece();
  Record("bodies/jade/t/a", {}, {"bodies/jade"});
  GivePositions();
  // Silent because it concerns another body, not because nothing was.
  while (watcher->token() != TokenAt(1)) {
    const auto piece = watcher->Piece();
    ASSERT_TRUE(piece.has_value());
    EXPECT_THAT(piece->changes(), IsEmpty());
  }
}

TEST_P(ChangeFeedRpcTest, ThousandsComeInOrderWithoutGap) {
  RecordMany(2500);
  GivePositions();
  const auto watcher = Watch(After(0));
  int64_t position = 0;
  for (const v1::Change& change : watcher->Changes(2500)) {
    ASSERT_EQ(change.position(), ++position);
  }
  RecordMany(2500);
  GivePositions();
  for (const v1::Change& change : watcher->Changes(2500)) {
    ASSERT_EQ(change.position(), ++position);
  }
}

TEST_P(ChangeFeedRpcTest, AReaderGoesOnFromTheLastTokenItDealtWith) {
  RecordMany(250);
  GivePositions();
  auto watcher = Watch(After(0));
  EXPECT_EQ(watcher->Changes(100).size(), 100u);
  const std::string token = watcher->token();
  watcher->Cancel();
  EXPECT_THAT(watcher->Finish(), StatusIs(absl::StatusCode::kCancelled));
  v1::WatchChangesRequest request;
  request.set_after_token(token);
  watcher = Watch(request);
  int64_t position = 100;
  for (const v1::Change& change : watcher->Changes(150)) {
    ASSERT_EQ(change.position(), ++position);
  }
}

TEST_P(ChangeFeedRpcTest, AFilterSelectsKindsAndWhatLiesWithin) {
  const std::string cohort = "bodies/opale/programmes/p/cohorts/c";
  v1::WatchChangesRequest request = After(0);
  request.mutable_filter()->add_kinds("room");
  request.mutable_filter()->add_within(cohort);
  request.mutable_filter()->add_within("funder:afdas");
  const auto watcher = Watch(request);
  watcher->Piece();
  Record("1", {}, {"bodies/opale", cohort}, "room");
  Record("2", {}, {"bodies/opale", cohort}, "venue");
  Record("3", {}, {"bodies/opale"}, "room");
  Record("4", {}, {"bodies/opale", "funder:afdas"}, "room");
  Record("5", {"bodies/opale", cohort}, {"bodies/opale"}, "room");
  GivePositions();
  EXPECT_THAT(watcher->Names(3), ElementsAre("+1", "+4", "-5"));
}

TEST_P(ChangeFeedRpcTest, ACoordinatorSeesTheirBodyAndWhatLeavesIt) {
  Be(type::v1::ROLE_COORDINATOR);
  const auto watcher = Watch(After(0));
  watcher->Piece();
  Record("bodies/opale/a");
  Record("bodies/jade/b", {}, {"bodies/jade"});
  Record("c", {"bodies/opale"}, {"bodies/jade"});
  Record("d", {"bodies/opale"}, {});
  GivePositions();
  EXPECT_THAT(watcher->Names(3), ElementsAre("+bodies/opale/a", "-c", "-d"));
}

TEST_P(ChangeFeedRpcTest, AFunderSeesWhatTheyOwnUntilTheyDoNot) {
  Be(type::v1::ROLE_FUNDER);
  who_.funder = "afdas";
  const std::string enrolment = "bodies/opale/enrolments/e";
  const auto watcher = Watch(After(0));
  watcher->Piece();
  Record(enrolment, {}, {"bodies/opale", "funder:afdas"});
  Execute(
      Cat("INSERT INTO ownership (owner_key, owned, source) VALUES "
          "('funder:afdas', '",
          enrolment, "', 's')"));
  Record("bodies/opale/sheets/s/entries/1", {}, {"bodies/opale", enrolment});
  Record("bodies/opale/sheets/s/entries/2", {}, {"bodies/opale"});
  GivePositions();
  EXPECT_THAT(watcher->Names(2),
              ElementsAre("+" + enrolment, "+bodies/opale/sheets/s/entries/1"));
  Execute("DELETE FROM ownership");
  Record(enrolment, {"bodies/opale", "funder:afdas"}, {"bodies/opale"});
  Record("bodies/opale/sheets/s/entries/1", {"bodies/opale", enrolment},
         {"bodies/opale", enrolment});
  Record("bodies/opale/own", {}, {"bodies/opale", "funder:afdas"});
  GivePositions();
  EXPECT_THAT(watcher->Names(2),
              ElementsAre("-" + enrolment, "+bodies/opale/own"));
}

TEST_P(ChangeFeedRpcTest, AFeedReaderFollowsAndAStrangerDoesNot) {
  Be(type::v1::ROLE_FEED_READER, "");
  Record("bodies/jade/a", {}, {"bodies/jade"});
  GivePositions();
  EXPECT_THAT(Watch(After(0))->Names(1), ElementsAre("+bodies/jade/a"));
  const auto stub = v1::CallerService::NewStub(replica().fixture().channel());
  grpc::ClientContext context;
  v1::GetCallerResponse caller;
  EXPECT_THAT(rpc::FromGrpcStatus(stub->GetCaller(&context, {}, &caller)),
              HasReason(Reason::kPermissionDenied));
  Be(type::v1::ROLE_LEARNER);
  EXPECT_THAT(EndOf({}), HasReason(Reason::kPermissionDenied));
}

TEST_P(ChangeFeedRpcTest, AllThatIsWrongIsSaidAtOnce) {
  v1::WatchChangesRequest request;
  request.set_after_token("no token");
  request.mutable_heartbeat_interval()->set_seconds(61);
  request.mutable_filter()->add_kinds("room");
  request.mutable_filter()->add_kinds("Not a kind");
  for (int i = 0; i < 51; ++i) {
    request.mutable_filter()->add_within("bodies/opale");
  }
  const absl::Status status = EndOf(request);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ViolatedFields(status),
              ElementsAre("heartbeat_interval", "filter.kinds[1]",
                          "filter.within", "after_token"));
  request.clear_filter();
  request.clear_after_token();
  request.mutable_heartbeat_interval()->set_seconds(0);
  EXPECT_THAT(EndOf(request), ViolatesField("heartbeat_interval"));
  request.clear_heartbeat_interval();
  for (const char* within : {"", "bodies", "bodies//x", "bodies/%", ":x",
                             "funder:", "funder:a b", "a b:c"}) {
    request.clear_filter();
    request.mutable_filter()->add_within(within);
    EXPECT_THAT(EndOf(request), ViolatesField("filter.within[0]")) << within;
  }
}

TEST_P(ChangeFeedRpcTest, ATokenOfAnotherIncarnationIsRefused) {
  v1::WatchChangesRequest request;
  request.set_after_token(storage::EncodeFeedToken("another", 3));
  EXPECT_THAT(EndOf(request), HasReason(Reason::kFeedIncarnationChanged));
}

TEST_P(ChangeFeedRpcTest, ATrimmedPositionIsRefused) {
  RecordMany(3);
  GivePositions();
  // Memory still has them where they came while it watched.
  replica_.reset();
  Trim();
  EXPECT_THAT(EndOf(After(1)), HasReason(Reason::kFeedTrimmed));
  const auto watcher = Watch({});
  const auto piece = watcher->Piece();
  ASSERT_TRUE(piece.has_value());
  EXPECT_EQ(piece->next_token(), TokenAt(3));
}

TEST_P(ChangeFeedRpcTest, WhoeverTheTrimOvertakesIsTold) {
  // More than memory and the windows of the connection hold.
  RecordMany(9000, Cat("bodies/opale/", std::string(1000, 'x'), "/"));
  GivePositions();
  const auto watcher = Watch(After(0));
  EXPECT_EQ(watcher->Changes(100).size(), 100u);
  Trim();
  while (watcher->Piece().has_value()) {
  }
  EXPECT_THAT(watcher->Finish(), HasReason(Reason::kFeedTrimmed));
}

TEST_P(ChangeFeedRpcTest, ASlowReaderDisturbsNobodyAndMissesNothing) {
  const std::string prefix = Cat("bodies/opale/", std::string(200, 'x'), "/");
  const auto slow = Watch(After(0));
  slow->Piece();
  const auto quick = Watch(After(0));
  quick->Piece();
  for (int i = 0; i < 5; ++i) {
    RecordMany(1500, prefix);
    GivePositions();
    EXPECT_EQ(quick->Changes(1500).size(), 1500u);
  }
  int64_t position = 0;
  for (const v1::Change& change : slow->Changes(7500)) {
    ASSERT_EQ(change.position(), ++position);
  }
}

TEST_P(ChangeFeedRpcTest, ADrainEndsIt) {
  const auto watcher = Watch(After(0));
  watcher->Piece();
  replica().fixture().shell().BeginDrain();
  EXPECT_EQ(watcher->Piece(), std::nullopt);
  EXPECT_THAT(watcher->Finish(), HasReason(Reason::kDraining));
  EXPECT_TRUE(
      replica().fixture().shell().WaitUntilIdle(absl::InfiniteFuture()));
  EXPECT_THAT(replica().fixture().metrics().Text(),
              HasSubstr("parcours_feed_open_streams 0\n"));
}

TEST_P(ChangeFeedRpcTest, AListTakesTheSameFilterAndSaysHowFarTheFeedIs) {
  Record("a", {}, {"bodies/opale"}, "room");
  Record("b");
  GivePositions();
  const auto stub = replica().Stub();
  v1::ListChangesRequest request;
  request.mutable_filter()->add_kinds("room");
  v1::ListChangesResponse response;
  grpc::ClientContext context;
  ASSERT_OK(
      rpc::FromGrpcStatus(stub->ListChanges(&context, request, &response)));
  ASSERT_EQ(response.changes_size(), 1);
  EXPECT_EQ(response.changes(0).resource(), "a");
  EXPECT_EQ(response.next_token(), TokenAt(2));
  EXPECT_EQ(response.head_position(), 2);
  request.mutable_filter()->add_kinds("1");
  grpc::ClientContext again;
  EXPECT_THAT(
      rpc::FromGrpcStatus(stub->ListChanges(&again, request, &response)),
      ViolatesField("filter.kinds[1]"));
}

TEST_P(ChangeFeedRpcTest, TheCallerIsToldWhoTheyAre) {
  who_ = {.subject = "issuer|somebody"};
  Be(type::v1::ROLE_TRAINER);
  who_.roles.Add(type::v1::ROLE_READER);
  who_.person = "bodies/opale/persons/p";
  who_.organisation = "bodies/opale/organisations/o";
  who_.funder = "afdas";
  who_.client = "bodies/opale/apiClients/c";
  const auto stub = v1::CallerService::NewStub(replica().fixture().channel());
  grpc::ClientContext context;
  v1::GetCallerResponse caller;
  ASSERT_OK(rpc::FromGrpcStatus(stub->GetCaller(&context, {}, &caller)));
  EXPECT_EQ(caller.subject(), "issuer|somebody");
  EXPECT_THAT(caller.roles(),
              ElementsAre(type::v1::ROLE_TRAINER, type::v1::ROLE_READER));
  EXPECT_EQ(caller.body(), "bodies/opale");
  EXPECT_EQ(caller.person(), "bodies/opale/persons/p");
  EXPECT_EQ(caller.organisation(), "bodies/opale/organisations/o");
  EXPECT_EQ(caller.funder(), "afdas");
  EXPECT_EQ(caller.api_client(), "bodies/opale/apiClients/c");
}

class ReplicasTest : public ChangeFeedRpcTest {
 protected:
  // As Record does, inserted before the commit.
  static void Insert(Transaction& transaction, const std::string& name) {
    transaction.Write(
        {"INSERT INTO change_feed (kind, name, version, cause, body, "
         "scopes_before, scopes_after, commit_time) VALUES "
         "('thing', $1, 1, 'Test', '', '', $2, 0)",
         {name, std::string("\nbodies/opale\n")}});
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, ReplicasTest,
                         ::testing::Values(Engine::kPostgresql), EngineName());

TEST_P(ReplicasTest, WhatIsHeldOpenWhileLaterOnesCommitIsSeenOnce) {
  replica().sequencer().Start();
  const auto watcher = Watch(After(0));
  watcher->Piece();
  absl::Notification inserted;
  absl::Notification go;
  std::thread held([&] {
    EXPECT_OK(database_->Transact(
        TestCaller(), [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
          Insert(transaction, "held");
          RETURN_IF_ERROR(transaction.Query({"SELECT 1", {}}).status());
          inserted.Notify();
          go.WaitForNotification();
          return Outcome{};
        }));
  });
  inserted.WaitForNotification();
  for (int i = 0; i < 20; ++i) Record(Cat("later/", i));
  const Strings later = watcher->Names(20);
  go.Notify();
  held.join();
  EXPECT_THAT(watcher->Names(1), ElementsAre("+held"));
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(later[std::size_t(i)], Cat("+later/", i));
}

TEST_P(ReplicasTest, EveryChangeIsSeenOnceByAllWhileTheLeaseMoves) {
  constexpr int kWriters = 3;
  constexpr int kRounds = 60;
  std::vector<std::unique_ptr<Replica>> replicas;
  for (int i = 0; i < 2; ++i) {
    replicas.push_back(MakeReplica());
    replicas.back()->sequencer().Start();
  }
  std::vector<std::unique_ptr<v1::ChangeFeedService::Stub>> stubs;
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (const auto& one : replicas) {
    stubs.push_back(one->Stub());
    watchers.push_back(std::make_unique<Watcher>(*stubs.back(), After(0)));
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < kRounds; ++j) {
        // The cause before its effect, each in a transaction of its own.
        Record(Cat(i, "/", j, "/cause"));
        Record(Cat(i, "/", j, "/effect"));
      }
    });
  }
  // Whoever has the lease loses it without knowing, again and again.
  threads.emplace_back([&] {
    for (int i = 0; i < 30; ++i) {
      Execute(Cat("UPDATE feed_lease SET expire_time = 0, holder = 'nobody-", i,
                  "'"));
    }
  });
  std::vector<Strings> seen;
  for (const auto& watcher : watchers) {
    Strings names;
    int64_t position = 0;
    for (const v1::Change& change : watcher->Changes(2 * kWriters * kRounds)) {
      EXPECT_EQ(change.position(), ++position);
      names.push_back(change.resource());
    }
    seen.push_back(std::move(names));
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen[0], seen[1]);
  const auto place = [&](const std::string& name) {
    return std::find(seen[0].begin(), seen[0].end(), name) - seen[0].begin();
  };
  for (int i = 0; i < kWriters; ++i) {
    for (int j = 0; j < kRounds; ++j) {
      EXPECT_LT(place(Cat(i, "/", j, "/cause")),
                place(Cat(i, "/", j, "/effect")));
    }
  }
  EXPECT_EQ(std::set<std::string>(seen[0].begin(), seen[0].end()).size(),
            std::size_t{2 * kWriters * kRounds});
}

}  // namespace
}  // namespace parcours::platform
