#include "common/rpc/worker_pool.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/rpc/testdata/gate.h"
#include "common/telemetry/metrics.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::rpc {
namespace {

class Item final : public WorkItem {
 public:
  explicit Item(std::function<void()> run) : run_(std::move(run)) {}
  void Run() override { run_(); }

 private:
  std::function<void()> run_;
};

TEST(WorkerPoolTest, TakesClassesInTurnAndEachInOrder) {
  telemetry::Metrics metrics;
  std::vector<std::string> order;
  Gate gate;
  const auto note = [&](const std::string& name) {
    return std::make_unique<Item>([&order, name] { order.push_back(name); });
  };
  {
    WorkerPool pool({.threads = 1, .queue_limits = {2, 2, 2}}, metrics);
    pool.Add(WorkClass::kSubmission,
             std::make_unique<Item>([&gate] { gate.Pass(); }));
    gate.AwaitWaiting(1);
    for (const char* name : {"r1", "r2"}) {
      std::unique_ptr<WorkItem> item = note(name);
      EXPECT_TRUE(pool.TryAdd(WorkClass::kRead, item));
    }
    for (const char* name : {"s1", "s2"}) {
      std::unique_ptr<WorkItem> item = note(name);
      EXPECT_TRUE(pool.TryAdd(WorkClass::kSubmission, item));
    }
    std::unique_ptr<WorkItem> refused = note("s3");
    EXPECT_FALSE(pool.TryAdd(WorkClass::kSubmission, refused));
    EXPECT_NE(refused, nullptr) << "what is refused stays the caller's";
    EXPECT_EQ(pool.depth(WorkClass::kSubmission), 2U);
    gate.Open();
  }
  EXPECT_THAT(order, ::testing::ElementsAre("r1", "s1", "r2", "s2"));
}

TEST(WorkerPoolTest, RunsOnceWhatManyThreadsAdd) {
  constexpr int kThreads = 4;
  constexpr int kItems = 500;
  telemetry::Metrics metrics;
  std::vector<int> runs(kThreads * kItems);
  {
    WorkerPool pool({.threads = 2}, metrics);
    std::vector<std::thread> adders;
    for (int i = 0; i < kThreads; ++i) {
      adders.emplace_back([&, i] {
        for (int j = 0; j < kItems; ++j) {
          int& count = runs[static_cast<std::size_t>(i * kItems + j)];
          pool.Add(static_cast<WorkClass>(j % 3),
                   std::make_unique<Item>([&count] { ++count; }));
        }
      });
    }
    for (std::thread& adder : adders) adder.join();
  }
  EXPECT_THAT(runs, ::testing::Each(1));
}

// An item that notes its name and then waits at a gate.
class KeyedPool {
 public:
  explicit KeyedPool(const WorkerPool::Options& options)
      : pool_(std::make_unique<WorkerPool>(options, metrics_)) {}
  ~KeyedPool() {
    gate_.Open();
    pool_.reset();
  }

  bool Add(WorkClass work_class, const std::string& key,
           const std::string& name) {
    std::unique_ptr<WorkItem> item = std::make_unique<Item>([this, key, name] {
      Note(name);
      if (!key.empty()) gate_.Pass();
    });
    return pool_->TryAdd(work_class, item, key);
  }
  std::vector<std::string> begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  // Returns once so many have begun.
  void AwaitBegun(std::size_t count) {
    std::unique_lock lock(mutex_);
    noted_.wait(lock, [&] { return begun_.size() >= count; });
  }
  Gate& gate() { return gate_; }
  WorkerPool& pool() { return *pool_; }

 private:
  void Note(const std::string& name) {
    const std::lock_guard lock(mutex_);
    begun_.push_back(name);
    noted_.notify_all();
  }

  telemetry::Metrics metrics_;
  Gate gate_;
  std::mutex mutex_;
  std::condition_variable noted_;
  std::vector<std::string> begun_;
  std::unique_ptr<WorkerPool> pool_;
};

TEST(WorkerPoolTest, WhatWaitsForOneKeyHoldsAtMostHalfOfTheThreads) {
  KeyedPool keyed({.threads = 4});
  for (int i = 1; i <= 20; ++i) {
    ASSERT_TRUE(keyed.Add(WorkClass::kSubmission, "hot", std::to_string(i)));
  }
  keyed.gate().AwaitWaiting(2);
  // Both others are free for reads, writes without a key, and other keys.
  ASSERT_TRUE(keyed.Add(WorkClass::kRead, "", "read"));
  ASSERT_TRUE(keyed.Add(WorkClass::kWrite, "", "write"));
  ASSERT_TRUE(keyed.Add(WorkClass::kSubmission, "other", "other"));
  keyed.AwaitBegun(5);
  EXPECT_EQ(keyed.pool().depth(WorkClass::kSubmission), 18U);
  EXPECT_THAT(keyed.begun(), ::testing::UnorderedElementsAre("1", "2", "read",
                                                             "write", "other"));
}

TEST(WorkerPoolTest, WhatWaitsForAKeyKeepsItsOrderOfArrival) {
  std::vector<std::string> expected;
  std::vector<std::string> begun;
  {
    // One at a time, so that the order in which they begin can be seen.
    KeyedPool keyed({.threads = 3, .per_key = 1});
    for (int i = 1; i <= 50; ++i) {
      expected.push_back(std::to_string(i));
      ASSERT_TRUE(keyed.Add(WorkClass::kSubmission, "hot", expected.back()));
      if (i == 10) keyed.gate().AwaitWaiting(1);
      // Others push those of the key out of their queue.
      ASSERT_TRUE(keyed.Add(WorkClass::kRead, "", "r"));
    }
    keyed.gate().Open();
    keyed.AwaitBegun(100);
    begun = keyed.begun();
  }
  std::erase(begun, "r");
  EXPECT_EQ(begun, expected);
}

TEST(WorkerPoolTest, WhatWaitsForAKeyCountsInItsQueueAndIsRunAtTheEnd) {
  std::vector<std::string> begun;
  {
    KeyedPool keyed({.threads = 2, .queue_limits = {2, 2, 3}});
    ASSERT_TRUE(keyed.Add(WorkClass::kSubmission, "hot", "1"));
    keyed.gate().AwaitWaiting(1);
    for (const char* name : {"2", "3", "4"}) {
      ASSERT_TRUE(keyed.Add(WorkClass::kSubmission, "hot", name));
    }
    // The other thread has looked at them when it has run this.
    ASSERT_TRUE(keyed.Add(WorkClass::kRead, "", "read"));
    keyed.AwaitBegun(2);
    EXPECT_FALSE(keyed.Add(WorkClass::kSubmission, "hot", "5"));
    EXPECT_FALSE(keyed.Add(WorkClass::kSubmission, "other", "5"));
    EXPECT_TRUE(keyed.Add(WorkClass::kWrite, "", "write"));
    std::thread stop([&] { keyed.gate().Open(); });
    stop.join();
    keyed.AwaitBegun(6);
    begun = keyed.begun();
  }
  EXPECT_THAT(begun, ::testing::UnorderedElementsAre("1", "2", "3", "4", "read",
                                                     "write"));
}

TEST(WorkerPoolTest, RunsAllKeysOfManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kItems = 500;
  telemetry::Metrics metrics;
  std::atomic<int> runs = 0;
  std::array<std::atomic<int>, 3> running{};
  std::atomic<int> most = 0;
  {
    WorkerPool pool({.threads = 4}, metrics);
    std::vector<std::thread> adders;
    for (int i = 0; i < kThreads; ++i) {
      adders.emplace_back([&] {
        for (int j = 0; j < kItems; ++j) {
          std::atomic<int>& now = running[static_cast<std::size_t>(j % 3)];
          std::unique_ptr<WorkItem> item = std::make_unique<Item>([&] {
            const int count = ++now;
            int seen = most;
            while (count > seen && !most.compare_exchange_weak(seen, count)) {
            }
            --now;
            ++runs;
          });
          EXPECT_TRUE(
              pool.TryAdd(WorkClass::kSubmission, item, std::to_string(j % 3)));
        }
      });
    }
    for (std::thread& adder : adders) adder.join();
  }
  EXPECT_EQ(runs, kThreads * kItems);
  EXPECT_LE(most, 2);
}

#ifdef __SANITIZE_THREAD__

// The exit code of a program in which the sanitizer has found something.
constexpr int kFound = 66;

// Two items meet and then write one variable. They meet by a relaxed atomic,
// which orders nothing, so that the race is found in every run.
void RunRacingItems() {
  telemetry::Metrics metrics;
  std::atomic<int> arrived = 0;
  int unguarded = 0;
  WorkerPool pool({.threads = 2}, metrics);
  for (int i = 0; i < 2; ++i) {
    pool.Add(WorkClass::kWrite, std::make_unique<Item>([&] {
               arrived.fetch_add(1, std::memory_order_relaxed);
               while (arrived.load(std::memory_order_relaxed) < 2) {
                 std::this_thread::yield();
               }
               ++unguarded;
             }));
  }
}

// That the sanitizer, with the options that its other tests run with, is awake.
TEST(ThreadSanitizerTest, APlantedRaceIsReported) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        RunRacingItems();
        std::exit(0);
      },
      ::testing::ExitedWithCode(kFound), "data race(.|\n)*RunRacingItems");
}

#endif  // __SANITIZE_THREAD__

}  // namespace
}  // namespace parcours::rpc
