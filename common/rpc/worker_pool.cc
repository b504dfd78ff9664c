#include "common/rpc/worker_pool.h"

#include <string>
#include <utility>

namespace parcours::rpc {
namespace {

constexpr const char* kClassNames[kWorkClasses] = {"read", "write",
                                                   "submission"};

}  // namespace

WorkerPool::WorkerPool(const Options& options, telemetry::Metrics& metrics) {
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < kWorkClasses; ++i) {
      queues_[i].limit = options.queue_limits[i];
      queues_[i].depth.emplace(metrics.MakeGauge(
          "parcours_queue_depth", "Calls that wait for a worker, by class.",
          "class", kClassNames[i]));
    }
  }
  for (int i = 0; i < options.threads; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    work_added_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::TryAdd(WorkClass work_class, std::unique_ptr<WorkItem>& item) {
  const std::lock_guard lock(mutex_);
  Queue& queue = queues_[static_cast<std::size_t>(work_class)];
  if (stopping_ || queue.items.size() >= queue.limit) return false;
  queue.items.push_back(std::move(item));
  queue.depth->Set(static_cast<double>(queue.items.size()));
  work_added_.notify_one();
  return true;
}

void WorkerPool::Add(WorkClass work_class, std::unique_ptr<WorkItem> item) {
  const std::lock_guard lock(mutex_);
  Queue& queue = queues_[static_cast<std::size_t>(work_class)];
  queue.items.push_back(std::move(item));
  queue.depth->Set(static_cast<double>(queue.items.size()));
  work_added_.notify_one();
}

std::size_t WorkerPool::depth(WorkClass work_class) const {
  const std::lock_guard lock(mutex_);
  return queues_[static_cast<std::size_t>(work_class)].items.size();
}

bool WorkerPool::HasWork() const {
  for (const Queue& queue : queues_) {
    if (!queue.items.empty()) return true;
  }
  return false;
}

std::unique_ptr<WorkItem> WorkerPool::Next() {
  while (queues_[turn_].items.empty()) turn_ = (turn_ + 1) % kWorkClasses;
  Queue& queue = queues_[turn_];
  std::unique_ptr<WorkItem> item = std::move(queue.items.front());
  queue.items.pop_front();
  queue.depth->Set(static_cast<double>(queue.items.size()));
  turn_ = (turn_ + 1) % kWorkClasses;
  return item;
}

void WorkerPool::Work() {
  while (true) {
    std::unique_ptr<WorkItem> item;
    {
      std::unique_lock lock(mutex_);
      work_added_.wait(lock, [this] { return HasWork() || stopping_; });
      if (!HasWork()) return;
      item = Next();
    }
    item->Run();
  }
}

}  // namespace parcours::rpc
