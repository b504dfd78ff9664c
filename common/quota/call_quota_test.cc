#include "common/quota/call_quota.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "common/status/error.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

namespace parcours::quota {
namespace {

using ::testing::HasSubstr;

constexpr char kHere[] = "127.0.0.1";
constexpr char kThere[] = "192.0.2.1";

class CallQuotaTest : public ::testing::Test {
 protected:
  std::unique_ptr<CallQuota> Make(CallQuotaOptions options) {
    return std::make_unique<CallQuota>(options, nullptr, metrics_,
                                       [this] { return now_.load(); });
  }

  // How many calls pass, of `tries`.
  static int Passed(CallQuota& quota, int tries, std::string_view address,
                    std::string_view client, int64_t limit = 0) {
    int passed = 0;
    for (int i = 0; i < tries; ++i) {
      passed += quota.Charge(address, client, limit).ok() ? 1 : 0;
    }
    return passed;
  }

  static absl::Duration RetryAfter(const absl::Status& status) {
    google::rpc::RetryInfo retry;
    const auto payload = status.GetPayload(
        absl::string_view(kRetryInfoUrl.data(), kRetryInfoUrl.size()));
    if (!payload || !retry.ParseFromString(std::string(*payload))) return {};
    return absl::Seconds(retry.retry_delay().seconds()) +
           absl::Nanoseconds(retry.retry_delay().nanos());
  }

  void Advance(absl::Duration by) { now_ += absl::ToInt64Nanoseconds(by); }

  telemetry::Metrics metrics_;
  std::atomic<int64_t> now_ = 1'000'000'000'000;
};

TEST_F(CallQuotaTest, AClientHasItsMinuteAndIsToldWhenToComeAgain) {
  const auto quota = Make({});
  EXPECT_EQ(Passed(*quota, 100, kThere, "partner", 60), 60);
  const absl::Status refused = quota->Charge(kThere, "partner", 60);
  EXPECT_THAT(refused, HasReason(Reason::kQuotaExceeded));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(RetryAfter(refused), absl::Seconds(1));
  Advance(absl::Milliseconds(600));
  EXPECT_EQ(RetryAfter(quota->Charge(kThere, "partner", 60)),
            absl::Milliseconds(400));
  Advance(absl::Milliseconds(400));
  EXPECT_OK(quota->Charge(kThere, "partner", 60));
  EXPECT_FALSE(quota->Charge(kThere, "partner", 60).ok());
}

TEST_F(CallQuotaTest, ClientsDoNotShareAndFollowTheirLimit) {
  const auto quota = Make({.client_calls_per_minute = 10});
  EXPECT_EQ(Passed(*quota, 20, kThere, "one"), 10);
  EXPECT_EQ(Passed(*quota, 20, kThere, "two"), 10);
  EXPECT_EQ(Passed(*quota, 40, kThere, "three", 30), 30);
}

TEST_F(CallQuotaTest, AnAddressIsLimitedWhoeverCallsFromIt) {
  const auto quota =
      Make({.address_calls_per_minute = 10, .client_calls_per_minute = 100});
  EXPECT_EQ(Passed(*quota, 4, kThere, ""), 4);
  EXPECT_EQ(Passed(*quota, 20, kThere, "one"), 6);
  EXPECT_EQ(Passed(*quota, 20, "192.0.2.2", "one"), 10);
  EXPECT_EQ(Passed(*quota, 20, "2001:db8::1", ""), 10);
  EXPECT_EQ(Passed(*quota, 20, "2001:db8::2", ""), 0);
}

TEST_F(CallQuotaTest, WhatTheAddressRefusesTheClientDidNotHave) {
  const auto quota =
      Make({.address_calls_per_minute = 5, .client_calls_per_minute = 10});
  EXPECT_EQ(Passed(*quota, 50, kThere, "one"), 5);
  EXPECT_EQ(Passed(*quota, 50, "192.0.2.2", "one"), 5);
  EXPECT_THAT(metrics_.Text(),
              HasSubstr("parcours_quota_refused_total{by=\"address\"} 45"));
  EXPECT_THAT(metrics_.Text(),
              HasSubstr("parcours_quota_refused_total{by=\"client\"} 45"));
}

TEST_F(CallQuotaTest, OnThisMachineOnlyAClientsOwnLimitCounts) {
  const auto quota =
      Make({.address_calls_per_minute = 1, .client_calls_per_minute = 1});
  EXPECT_EQ(Passed(*quota, 1000, kHere, "une"), 1000);
  EXPECT_EQ(Passed(*quota, 1000, "", ""), 1000);
  EXPECT_EQ(Passed(*quota, 1000, kHere, "partner", 20), 20);
}

TEST_F(CallQuotaTest, WhomNothingLimitsIsNotCounted) {
  const auto quota =
      Make({.address_calls_per_minute = 1, .client_calls_per_minute = 1});
  EXPECT_EQ(Passed(*quota, 1000, kThere, "service:enrolment"), 1000);
  EXPECT_EQ(Passed(*quota, 1000, kThere, "somebody", -1), 1000);
  EXPECT_EQ(Passed(*quota, 10, kThere, ""), 1);
}

TEST_F(CallQuotaTest, ThePublicCountsByAddressAlone) {
  const auto quota =
      Make({.address_calls_per_minute = 5, .client_calls_per_minute = 5});
  EXPECT_EQ(Passed(*quota, 20, kThere, "public"), 5);
  EXPECT_EQ(Passed(*quota, 20, "192.0.2.2", "public"), 5);
}

TEST_F(CallQuotaTest, ZeroIsNoLimit) {
  const auto quota =
      Make({.address_calls_per_minute = 0, .client_calls_per_minute = 0});
  EXPECT_EQ(Passed(*quota, 10'000, kThere, "one"), 10'000);
}

TEST_F(CallQuotaTest, NoMinuteHoldsMoreThanTwiceTheLimit) {
  const auto quota = Make({});
  int most = 0;
  for (int start = 0; start < 60; ++start) {
    // Someone who calls without a pause from a different second on.
    const std::string client = "client " + std::to_string(start);
    int passed = 0;
    for (int tick = 0; tick < 600; ++tick) {
      Advance(absl::Milliseconds(100));
      passed += Passed(*quota, 3, kThere, client, 60);
    }
    most = std::max(most, passed);
  }
  EXPECT_GE(most, 60);
  EXPECT_LE(most, 120);
}

TEST_F(CallQuotaTest, AFloodOfAddressesIsCountedInTheSameMemory) {
  const auto quota = Make({.address_calls_per_minute = 10, .max_keys = 1024});
  EXPECT_EQ(Passed(*quota, 20, kThere, ""), 10);
  for (int i = 0; i < 200'000; ++i) {
    const std::string network = "2001:db8:" + std::to_string(i % 10'000) + ":" +
                                std::to_string(i / 10'000) + "::1";
    (void)quota->Charge(network, "", 0);
  }
  EXPECT_EQ(Passed(*quota, 20, kThere, ""), 0) << "the noise hides nobody";
  EXPECT_TRUE(quota->Reconcile());
  EXPECT_THAT(metrics_.Text(), HasSubstr("parcours_quota_evicted "));
}

TEST_F(CallQuotaTest, ManyThreadsTogetherPassNoMoreThanTheLimit) {
  const auto quota = Make({.client_calls_per_minute = 500});
  std::atomic<int> passed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      passed += Passed(*quota, 500, kThere, "one");
      Passed(*quota, 100, kThere, "other " + std::to_string(t));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed, 500);
}

}  // namespace
}  // namespace parcours::quota
