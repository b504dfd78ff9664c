// Two enrolmentd on one PostgreSQL and one Redis: whoever sends back the
// position of a change is answered by either with that change, whatever becomes
// of Redis.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/grpc_status.h"
#include "common/storage/session.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/redis_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "common/types/etag.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/enrolment_client.h"
#include "tests/integration/enrolmentd.h"

namespace parcours::integration {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr int kRounds = 12;

template <typename Service, typename Request, typename Response>
absl::StatusOr<Response> Call(
    Service& stub,
    grpc::Status (Service::*method)(grpc::ClientContext*, const Request&,
                                    Response*),
    const Request& request, const std::string& feed_token = "") {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  if (!feed_token.empty()) {
    context.AddMetadata("parcours-feed-token", feed_token);
  }
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  return response;
}

// One of the two, as a client sees it.
struct Replica {
  explicit Replica(const std::shared_ptr<grpc::Channel>& channel)
      : client(channel),
        programmes(pb::ProgrammeService::NewStub(channel)),
        feed(platform::v1::ChangeFeedService::NewStub(channel)) {}

  absl::StatusOr<pb::Programme> Get(const std::string& feed_token) {
    pb::GetProgrammeRequest request;
    request.set_name(EnrolmentClient::Programme());
    return Call(*programmes, &pb::ProgrammeService::Stub::GetProgramme, request,
                feed_token);
  }

  EnrolmentClient client;
  std::unique_ptr<pb::ProgrammeService::Stub> programmes;
  std::unique_ptr<platform::v1::ChangeFeedService::Stub> feed;
};

class CachedProgrammeTest : public ::testing::Test {
 protected:
  CachedProgrammeTest()
      : enrolmentd_(PARCOURS_ENROLMENTD, storage::Engine::kPostgresql,
                    {Cat("--redis_url=", redis_.url())}) {
    enrolmentd_.process().Start();
    second_ = enrolmentd_.MakeReplica({Cat("--redis_url=", redis_.url())});
    second_->Start();
    const std::string token =
        enrolmentd_.process().authority().AdministratorToken();
    replicas_.push_back(
        std::make_unique<Replica>(enrolmentd_.process().ConnectAs(token)));
    replicas_.push_back(std::make_unique<Replica>(second_->ConnectAs(token)));
    EXPECT_OK(replicas_[0]->client.CreateAll());
    token_ = TokenOf(*replicas_[0], 1);
  }

  // A token of the feed of `replica` that covers that version.
  std::string TokenOf(Replica& replica, int64_t version) {
    platform::v1::ListChangesRequest request;
    request.set_after_token(followed_);
    request.set_page_size(1000);
    const absl::Time limit = absl::Now() + kPatience;
    while (absl::Now() < limit) {
      const auto page =
          Call(*replica.feed,
               &platform::v1::ChangeFeedService::Stub::ListChanges, request);
      EXPECT_OK(page);
      if (!page.ok()) break;
      followed_ = page->next_token();
      request.set_after_token(followed_);
      for (const platform::v1::Change& change : page->changes()) {
        if (change.resource() == EnrolmentClient::Programme() &&
            change.version() == version) {
          return followed_;
        }
      }
    }
    ADD_FAILURE() << "version " << version << " has no position";
    return "";
  }

  // Changes the programme on one replica and reads it on both, again and again.
  // `between` comes between the change and the reads.
  void ChangeAndRead(
      const std::string& when, const std::function<void()>& between = [] {}) {
    SCOPED_TRACE(when);
    for (int round = 0; round < kRounds; ++round) {
      Replica& here = *replicas_[static_cast<std::size_t>(round % 2)];
      Replica& there = *replicas_[static_cast<std::size_t>((round + 1) % 2)];
      // Both hold what was before.
      ExpectAtLeast(here);
      ExpectAtLeast(there);
      const auto changed =
          here.client.RenameProgramme(Cat("Programme ", when, " ", round));
      ASSERT_OK(changed);
      version_ = VersionOf(changed->etag()).value_or(0);
      // Who made the change sees it without saying anything.
      ExpectVersion(here.client.GetProgramme());
      between();
      token_ = TokenOf(round % 3 == 0 ? there : here, version_);
      ExpectAtLeast(there);
      between();
      ExpectAtLeast(there);
      ExpectAtLeast(here);
    }
  }

  void ExpectAtLeast(Replica& replica) { ExpectVersion(replica.Get(token_)); }
  void ExpectVersion(const absl::StatusOr<pb::Programme>& found) {
    ASSERT_OK(found);
    EXPECT_GE(VersionOf(found->etag()).value_or(0), version_);
  }

  testing::RedisFixture redis_;
  Enrolmentd enrolmentd_;
  std::unique_ptr<testing::DaemonFixture> second_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  // Where the client stands in the feed, and what it knows by that.
  std::string followed_;
  std::string token_;
  int64_t version_ = 1;
};

TEST_F(CachedProgrammeTest, WhileRedisWorks) {
  ChangeAndRead("with Redis");
  const std::string metrics = second_->Metrics();
  for (const char* figure :
       {"parcours_cache_reads_total.from=\"memory\". [1-9]",
        "parcours_cache_reads_total.from=\"database\". [1-9]",
        "parcours_cache_shared_total.result=\"hit\". [0-9]",
        "parcours_cache_shared_total.result=\"breaker_open\". 0",
        "parcours_cache_bypassed_for_position_total [0-9]"}) {
    EXPECT_THAT(metrics, ContainsRegex(figure));
  }
}

TEST_F(CachedProgrammeTest, WhileRedisIsStopped) {
  redis_.Stop();
  ChangeAndRead("while it is stopped");
  redis_.Start();
  ChangeAndRead("after");
}

TEST_F(CachedProgrammeTest, WhileRedisIsWiped) {
  ChangeAndRead("between wipes", [this] { redis_.Flush(); });
}

TEST_F(CachedProgrammeTest, WhileRedisIsFull) {
  ChangeAndRead("before");
  // Every write is refused, tombstones too, and what it holds is still read.
  redis_.Command({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_THAT(redis_.Command({"SET", "probe", "x"}), HasSubstr("OOM"));
  ChangeAndRead("while it is full");
  redis_.Command({"CONFIG", "SET", "maxmemory", "0"});
  ChangeAndRead("after");
}

TEST_F(CachedProgrammeTest, WhileRedisIsPaused) {
  ChangeAndRead("before");
  redis_.Pause();
  ChangeAndRead("while it is paused");
  redis_.Resume();
  ChangeAndRead("after");
}

TEST_F(CachedProgrammeTest, WhileRedisHoldsGarbage) {
  std::mt19937 random(7);
  int planted = 0;
  ChangeAndRead("amid garbage", [&] {
    const std::string key = redis_.Command({"RANDOMKEY"});
    if (key.empty()) return;
    ++planted;
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    redis_.Command({"DEL", key});
    switch (random() % 4) {
      case 0:
        redis_.Command({"LPUSH", key, bytes});
        break;
      case 1:
        redis_.Command({"HSET", key, "field", bytes});
        break;
      default:
        redis_.Command({"SET", key, bytes});
    }
  });
  EXPECT_GT(planted, 0);
}

TEST_F(CachedProgrammeTest, WhenAnOldValueIsStoredAgain) {
  // It is filled after an answer, unless it was too slow.
  std::string key;
  std::string old;
  const absl::Time limit = absl::Now() + kPatience;
  while (old.substr(0, 21).find('v') != 20 && absl::Now() < limit) {
    ExpectAtLeast(*replicas_[0]);
    key = redis_.Command({"RANDOMKEY"});
    old = redis_.Command({"GET", key});
  }
  ASSERT_THAT(key, HasSubstr(EnrolmentClient::Programme()));
  ChangeAndRead("among old values", [&] { redis_.Command({"SET", key, old}); });
  // Genuine, and not expired: it was looked at, and refused.
  EXPECT_THAT(Cat(enrolmentd_.process().Metrics(), second_->Metrics()),
              ContainsRegex("parcours_cache_shared_total.result=\"stale\". "
                            "[1-9]"));
}

}  // namespace
}  // namespace parcours::integration
