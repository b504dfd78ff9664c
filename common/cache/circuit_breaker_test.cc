#include "common/cache/circuit_breaker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace parcours::cache {
namespace {

using State = CircuitBreaker::State;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  void Fail() {
    auto permit = breaker_.Ask();
    ASSERT_TRUE(permit.has_value());
    permit->Failed();
  }
  void Succeed() {
    auto permit = breaker_.Ask();
    ASSERT_TRUE(permit.has_value());
    permit->Succeeded();
  }
  void Trip() {
    for (int i = 0; i < 3; ++i) Fail();
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  double jitter_ = 0.5;
  CircuitBreaker breaker_{{.failures_to_trip = 3,
                           .min_open = absl::Seconds(1),
                           .max_open = absl::Seconds(5)},
                          [this] { return now_; },
                          [this] { return jitter_; }};
};

TEST_F(CircuitBreakerTest, FailuresInARowOpenIt) {
  Fail();
  Fail();
  EXPECT_EQ(breaker_.state(), State::kClosed);
  Fail();
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_FALSE(breaker_.Ask().has_value());
}

TEST_F(CircuitBreakerTest, ASuccessBetweenFailuresKeepsItClosed) {
  for (int i = 0; i < 10; ++i) {
    Fail();
    Fail();
    Succeed();
  }
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, StaysOpenForATimeWithinItsBounds) {
  for (const double jitter : {0.0, 0.5, 0.999}) {
    jitter_ = jitter;
    Trip();
    const absl::Duration open = absl::Seconds(1) + absl::Seconds(4) * jitter;
    now_ += open - absl::Milliseconds(1);
    EXPECT_FALSE(breaker_.Ask().has_value()) << jitter;
    now_ += absl::Milliseconds(1);
    Succeed();
    EXPECT_EQ(breaker_.state(), State::kClosed);
  }
}

TEST_F(CircuitBreakerTest, HalfOpenLetsOneProbePass) {
  Trip();
  now_ += absl::Seconds(5);
  auto probe = breaker_.Ask();
  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_FALSE(breaker_.Ask().has_value());
  probe->Succeeded();
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, AFailedProbeOpensItAgain) {
  Trip();
  now_ += absl::Seconds(5);
  Fail();
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_FALSE(breaker_.Ask().has_value());
  now_ += absl::Seconds(5);
  Succeed();
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, AProbeWithoutOutcomeLeavesPlaceForAnother) {
  Trip();
  now_ += absl::Seconds(5);
  { auto probe = breaker_.Ask(); }
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  Succeed();
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, ACallWithoutOutcomeNeitherTripsNorResets) {
  Fail();
  Fail();
  { auto permit = breaker_.Ask(); }
  EXPECT_EQ(breaker_.state(), State::kClosed);
  Fail();
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(CircuitBreakerTest, OutcomesOfCallsFromBeforeItOpenedDoNotCount) {
  auto early_success = breaker_.Ask();
  auto early_failure = breaker_.Ask();
  Trip();
  early_success->Succeeded();
  EXPECT_EQ(breaker_.state(), State::kOpen);
  now_ += absl::Seconds(5);
  auto probe = breaker_.Ask();
  early_failure->Failed();
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_FALSE(breaker_.Ask().has_value());
  probe->Succeeded();
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, AClockSetBackDoesNotKeepItOpenBeyondItsBound) {
  Trip();
  now_ -= absl::Hours(24);
  EXPECT_FALSE(breaker_.Ask().has_value());
  now_ += absl::Seconds(5);
  Succeed();
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, OneOfManyThreadsProbes) {
  Trip();
  now_ += absl::Seconds(5);
  std::atomic<int> permits = 0;
  std::vector<std::optional<CircuitBreaker::Permit>> held;
  held.reserve(8);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) held.emplace_back();
  for (size_t i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      if (auto permit = breaker_.Ask()) {
        held[i].emplace(*std::move(permit));
        ++permits;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(permits, 1);
}

}  // namespace
}  // namespace parcours::cache
