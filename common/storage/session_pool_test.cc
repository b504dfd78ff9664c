#include "common/storage/session_pool.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace parcours::storage {
namespace {

class FakeSession final : public Session {
 public:
  Engine engine() const override { return Engine::kSqlite; }
  absl::StatusOr<std::vector<Result>> Run(absl::Span<const Statement>,
                                          absl::Time) override {
    return std::vector<Result>();
  }
  absl::Status RunScript(std::string_view) override { return absl::OkStatus(); }
  bool usable() const override { return usable_; }
  bool in_transaction() const override { return in_transaction_; }

  bool usable_ = true;
  bool in_transaction_ = false;
};

class SessionPoolTest : public ::testing::Test {
 protected:
  SessionPool::Factory Opens() {
    return [this](absl::Time) -> absl::StatusOr<std::unique_ptr<Session>> {
      ++opened_;
      return std::make_unique<FakeSession>();
    };
  }
  static absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

  std::atomic<int> opened_ = 0;
};

TEST_F(SessionPoolTest, OpensSessionsWhenNeededAndKeepsThem) {
  SessionPool pool(4, 10, Opens());
  EXPECT_EQ(opened_, 0);
  { ASSERT_OK(pool.Acquire(Soon())); }
  { ASSERT_OK(pool.Acquire(Soon())); }
  EXPECT_EQ(opened_, 1);
}

TEST_F(SessionPoolTest, ThrowsAwayWhatIsLostOrStillInATransaction) {
  SessionPool pool(1, 10, Opens());
  {
    auto lease = pool.Acquire(Soon());
    ASSERT_OK(lease);
    static_cast<FakeSession&>(**lease).usable_ = false;
  }
  {
    auto lease = pool.Acquire(Soon());
    ASSERT_OK(lease);
    static_cast<FakeSession&>(**lease).in_transaction_ = true;
  }
  { ASSERT_OK(pool.Acquire(Soon())); }
  EXPECT_EQ(opened_, 3);
}

TEST_F(SessionPoolTest, ServesThoseWhoWaitInTheOrderTheyCame) {
  SessionPool pool(1, 100, Opens());
  std::mutex mutex;
  std::vector<int> served;
  std::vector<std::thread> threads;
  {
    auto lease = pool.Acquire(Soon());
    ASSERT_OK(lease);
    for (int i = 0; i < 20; ++i) {
      threads.emplace_back([&, i] {
        auto mine = pool.Acquire(Soon());
        EXPECT_OK(mine);
        const std::lock_guard lock(mutex);
        served.push_back(i);
      });
      while (pool.waiting() <= i) std::this_thread::yield();
    }
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<int> expected;
  for (int i = 0; i < 20; ++i) expected.push_back(i);
  EXPECT_EQ(served, expected);
}

TEST_F(SessionPoolTest, OneWhoGivesUpLeavesTheQueueInOrder) {
  SessionPool pool(1, 100, Opens());
  std::thread patient;
  {
    auto lease = pool.Acquire(Soon());
    ASSERT_OK(lease);
    EXPECT_THAT(pool.Acquire(absl::Now() + absl::Milliseconds(20)),
                StatusIs(absl::StatusCode::kDeadlineExceeded));
    EXPECT_EQ(pool.waiting(), 0);
    patient = std::thread([&] { EXPECT_OK(pool.Acquire(Soon())); });
    while (pool.waiting() == 0) std::this_thread::yield();
  }
  patient.join();
  EXPECT_OK(pool.Acquire(Soon()));
}

TEST_F(SessionPoolTest, RefusesOneMoreThanMayWait) {
  SessionPool pool(1, 1, Opens());
  std::thread waiting;
  {
    auto lease = pool.Acquire(Soon());
    ASSERT_OK(lease);
    waiting = std::thread([&] { EXPECT_OK(pool.Acquire(Soon())); });
    while (pool.waiting() == 0) std::this_thread::yield();
    EXPECT_THAT(pool.Acquire(Soon()),
                StatusIs(absl::StatusCode::kResourceExhausted));
  }
  waiting.join();
}

TEST_F(SessionPoolTest, AFailureToOpenGivesThePlaceToTheNext) {
  bool fails = true;
  SessionPool pool(1, 10,
                   [&](absl::Time) -> absl::StatusOr<std::unique_ptr<Session>> {
                     if (fails) return absl::UnavailableError("away");
                     return std::make_unique<FakeSession>();
                   });
  EXPECT_THAT(pool.Acquire(Soon()), StatusIs(absl::StatusCode::kUnavailable));
  fails = false;
  EXPECT_OK(pool.Acquire(Soon()));
}

TEST_F(SessionPoolTest, NeverHasMoreSessionsOutThanItsCapacity) {
  SessionPool pool(3, 1000, Opens());
  std::atomic<int> out = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) {
        auto lease = pool.Acquire(Soon());
        EXPECT_OK(lease);
        EXPECT_LE(++out, 3);
        std::this_thread::yield();
        --out;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(opened_, 3);
}

}  // namespace
}  // namespace parcours::storage
