#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "common/cache/read_through.h"
#include "common/cache/redis_cache.h"
#include "common/testing/redis_fixture.h"

namespace parcours::cache {
namespace {

struct Record {
  int64_t version = 0;
};

// What one process of a service holds, on a Redis that fails.
class Process {
 public:
  explicit Process(const RedisCacheOptions& options)
      : shared_(*RedisCache::Create(options, absl::Now, &counters_)),
        reads_(
            [] {
              ReadThroughOptions read_options;
              read_options.key_space = {"service", "database", "record", 1};
              // Nearly every read asks Redis.
              read_options.memory_ttl = absl::Microseconds(100);
              return read_options;
            }(),
            shared_.get(),
            [](const Record& record) { return std::to_string(record.version); },
            [](std::string_view bytes) -> std::optional<Record> {
              return Record{std::stoll(std::string(bytes))};
            },
            absl::Now, &counters_) {}

  ReadThrough<Record>& reads() { return reads_; }
  RedisCache& shared() { return *shared_; }
  CacheCounters& counters() { return counters_; }

 private:
  CacheCounters counters_;
  std::unique_ptr<RedisCache> shared_;
  ReadThrough<Record> reads_;
};

class RedisFaultsTest : public ::testing::Test {
 protected:
  RedisFaultsTest() {
    options_.connection.address = *ParseRedisUrl(redis_.url());
    options_.sealing_key = std::string(32, 'k');
    options_.connections = 4;
    options_.breaker = {.failures_to_trip = 3,
                        .min_open = absl::Milliseconds(1),
                        .max_open = absl::Milliseconds(5)};
    here_ = std::make_unique<Process>(options_);
    there_ = std::make_unique<Process>(options_);
  }

  int64_t Read(Process& process, int64_t min_version = 0) {
    const auto found = process.reads().Get(
        "name",
        [this]() -> absl::StatusOr<Record> { return Record{database_}; },
        {.min_version = min_version});
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? (*found)->version : -1;
  }
  void Write(Process& process) {
    process.reads().Invalidate("name", ++database_);
  }
  // Reads until Redis answers with values again.
  void ReadUntilHit(Process& process) {
    const uint64_t before = process.counters().hit;
    while (process.counters().hit == before) {
      ASSERT_EQ(Read(process), database_);
    }
  }

  testing::RedisFixture redis_;
  RedisCacheOptions options_;
  std::atomic<int64_t> database_ = 1;
  std::unique_ptr<Process> here_;
  std::unique_ptr<Process> there_;
};

TEST_F(RedisFaultsTest, KilledEveryReadIsRightAndRestartedItServesAgain) {
  ReadUntilHit(*here_);
  redis_.Stop();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Read(*here_), database_);
    Write(*here_);
    EXPECT_EQ(Read(*here_), database_);
    EXPECT_EQ(Read(*there_, database_), database_);
  }
  EXPECT_GT(here_->counters().breaker_open, 0u);
  redis_.Start();
  ReadUntilHit(*here_);
  ReadUntilHit(*there_);
}

TEST_F(RedisFaultsTest, PausedEveryReadIsRightAndResumedItServesAgain) {
  ReadUntilHit(*here_);
  ReadUntilHit(*there_);
  redis_.Pause();
  for (int i = 0; i < 10; ++i) {
    Write(*here_);
    EXPECT_EQ(Read(*here_), database_);
    EXPECT_EQ(Read(*there_, database_), database_);
  }
  EXPECT_GT(here_->counters().invalidation_deferred, 0u);
  redis_.Resume();
  ReadUntilHit(*here_);
  ReadUntilHit(*there_);
}

TEST_F(RedisFaultsTest, AFillFromThePauseIsNotServedAfterIt) {
  redis_.Pause();
  // Sent, not answered, and executed when Redis runs again.
  EXPECT_EQ(Read(*there_), 1);
  there_->shared().Put("service:database:record:s1:name", 1, 0, "1",
                       absl::Now(), absl::Seconds(30));
  Write(*here_);
  redis_.Resume();
  EXPECT_EQ(Read(*here_), 2);
  ReadUntilHit(*here_);
  Process fresh(options_);
  EXPECT_EQ(Read(fresh), 2);
}

TEST_F(RedisFaultsTest, WipedOrWithoutItsScriptsItServesAgain) {
  // Nothing here may fail for being slow.
  options_.connection.command_timeout = absl::Seconds(10);
  here_ = std::make_unique<Process>(options_);
  there_ = std::make_unique<Process>(options_);
  ReadUntilHit(*here_);
  redis_.Flush();
  ReadUntilHit(*here_);
  redis_.Command({"SCRIPT", "FLUSH"});
  Write(*here_);
  ReadUntilHit(*there_);
  EXPECT_EQ(here_->counters().invalidation_deferred, 0u);
}

TEST_F(RedisFaultsTest, AStartWithoutRedisWorks) {
  redis_.Stop();
  Process fresh(options_);
  EXPECT_EQ(Read(fresh), 1);
  redis_.Start();
  ReadUntilHit(fresh);
}

// Two processes read and write from several threads while Redis is killed,
// restarted, paused, resumed, wiped, robbed of its script and filled with
// garbage. Whoever sends back what it knows never goes backwards; who wrote
// reads its own write; nobody reads what was not committed.
TEST_F(RedisFaultsTest, EveryReadIsRightThroughAllFaults) {
  constexpr size_t kNames = 5;
  std::array<std::atomic<int64_t>, kNames> database = {};
  std::mutex mutex;
  std::condition_variable called;
  int64_t calls = 0;
  std::atomic<bool> done = false;
  std::atomic<int> failed = 0;
  std::atomic<int> backwards = 0;
  std::atomic<int> invented = 0;
  std::atomic<int> own_write_lost = 0;

  std::vector<std::thread> clients;
  for (unsigned seed = 0; seed < 4; ++seed) {
    clients.emplace_back([&, seed] {
      std::mt19937 random(seed);
      // A client that goes from process to process and carries what it knows.
      std::array<int64_t, kNames> known = {};
      while (!done) {
        const size_t n = random() % kNames;
        const std::string name = "name" + std::to_string(n);
        Process& process = random() % 2 == 0 ? *here_ : *there_;
        ReadOptions read;
        int64_t written = 0;
        if (random() % 5 == 0) {
          written = ++database[n];
          process.reads().Invalidate(name, written);
        } else {
          read.min_version = known[n];
        }
        const auto found = process.reads().Get(
            name,
            [&]() -> absl::StatusOr<Record> { return Record{database[n]}; },
            read);
        if (!found.ok()) {
          ++failed;
        } else {
          const int64_t version = (*found)->version;
          if (version < read.min_version) ++backwards;
          if (version < written) ++own_write_lost;
          if (version > database[n]) ++invented;
          known[n] = std::max({known[n], version, written});
        }
        {
          const std::lock_guard lock(mutex);
          ++calls;
        }
        called.notify_one();
      }
    });
  }

  const auto let_run = [&](int64_t more) {
    std::unique_lock lock(mutex);
    const int64_t goal = calls + more;
    called.wait(lock, [&] { return calls >= goal; });
  };
  for (int round = 0; round < 3; ++round) {
    let_run(200);
    redis_.Stop();
    let_run(200);
    redis_.Start();
    let_run(200);
    redis_.Pause();
    let_run(100);
    redis_.Resume();
    let_run(200);
    redis_.Flush();
    let_run(100);
    redis_.Command({"SCRIPT", "FLUSH"});
    for (size_t n = 0; n < kNames; ++n) {
      const std::string key =
          "service:database:record:s1:name" + std::to_string(n);
      redis_.Command({"DEL", key});
      if (n % 2 == 0) {
        redis_.Command({"SET", key, "00000000000000000099vforged"});
      } else {
        redis_.Command({"LPUSH", key, "another type"});
      }
    }
    let_run(100);
    redis_.Pause();
    let_run(50);
    redis_.Stop();
    redis_.Start();
  }
  let_run(200);
  done = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(backwards, 0);
  EXPECT_EQ(invented, 0);
  EXPECT_EQ(own_write_lost, 0);
  EXPECT_GT(here_->counters().hit, 0u);
  EXPECT_GT(here_->counters().error, 0u);
  EXPECT_GT(here_->counters().breaker_open, 0u);
}

}  // namespace
}  // namespace parcours::cache
