#include "common/cache/redis_cache.h"

#include <gtest/gtest.h>

#include <deque>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/testing/redis_fixture.h"

namespace parcours::cache {
namespace {

using testing::RedisFixture;

constexpr char kKey[] = "service:database:record:s1:name";

std::string Digits(int64_t version) {
  return absl::StrCat(absl::Dec(version, absl::kZeroPad20));
}

class RedisCacheTest : public ::testing::Test {
 protected:
  RedisCacheTest() {
    options_.connection.address = *ParseRedisUrl(redis_.url());
    // What these tests do not test is never too slow for a busy machine.
    options_.connection.connect_timeout = absl::Seconds(10);
    options_.connection.command_timeout = absl::Seconds(10);
    options_.sealing_key = std::string(32, 'k');
    options_.breaker.failures_to_trip = 3;
    cache_ = MakeCache();
  }

  std::unique_ptr<RedisCache> MakeCache() {
    auto cache = RedisCache::Create(
        options_, [this] { return absl::Now() + ahead_; }, &counters_);
    EXPECT_TRUE(cache.ok()) << cache.status();
    return *std::move(cache);
  }
  void Put(RedisCache& cache, int64_t version, std::string_view payload) {
    cache.Put(kKey, version, version + 1'000, payload, absl::Now() + ahead_,
              absl::Seconds(30));
  }
  static std::string Get(RedisCache& cache, std::string_view key = kKey) {
    const auto entry = cache.Get(key);
    if (!entry.has_value()) return "miss";
    EXPECT_EQ(entry->position, entry->version + 1'000);
    return absl::StrCat(entry->version, ":", entry->payload);
  }

  RedisFixture redis_;
  RedisCacheOptions options_;
  CacheCounters counters_;
  absl::Duration ahead_ = absl::ZeroDuration();
  std::unique_ptr<RedisCache> cache_;
};

TEST_F(RedisCacheTest, ReturnsWhatAnotherProcessPut) {
  EXPECT_EQ(Get(*cache_), "miss");
  const std::string bytes("\0\r\n\xff", 4);
  Put(*cache_, 3, bytes);
  EXPECT_EQ(Get(*MakeCache()), "3:" + bytes);
  EXPECT_EQ(counters_.miss, 1u);
  EXPECT_EQ(counters_.hit, 1u);
  EXPECT_EQ(counters_.error, 0u);
}

TEST_F(RedisCacheTest, OlderVersionsNeverReplaceNewerOnes) {
  // Beyond 2^53, and where text and number order differ without padding.
  const std::vector<std::pair<int64_t, int64_t>> pairs = {
      {9, 10},
      {(1LL << 53), (1LL << 53) + 1},
      {INT64_MAX - 2'000, INT64_MAX - 1'999}};
  for (const auto& [older, newer] : pairs) {
    redis_.Flush();
    Put(*cache_, newer, "new");
    Put(*cache_, older, "old");
    EXPECT_EQ(Get(*cache_), absl::StrCat(newer, ":new"));
    Put(*cache_, newer, "new again");
    EXPECT_EQ(Get(*cache_), absl::StrCat(newer, ":new again"));
    cache_->Invalidate(kKey, older);
    EXPECT_EQ(Get(*cache_), absl::StrCat(newer, ":new again"));
  }
  EXPECT_EQ(counters_.guard_rejected, pairs.size());
}

TEST_F(RedisCacheTest, ATombstoneRefusesOlderFillsAndTakesItsOwnVersion) {
  Put(*cache_, 1, "one");
  cache_->Invalidate(kKey, 2);
  EXPECT_EQ(Get(*cache_), "miss");
  Put(*cache_, 1, "one");
  EXPECT_EQ(Get(*cache_), "miss");
  EXPECT_EQ(counters_.guard_rejected, 1u);
  Put(*cache_, 2, "two");
  EXPECT_EQ(Get(*cache_), "2:two");
  cache_->Invalidate(kKey, 2);  // told again, by the feed
  EXPECT_EQ(Get(*cache_), "2:two");
}

TEST_F(RedisCacheTest, ValuesAndTombstonesHaveAnEnd) {
  Put(*cache_, 1, "one");
  const int64_t value_ms = std::stoll(redis_.Command({"PTTL", kKey}));
  EXPECT_GT(value_ms, 0);
  EXPECT_LE(value_ms, 30'000);
  cache_->Invalidate(kKey, 2);
  const int64_t tombstone_ms = std::stoll(redis_.Command({"PTTL", kKey}));
  EXPECT_GT(tombstone_ms, 0);
  EXPECT_LE(tombstone_ms, 20'000);
}

TEST_F(RedisCacheTest, WhileItsTombstoneIsDeferredAnOlderValueIsNotTaken) {
  Put(*cache_, 1, "one");
  bool refuse = true;
  auto cut_off = RedisCache::Create(
      options_,
      [&]() -> absl::StatusOr<std::unique_ptr<RedisConnection>> {
        if (refuse) return absl::UnavailableError("refused");
        return ConnectToRedis(options_.connection);
      },
      absl::Now, &counters_);
  ASSERT_TRUE(cut_off.ok());
  (*cut_off)->Invalidate(kKey, 2);
  EXPECT_EQ(Get(*cache_), "1:one");
  refuse = false;
  EXPECT_EQ(Get(**cut_off), "miss");
  EXPECT_EQ(Get(*cache_), "miss");
}

TEST_F(RedisCacheTest, ALongReadDoesNotFill) {
  cache_->Put(kKey, 1, 7, "one", absl::Now() - absl::Milliseconds(10'001),
              absl::Seconds(30));
  EXPECT_EQ(redis_.Command({"EXISTS", kKey}), "0");
}

TEST_F(RedisCacheTest, AFillThatWaitedInAStalledServerIsRefusedThere) {
  // Sent in time by this process' clock, and long too late by the server's.
  ahead_ = -absl::Seconds(60);
  Put(*cache_, 1, "one");
  EXPECT_EQ(redis_.Command({"EXISTS", kKey}), "0");
  EXPECT_EQ(counters_.guard_rejected, 1u);
}

TEST_F(RedisCacheTest, AnOldValueStoredAgainIsRefusedOnceItExpired) {
  Put(*cache_, 1, "one");
  const std::string stored = redis_.Command({"GET", kKey});
  cache_->Invalidate(kKey, 2);
  redis_.Command({"SET", kKey, stored});
  EXPECT_EQ(Get(*cache_), "1:one");  // the staleness bound has not passed
  ahead_ = absl::Seconds(30);
  EXPECT_EQ(Get(*cache_), "miss");
  EXPECT_EQ(counters_.stale, 1u);
}

TEST_F(RedisCacheTest, ForgedForeignAndGarbledValuesAreMissesAndGiveWay) {
  Put(*cache_, 5, "five");
  const std::string genuine = redis_.Command({"GET", kKey});
  std::string flipped = genuine;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  const std::vector<std::string> planted = {
      "", "garbage", "five", Digits(5), Digits(5) + "v", Digits(5) + "vfive",
      Digits(5) + "x" + genuine.substr(21),
      // Another version than was sealed; a payload cut; one byte flipped.
      Digits(4) + genuine.substr(20), genuine.substr(0, 60), flipped,
      "-0000000000000000001" + genuine.substr(20), std::string(100'000, '9'),
      genuine + genuine};
  for (const std::string& value : planted) {
    redis_.Command({"SET", kKey, value});
    EXPECT_EQ(Get(*cache_), "miss") << value.substr(0, 30);
    Put(*cache_, 5, "five");
    EXPECT_EQ(Get(*cache_), "5:five") << value.substr(0, 30);
  }
  // A genuine value under another key.
  redis_.Command({"SET", "service:database:record:s1:other", genuine});
  EXPECT_EQ(Get(*cache_, "service:database:record:s1:other"), "miss");
  // Another installation's key.
  options_.sealing_key = std::string(32, 'x');
  EXPECT_EQ(Get(*MakeCache()), "miss");
}

TEST_F(RedisCacheTest, AnotherTypeIsAMissAndGivesWay) {
  redis_.Command({"LPUSH", kKey, "x"});
  EXPECT_EQ(Get(*cache_), "miss");
  Put(*cache_, 1, "one");
  EXPECT_EQ(Get(*cache_), "1:one");
  redis_.Command({"DEL", kKey});
  redis_.Command({"HSET", kKey, "a", "b"});
  cache_->Invalidate(kKey, 2);
  EXPECT_EQ(Get(*cache_), "miss");
  EXPECT_EQ(redis_.Command({"TYPE", kKey}), "string");
  EXPECT_EQ(cache_->breaker_state(), CircuitBreaker::State::kClosed);
}

TEST_F(RedisCacheTest, TheStoredValueShowsNothingOfThePayload) {
  Put(*cache_, 1, "a person's name");
  EXPECT_EQ(redis_.Command({"GET", kKey}).find("person"), std::string::npos);
}

TEST_F(RedisCacheTest, TheScriptIsKnownByItsDigest) {
  Put(*cache_, 1, "one");
  EXPECT_EQ(counters_.error, 0u);
  for (int i = 2; i < 10; ++i) Put(*cache_, i, "more");
  const std::string stats = redis_.Command({"INFO", "commandstats"});
  EXPECT_NE(stats.find("cmdstat_eval:calls=1,"), std::string::npos) << stats;
  EXPECT_NE(stats.find("cmdstat_evalsha:calls=9,"), std::string::npos) << stats;
  redis_.Command({"SCRIPT", "FLUSH"});
  Put(*cache_, 10, "after the scripts were lost");
  EXPECT_EQ(Get(*cache_), "10:after the scripts were lost");
}

TEST_F(RedisCacheTest, PayloadsBeyondTheLimitAreNotStored) {
  options_.max_payload_bytes = 10;
  auto cache = MakeCache();
  Put(*cache, 1, "12345678901");
  EXPECT_EQ(redis_.Command({"EXISTS", kKey}), "0");
  Put(*cache, 1, "1234567890");
  EXPECT_EQ(redis_.Command({"EXISTS", kKey}), "1");
}

TEST_F(RedisCacheTest, WithoutMemoryForWritesItStillReads) {
  Put(*cache_, 1, "one");
  redis_.Command({"CONFIG", "SET", "maxmemory", "1"});
  for (int i = 2; i < 10; ++i) Put(*cache_, i, "more");
  EXPECT_EQ(Get(*cache_), "1:one");
  EXPECT_EQ(cache_->breaker_state(), CircuitBreaker::State::kClosed);
}

TEST_F(RedisCacheTest, ASealingKeyOfTheWrongLengthIsRefused) {
  options_.sealing_key = "short";
  EXPECT_TRUE(absl::IsInvalidArgument(
      RedisCache::Create(options_, absl::Now, &counters_).status()));
}

// Connections whose replies the test writes.
class ScriptedRedisTest : public ::testing::Test {
 protected:
  class Connection final : public RedisConnection {
   public:
    explicit Connection(ScriptedRedisTest* test) : test_(*test) {}
    ~Connection() override { ++test_.closed_; }

    absl::StatusOr<RedisReply> Execute(
        absl::Span<const std::string_view> command) override {
      EXPECT_TRUE(usable_) << "a poisoned connection was used again";
      test_.sent_.push_back(std::string(command[0]));
      if (test_.during_) test_.during_();
      if (test_.replies_.empty()) return RedisReply{};
      auto reply = std::move(test_.replies_.front());
      test_.replies_.pop_front();
      if (reply.status().message() == "poisoned") usable_ = false;
      return reply;
    }
    bool usable() const override { return usable_; }

   private:
    ScriptedRedisTest& test_;
    bool usable_ = true;
  };

  ScriptedRedisTest() {
    options_.sealing_key = std::string(32, 'k');
    options_.breaker = {.failures_to_trip = 3,
                        .min_open = absl::Seconds(1),
                        .max_open = absl::Seconds(5)};
  }
  void Make() {
    auto cache = RedisCache::Create(
        options_,
        [this]() -> absl::StatusOr<std::unique_ptr<RedisConnection>> {
          ++connects_;
          if (refuse_) return absl::UnavailableError("refused");
          return std::make_unique<Connection>(this);
        },
        [this] { return now_; }, &counters_);
    ASSERT_TRUE(cache.ok());
    cache_ = *std::move(cache);
  }
  static RedisReply Integer(int64_t value) {
    return {RedisReply::Kind::kInteger, "", value};
  }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  RedisCacheOptions options_;
  CacheCounters counters_;
  bool refuse_ = false;
  int connects_ = 0;
  int closed_ = 0;
  std::deque<absl::StatusOr<RedisReply>> replies_;
  std::vector<std::string> sent_;
  std::function<void()> during_;
  std::unique_ptr<RedisCache> cache_;
};

TEST_F(ScriptedRedisTest, AnOpenBreakerCostsNothingAndAProbeClosesIt) {
  Make();
  refuse_ = true;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(cache_->Get("key").has_value());
  EXPECT_EQ(connects_, 3);
  EXPECT_EQ(counters_.error, 3u);
  EXPECT_EQ(counters_.breaker_open, 7u);
  EXPECT_EQ(cache_->breaker_state(), CircuitBreaker::State::kOpen);
  now_ += absl::Seconds(5);
  cache_->Get("key");
  EXPECT_EQ(connects_, 4);
  cache_->Get("key");
  EXPECT_EQ(connects_, 4);
  now_ += absl::Seconds(5);
  refuse_ = false;
  cache_->Get("key");
  EXPECT_EQ(cache_->breaker_state(), CircuitBreaker::State::kClosed);
}

TEST_F(ScriptedRedisTest, AServerThatIsLoadingTripsTheBreaker) {
  Make();
  for (int i = 0; i < 3; ++i) {
    replies_.push_back(absl::UnavailableError("LOADING"));
    cache_->Get("key");
  }
  EXPECT_EQ(cache_->breaker_state(), CircuitBreaker::State::kOpen);
  EXPECT_EQ(connects_, 1);
}

TEST_F(ScriptedRedisTest, NeverWaitsForAConnection) {
  options_.connections = 1;
  Make();
  bool once = false;
  during_ = [&] {
    if (std::exchange(once, true)) return;
    EXPECT_FALSE(cache_->Get("other").has_value());
    cache_->Invalidate("other", 2);
  };
  cache_->Get("key");
  EXPECT_EQ(connects_, 1);
  EXPECT_EQ(counters_.pool_exhausted, 2u);
  EXPECT_EQ(counters_.invalidation_deferred, 1u);
  EXPECT_EQ(cache_->breaker_state(), CircuitBreaker::State::kClosed);
  // With the connection free again, the tombstone was written.
  EXPECT_EQ(sent_, (std::vector<std::string>{"GET", "EVALSHA"}));
}

TEST_F(ScriptedRedisTest, APoisonedConnectionIsClosedAndSoAreTheIdleOnes) {
  Make();
  int depth = 0;
  during_ = [&] {
    if (depth++ < 2) cache_->Get("nested");
  };
  cache_->Get("key");
  during_ = nullptr;
  EXPECT_EQ(connects_, 3);
  EXPECT_EQ(closed_, 0);
  replies_.push_back(absl::UnavailableError("poisoned"));
  cache_->Get("key");
  EXPECT_EQ(closed_, 3);
  cache_->Get("key");
  EXPECT_EQ(connects_, 4);
}

TEST_F(ScriptedRedisTest, DeferredTombstonesAreWrittenOnceRedisAnswers) {
  Make();
  refuse_ = true;
  cache_->Invalidate("a", 2);
  cache_->Invalidate("b", 2);
  cache_->Invalidate("a", 3);
  EXPECT_EQ(counters_.invalidation_deferred, 3u);
  refuse_ = false;
  now_ += absl::Seconds(5);
  replies_ = {RedisReply{}, Integer(1), Integer(1)};
  cache_->Get("c");
  EXPECT_EQ(sent_, (std::vector<std::string>{"GET", "EVALSHA", "EVALSHA"}));
  cache_->Get("c");
  EXPECT_EQ(sent_.size(), 4u);
}

TEST_F(ScriptedRedisTest, ADeferredTombstoneRefusesOlderFills) {
  Make();
  refuse_ = true;
  cache_->Invalidate("a", 2);
  refuse_ = false;
  cache_->Put("a", 1, 7, "one", now_, absl::Seconds(30));
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(counters_.guard_rejected, 1u);
  replies_ = {Integer(1)};
  cache_->Put("a", 2, 7, "two", now_, absl::Seconds(30));
  EXPECT_EQ(sent_[0], "EVALSHA");
}

TEST_F(ScriptedRedisTest, WithTooManyDeferredItReadsNothingForAWhile) {
  options_.max_deferred = 2;
  options_.breaker.failures_to_trip = 100;
  Make();
  refuse_ = true;
  for (const char* key : {"a", "b", "c"}) cache_->Invalidate(key, 2);
  refuse_ = false;
  EXPECT_FALSE(cache_->Get("c").has_value());
  EXPECT_TRUE(sent_.empty());
  now_ += options_.max_ttl;
  cache_->Get("c");
  EXPECT_FALSE(sent_.empty());
}

}  // namespace
}  // namespace parcours::cache
