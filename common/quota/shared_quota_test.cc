// Several processes' quotas on one Redis, and what becomes of them when it
// goes.

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "common/cache/redis_connection.h"
#include "common/quota/call_quota.h"
#include "common/testing/redis_fixture.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::quota {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kThere[] = "192.0.2.1";

class SharedQuotaTest : public ::testing::Test {
 protected:
  std::unique_ptr<CallQuota> Process(CallQuotaOptions options = {}) {
    options.key = "a key that the processes share";
    const std::string url = redis_.url();
    return std::make_unique<CallQuota>(
        options,
        [url]() -> absl::StatusOr<std::unique_ptr<cache::RedisConnection>> {
          const auto address = cache::ParseRedisUrl(url);
          if (!address.ok()) return address.status();
          return cache::ConnectToRedis(
              {.address = *address,
               .command_timeout = absl::Milliseconds(500)});
        },
        metrics_, [this] { return now_.load(); });
  }

  static int Passed(CallQuota& quota, int tries, std::string_view client,
                    int64_t limit) {
    int passed = 0;
    for (int i = 0; i < tries; ++i) {
      passed += quota.Charge(kThere, client, limit).ok() ? 1 : 0;
    }
    return passed;
  }

  // The breaker of a process that failed lets a probe pass after a time that
  // real time counts.
  static bool ReconciledInTime(CallQuota& quota) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (absl::Now() < deadline) {
      (void)quota.Charge(kThere, "wakes the exchange", 1'000'000);
      if (quota.Reconcile()) return true;
      std::this_thread::yield();
    }
    return false;
  }

  testing::RedisFixture redis_;
  telemetry::Metrics metrics_;
  std::atomic<int64_t> now_ = 1'000'000'000'000;
};

TEST_F(SharedQuotaTest, TwoProcessesShareOneLimit) {
  const auto one = Process();
  const auto two = Process();
  EXPECT_EQ(Passed(*one, 40, "partner", 60), 40);
  ASSERT_TRUE(one->Reconcile());
  EXPECT_EQ(Passed(*two, 1, "partner", 60), 1);
  ASSERT_TRUE(two->Reconcile());
  // Redis's own clock gives back one call a second.
  const int rest = Passed(*two, 60, "partner", 60);
  EXPECT_GE(rest, 19);
  EXPECT_LE(rest, 21);
  ASSERT_TRUE(two->Reconcile());
  EXPECT_EQ(Passed(*one, 1, "other", 60), 1);
}

TEST_F(SharedQuotaTest, WhatIsLetPassTooMuchIsBoundedAndPaidFor) {
  const auto one = Process();
  const auto two = Process();
  // Within one period neither knows of the other: one bucket each.
  EXPECT_EQ(Passed(*one, 100, "partner", 60), 60);
  EXPECT_EQ(Passed(*two, 100, "partner", 60), 60);
  ASSERT_TRUE(one->Reconcile());
  ASSERT_TRUE(two->Reconcile());
  EXPECT_EQ(Passed(*two, 10, "partner", 60), 0);
  // Two minutes' worth were taken: after half a minute still nothing is free,
  // where one process alone would have had thirty calls.
  now_ += absl::ToInt64Nanoseconds(absl::Seconds(30));
  EXPECT_EQ(Passed(*two, 10, "partner", 60), 0);
  now_ += absl::ToInt64Nanoseconds(absl::Seconds(36));
  const int passed = Passed(*two, 60, "partner", 60);
  EXPECT_GE(passed, 1);
  EXPECT_LE(passed, 7);
}

TEST_F(SharedQuotaTest, AWholeTableIsExchanged) {
  const CallQuotaOptions options = {.address_calls_per_minute = 0,
                                    .client_calls_per_minute = 10};
  const auto one = Process(options);
  const auto two = Process(options);
  constexpr int kClients = 1000;
  for (int i = 0; i < kClients; ++i) {
    EXPECT_EQ(Passed(*one, 20, "client " + std::to_string(i), 0), 10);
  }
  ASSERT_TRUE(one->Reconcile());
  for (int i = 0; i < kClients; ++i) {
    EXPECT_EQ(Passed(*two, 1, "client " + std::to_string(i), 0), 1);
  }
  ASSERT_TRUE(two->Reconcile());
  for (int i = 0; i < kClients; ++i) {
    EXPECT_EQ(Passed(*two, 2, "client " + std::to_string(i), 0), 0) << i;
  }
}

TEST_F(SharedQuotaTest, WithRedisAwayEachProcessLimitsAlone) {
  const auto one = Process();
  const auto two = Process();
  redis_.Stop();
  EXPECT_EQ(Passed(*one, 100, "partner", 60), 60);
  EXPECT_FALSE(one->Reconcile());
  EXPECT_EQ(Passed(*one, 10, "partner", 60), 0);
  EXPECT_EQ(Passed(*two, 100, "partner", 60), 60);
  EXPECT_FALSE(two->Reconcile());

  // Back, and empty: each says what it knows, and nothing is counted twice.
  redis_.Start();
  ASSERT_TRUE(ReconciledInTime(*one));
  now_ += absl::ToInt64Nanoseconds(absl::Seconds(10));
  EXPECT_EQ(Passed(*one, 20, "partner", 60), 10);
  ASSERT_TRUE(one->Reconcile());
  ASSERT_TRUE(ReconciledInTime(*two));
  EXPECT_EQ(Passed(*two, 1, "partner", 60), 1);
  ASSERT_TRUE(two->Reconcile());
  EXPECT_EQ(Passed(*two, 1, "partner", 60), 0) << "known from the other again";
}

TEST_F(SharedQuotaTest, AStalledRedisDelaysNoCall) {
  const auto quota = Process({.address_calls_per_minute = 0});
  quota->Start();
  EXPECT_EQ(Passed(*quota, 1, "partner", 1'000'000), 1);
  redis_.Pause();
  const absl::Time start = absl::Now();
  EXPECT_EQ(Passed(*quota, 10'000, "partner", 1'000'000), 10'000);
  // A command would wait for half a second.
  EXPECT_LT(absl::Now() - start, absl::Milliseconds(400));
  redis_.Resume();
}

TEST_F(SharedQuotaTest, WhatSomebodyElseWroteIsNotBelievedForLong) {
  const auto quota = Process();
  for (const char* forged : {"nan", "inf", "1e300", "-5", "", "text", "0x10"}) {
    const std::string client = std::string("client of ") + forged;
    ASSERT_EQ(Passed(*quota, 1, client, 60), 1);
    ASSERT_TRUE(quota->Reconcile());
    const std::string key = redis_.Command({"RANDOMKEY"});
    redis_.Command({"SET", key, forged});
    ASSERT_EQ(Passed(*quota, 1, client, 60), 1) << forged;
    ASSERT_TRUE(quota->Reconcile()) << forged;
    EXPECT_THAT(redis_.Command({"PTTL", key}), Not("-1")) << forged;
    // Two minutes' worth at most: one until a call fits again.
    now_ += absl::ToInt64Nanoseconds(absl::Seconds(61));
    EXPECT_EQ(Passed(*quota, 1, client, 60), 1) << forged;
    redis_.Flush();
    ASSERT_TRUE(quota->Reconcile());
    redis_.Flush();
  }
}

TEST_F(SharedQuotaTest, AKeyOfAnotherTypeGivesWay) {
  const auto quota = Process();
  ASSERT_EQ(Passed(*quota, 1, "partner", 60), 1);
  ASSERT_TRUE(quota->Reconcile());
  const std::string key = redis_.Command({"RANDOMKEY"});
  redis_.Command({"DEL", key});
  redis_.Command({"LPUSH", key, "x"});
  ASSERT_EQ(Passed(*quota, 1, "partner", 60), 1);
  ASSERT_TRUE(quota->Reconcile());
  EXPECT_EQ(redis_.Command({"TYPE", key}), "string");
}

TEST_F(SharedQuotaTest, RedisSeesNeitherAddressNorClientAndForgetsBoth) {
  const auto quota = Process();
  ASSERT_EQ(Passed(*quota, 3, "partner", 60), 3);
  ASSERT_TRUE(quota->Reconcile());
  EXPECT_EQ(redis_.Command({"DBSIZE"}), "2");
  for (int i = 0; i < 20; ++i) {
    const std::string key = redis_.Command({"RANDOMKEY"});
    EXPECT_THAT(key, Not(HasSubstr("partner")));
    EXPECT_THAT(key, Not(HasSubstr("192")));
    EXPECT_GT(std::stoll(redis_.Command({"PTTL", key})), 0);
    EXPECT_LE(std::stoll(redis_.Command({"PTTL", key})), 120'001);
  }
}

TEST_F(SharedQuotaTest, TheThreadExchangesByItself) {
  const auto one = Process({.period = absl::Milliseconds(1)});
  one->Start();
  EXPECT_EQ(Passed(*one, 1, "partner", 60), 1);
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (redis_.Command({"DBSIZE"}) != "2" && absl::Now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(redis_.Command({"DBSIZE"}), "2");
  EXPECT_THAT(metrics_.Text(),
              HasSubstr("parcours_quota_exchanges_total{outcome=\"done\"}"));
}

}  // namespace
}  // namespace parcours::quota
