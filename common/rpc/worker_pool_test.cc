#include "common/rpc/worker_pool.h"

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
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
