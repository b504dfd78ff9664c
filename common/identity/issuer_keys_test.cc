#include "common/identity/issuer_keys.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/identity/key_refresher.h"
#include "common/identity/testdata/http_server.h"
#include "common/identity/token_signer.h"
#include "common/testing/silent_server.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::identity {
namespace {

using ::testing::ElementsAre;

// What the next reading finds; nothing means "as before".
class ScriptedSource final : public KeySource {
 public:
  absl::StatusOr<std::optional<std::string>> Read(bool anew) override {
    ++readings;
    last_anew = anew;
    return next;
  }
  absl::StatusOr<std::optional<std::string>> next;
  int readings = 0;
  bool last_anew = false;
};

const SigningKey& Key() {
  static const SigningKey& key =
      *new SigningKey(SigningKey::Generate().value());
  return key;
}

class IssuerKeysTest : public ::testing::Test {
 protected:
  IssuerKeysTest() {
    auto source = std::make_unique<ScriptedSource>();
    source_ = source.get();
    source_->next = Key().PublicKeySet();
    keys_ = std::make_unique<IssuerKeys>(
        "first", std::move(source), RefreshPolicy(), [this] { return chance_; },
        metrics_);
  }

  // The pause until the next reading, which is made.
  absl::Duration Step() {
    const absl::Time before = now_;
    now_ = std::max(now_, keys_->next_reading());
    keys_->ReadIfDue(now_).IgnoreError();
    return now_ - before;
  }

  double chance_ = 0;
  absl::Time now_ = absl::FromUnixSeconds(1'790'000'000);
  telemetry::Metrics metrics_;
  ScriptedSource* source_;
  std::unique_ptr<IssuerKeys> keys_;
};

TEST_F(IssuerKeysTest, HaveNoKeysBeforeTheyAreRead) {
  EXPECT_EQ(keys_->At(now_), nullptr);
  ASSERT_OK(keys_->ReadIfDue(now_));
  ASSERT_NE(keys_->At(now_), nullptr);
  EXPECT_NE(keys_->At(now_)->Find(Key().kid()), nullptr);
}

TEST_F(IssuerKeysTest, AreReadAtTheInterval) {
  ASSERT_OK(keys_->ReadIfDue(now_));
  ASSERT_OK(keys_->ReadIfDue(now_ + absl::Minutes(5) - absl::Nanoseconds(1)));
  EXPECT_EQ(source_->readings, 1);
  EXPECT_EQ(Step(), absl::Minutes(5));
  EXPECT_EQ(source_->readings, 2);
  // A little earlier by chance, never later.
  chance_ = 0.5;
  Step();
  EXPECT_EQ(Step(), absl::Minutes(5) * 0.95);
}

TEST_F(IssuerKeysTest, BackOffDoublesToALimit) {
  source_->next = absl::UnavailableError("away");
  Step();
  std::vector<absl::Duration> pauses;
  for (int i = 0; i < 11; ++i) pauses.push_back(Step());
  EXPECT_THAT(
      pauses,
      ElementsAre(absl::Seconds(1), absl::Seconds(2), absl::Seconds(4),
                  absl::Seconds(8), absl::Seconds(16), absl::Seconds(32),
                  absl::Seconds(64), absl::Seconds(128), absl::Seconds(256),
                  absl::Minutes(5), absl::Minutes(5)));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Step(), absl::Minutes(5));
  // Success ends it.
  source_->next = Key().PublicKeySet();
  Step();
  EXPECT_EQ(Step(), absl::Minutes(5));
  source_->next = absl::UnavailableError("away");
  Step();
  EXPECT_EQ(Step(), absl::Seconds(1));
}

TEST_F(IssuerKeysTest, BackOffIsShortenedByChance) {
  source_->next = absl::UnavailableError("away");
  chance_ = 0.5;
  Step();
  EXPECT_EQ(Step(), absl::Milliseconds(750));
  chance_ = 0.999;
  Step();
  const absl::Duration pause = Step();
  EXPECT_GE(pause, absl::Seconds(2));
  EXPECT_LT(pause, absl::Seconds(2.1));
}

TEST_F(IssuerKeysTest, ABrokenSetIsAFailureAndReadAnew) {
  ASSERT_OK(keys_->ReadIfDue(now_));
  source_->next = "{}";
  Step();
  EXPECT_NE(keys_->At(now_), nullptr);
  // Else a file that did not change again would seem to be the good one.
  source_->next = std::nullopt;
  EXPECT_EQ(Step(), absl::Seconds(1));
  EXPECT_TRUE(source_->last_anew);
}

TEST_F(IssuerKeysTest, ASetThatDidNotChangeStaysFresh) {
  ASSERT_OK(keys_->ReadIfDue(now_));
  source_->next = std::nullopt;
  for (int i = 0; i < 1000; ++i) Step();
  EXPECT_NE(keys_->At(now_), nullptr);
  EXPECT_FALSE(source_->last_anew);
}

TEST_F(IssuerKeysTest, TheLastGoodSetIsClosedAtItsAge) {
  ASSERT_OK(keys_->ReadIfDue(now_));
  const absl::Time read = now_;
  source_->next = absl::UnavailableError("away");
  while (now_ < read + absl::Hours(23)) Step();
  EXPECT_NE(keys_->At(read + absl::Hours(24)), nullptr);
  EXPECT_EQ(keys_->At(read + absl::Hours(24) + absl::Nanoseconds(1)), nullptr);
  // It opens again.
  source_->next = Key().PublicKeySet();
  Step();
  EXPECT_NE(keys_->At(now_), nullptr);
}

TEST_F(IssuerKeysTest, AMissBringsTheReadingForwardOnce) {
  ASSERT_OK(keys_->ReadIfDue(now_));
  EXPECT_FALSE(keys_->MissedAt(now_));
  EXPECT_EQ(keys_->next_reading(), now_ + absl::Seconds(10));
  EXPECT_TRUE(keys_->MissedAt(now_ + absl::Seconds(11)));
  EXPECT_EQ(keys_->next_reading(), now_ + absl::Seconds(10));
  // A source that fails is left to its pauses.
  source_->next = absl::UnavailableError("away");
  for (int i = 0; i < 8; ++i) Step();
  const absl::Time next = keys_->next_reading();
  EXPECT_FALSE(keys_->MissedAt(now_));
  EXPECT_EQ(keys_->next_reading(), next);
}

// Whether it becomes so within a minute.
template <typename Condition>
bool Becomes(Condition condition) {
  const absl::Time limit = absl::Now() + absl::Minutes(1);
  while (!condition()) {
    if (absl::Now() > limit) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

TEST(KeyRefresher, FollowsAServerThatGoesAndRotates) {
  const SigningKey next = SigningKey::Generate().value();
  std::mutex mutex;
  std::string response = "HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n";
  HttpServer server([&](const std::string&) {
    const std::lock_guard lock(mutex);
    return response;
  });
  const auto serve = [&](std::string text) {
    const std::lock_guard lock(mutex);
    response = std::move(text);
  };
  telemetry::Metrics metrics;
  IssuerKeys keys(
      "first",
      std::make_unique<UrlKeySource>(
          UrlKeySourceOptions{.url = server.Url("/keys")}),
      {.interval = absl::Milliseconds(5),
       .unknown_key_interval = absl::Milliseconds(5),
       .first_pause = absl::Milliseconds(5),
       .longest_pause = absl::Milliseconds(20)},
      [] { return 0.5; }, metrics);
  const KeyRefresher refresher({&keys}, absl::Now);
  const auto has = [&keys](const SigningKey& key) {
    const auto set = keys.At(absl::Now());
    return set != nullptr && set->Find(key.kid()) != nullptr;
  };
  EXPECT_TRUE(Becomes([&] { return server.requests() > 3; }));
  EXPECT_EQ(keys.At(absl::Now()), nullptr);
  serve(HttpServer::Ok(Key().PublicKeySet()));
  EXPECT_TRUE(Becomes([&] { return has(Key()); }));
  serve("HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n");
  const int before = server.requests();
  EXPECT_TRUE(Becomes([&] { return server.requests() > before + 3; }));
  EXPECT_TRUE(has(Key()));
  serve(HttpServer::Ok(next.PublicKeySet()));
  EXPECT_TRUE(Becomes([&] { return has(next); }));
  EXPECT_FALSE(has(Key()));
}

TEST(KeyRefresher, IsWokenBeforeItsTime) {
  std::atomic<int> readings = 0;
  HttpServer server([&readings](const std::string&) {
    ++readings;
    return HttpServer::Ok(Key().PublicKeySet());
  });
  telemetry::Metrics metrics;
  IssuerKeys keys(
      "first",
      std::make_unique<UrlKeySource>(
          UrlKeySourceOptions{.url = server.Url("/keys")}),
      {.interval = absl::Hours(1),
       .unknown_key_interval = absl::ZeroDuration()},
      [] { return 0.0; }, metrics);
  KeyRefresher refresher({&keys}, absl::Now);
  EXPECT_TRUE(Becomes([&] { return keys.At(absl::Now()) != nullptr; }));
  EXPECT_EQ(readings, 1);
  EXPECT_TRUE(Becomes([&] { return keys.MissedAt(absl::Now()); }));
  refresher.Wake();
  EXPECT_TRUE(Becomes([&] { return readings > 1; }));
}

TEST(KeyRefresher, EndsInTheMiddleOfAReading) {
  const testing::SilentServer silent;
  telemetry::Metrics metrics;
  IssuerKeys keys(
      "first",
      std::make_unique<UrlKeySource>(UrlKeySourceOptions{
          .url = Cat("http://127.0.0.1:", silent.port(), "/"),
          .timeout = absl::Minutes(5)}),
      RefreshPolicy(), [] { return 0.0; }, metrics);
  const absl::Time before = absl::Now();
  { const KeyRefresher refresher({&keys}, absl::Now); }
  EXPECT_LT(absl::Now() - before, absl::Seconds(30));
}

}  // namespace
}  // namespace parcours::identity
