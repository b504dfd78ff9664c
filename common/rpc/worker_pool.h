#ifndef PARCOURS_COMMON_RPC_WORKER_POOL_H_
#define PARCOURS_COMMON_RPC_WORKER_POOL_H_

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
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
// of arrival, and the classes in turn. Thread-safe.
class WorkerPool {
 public:
  struct Options {
    // By measurement: 2 threads carry 49-55 thousand calls/s on 2 cores, 8
    // carry 31-38.
    int threads = 2;
    // Most items waiting, by class: reads, writes, submissions. The last is
    // large because refusing a submission reorders arrivals.
    std::array<std::size_t, kWorkClasses> queue_limits = {256, 256, 20'000};
  };

  // Depths of queues are shown as parcours_queue_depth{class}.
  WorkerPool(const Options& options, telemetry::Metrics& metrics);

  // Runs what is queued, then joins the threads.
  ~WorkerPool();

  // Takes `item`, or leaves it and returns false when the queue of its class
  // is full or the pool is stopping.
  bool TryAdd(WorkClass work_class, std::unique_ptr<WorkItem>& item);

  // Takes `item` whatever the length of the queue: for the continuation of
  // what was admitted before.
  void Add(WorkClass work_class, std::unique_ptr<WorkItem> item);

  std::size_t depth(WorkClass work_class) const;

 private:
  struct Queue {
    std::deque<std::unique_ptr<WorkItem>> items;
    std::size_t limit = 0;
    std::optional<telemetry::Gauge> depth;
  };

  void Work();
  // REQUIRES: mutex_ is held, for Next too.
  bool HasWork() const;
  std::unique_ptr<WorkItem> Next();

  // Not Abseil's: the thread sanitizer does not see the locks of a library that
  // is not instrumented.
  mutable std::mutex mutex_;  // guards queues_, turn_ and stopping_
  std::condition_variable work_added_;
  std::array<Queue, kWorkClasses> queues_;
  std::size_t turn_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_WORKER_POOL_H_
