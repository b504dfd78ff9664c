#ifndef PARCOURS_COMMON_RPC_WORKER_POOL_H_
#define PARCOURS_COMMON_RPC_WORKER_POOL_H_

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "common/telemetry/metrics.h"

namespace parcours::rpc {

// Work of one class waits in a queue of its own, so that a flood of one does
// not refuse the others.
enum class WorkClass { kRead, kWrite, kSubmission };
inline constexpr std::size_t kWorkClasses = 3;

// A piece of work. Run is called once, on a worker.
class WorkItem {
 public:
  virtual ~WorkItem() = default;
  virtual void Run() = 0;
};

// A fixed number of threads for what may block. Each class is served in order
// of arrival, and the classes in turn. Of the work with one key, which mostly
// waits for the same row, only so much runs at a time that threads remain for
// the rest; what waits for its key holds no thread and keeps its order of
// arrival. Thread-safe.
class WorkerPool {
 public:
  struct Options {
    // By measurement: 2 threads carry 49-55 thousand calls/s on 2 cores, 8
    // carry 31-38.
    int threads = 2;
    // Most items waiting, by class: reads, writes, submissions. The last is
    // large because refusing a submission reorders arrivals.
    std::array<std::size_t, kWorkClasses> queue_limits = {256, 256, 20'000};
    // Most items of one key that run at a time; 0: half of the threads, and at
    // least one.
    int per_key = 0;
  };

  // Depths of queues are shown as parcours_queue_depth{class}.
  WorkerPool(const Options& options, telemetry::Metrics& metrics);

  // Runs what is queued, then joins the threads.
  ~WorkerPool();

  // Takes `item`, or leaves it and returns false when the queue of its class
  // is full or the pool is stopping. An empty key is none.
  bool TryAdd(WorkClass work_class, std::unique_ptr<WorkItem>& item,
              std::string key = "");

  // Takes `item` whatever the length of the queue: for the continuation of
  // what was admitted before.
  void Add(WorkClass work_class, std::unique_ptr<WorkItem> item);

  // Items that wait, for a thread or for their key.
  std::size_t depth(WorkClass work_class) const;

 private:
  struct Waiting {
    std::unique_ptr<WorkItem> item;
    WorkClass work_class = WorkClass::kRead;
    std::string key;
    // Whether it is counted among what runs of its key already.
    bool granted = false;
  };
  struct Queue {
    std::deque<Waiting> items;
    // Those of `items` and those that wait for their key.
    std::size_t waiting = 0;
    std::size_t limit = 0;
    std::optional<telemetry::Gauge> depth;
  };
  // What runs of one key, and what waits for it, in order of arrival: all of it
  // arrived before what stands in a queue.
  struct Key {
    int running = 0;
    std::deque<Waiting> waiting;
  };

  void Work();
  // REQUIRES, for these: mutex_ is held.
  void Push(WorkClass work_class, std::unique_ptr<WorkItem> item,
            std::string key);
  bool HasWork() const;
  // The next item whose key is not at its limit; none when all are.
  std::optional<Waiting> Next();
  // An item of `key` has run: the next one may.
  void Finish(const std::string& key);
  void CountWaiting(Queue& queue, int change);

  const int per_key_;
  // Not Abseil's: the thread sanitizer does not see the locks of a library that
  // is not instrumented.
  mutable std::mutex mutex_;  // guards queues_, keys_, turn_ and stopping_
  std::condition_variable work_added_;
  std::array<Queue, kWorkClasses> queues_;
  std::unordered_map<std::string, Key> keys_;
  std::size_t turn_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_WORKER_POOL_H_
