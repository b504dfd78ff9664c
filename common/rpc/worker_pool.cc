#include "common/rpc/worker_pool.h"

#include <algorithm>
#include <string>
#include <utility>

namespace parcours::rpc {
namespace {

constexpr const char* kClassNames[kWorkClasses] = {"read", "write",
                                                   "submission"};

}  // namespace

WorkerPool::WorkerPool(const Options& options, telemetry::Metrics& metrics)
    : per_key_(options.per_key > 0 ? options.per_key
                                   : std::max(options.threads / 2, 1)) {
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

bool WorkerPool::TryAdd(WorkClass work_class, std::unique_ptr<WorkItem>& item,
                        std::string key) {
  const std::lock_guard lock(mutex_);
  const Queue& queue = queues_[static_cast<std::size_t>(work_class)];
  if (stopping_ || queue.waiting >= queue.limit) return false;
  Push(work_class, std::move(item), std::move(key));
  return true;
}

void WorkerPool::Add(WorkClass work_class, std::unique_ptr<WorkItem> item) {
  const std::lock_guard lock(mutex_);
  Push(work_class, std::move(item), "");
}

std::size_t WorkerPool::depth(WorkClass work_class) const {
  const std::lock_guard lock(mutex_);
  return queues_[static_cast<std::size_t>(work_class)].waiting;
}

void WorkerPool::CountWaiting(Queue& queue, int change) {
  queue.waiting += static_cast<std::size_t>(change);
  queue.depth->Set(static_cast<double>(queue.waiting));
}

void WorkerPool::Push(WorkClass work_class, std::unique_ptr<WorkItem> item,
                      std::string key) {
  Queue& queue = queues_[static_cast<std::size_t>(work_class)];
  queue.items.push_back({std::move(item), work_class, std::move(key)});
  CountWaiting(queue, +1);
  work_added_.notify_one();
}

bool WorkerPool::HasWork() const {
  for (const Queue& queue : queues_) {
    if (!queue.items.empty()) return true;
  }
  return false;
}

std::optional<WorkerPool::Waiting> WorkerPool::Next() {
  while (HasWork()) {
    while (queues_[turn_].items.empty()) turn_ = (turn_ + 1) % kWorkClasses;
    Queue& queue = queues_[turn_];
    Waiting next = std::move(queue.items.front());
    queue.items.pop_front();
    if (!next.key.empty() && !next.granted) {
      Key& key = keys_[next.key];
      if (key.running >= per_key_) {
        // The turn stays with the class, whose next item may run.
        key.waiting.push_back(std::move(next));
        continue;
      }
      ++key.running;
    }
    CountWaiting(queue, -1);
    turn_ = (turn_ + 1) % kWorkClasses;
    return next;
  }
  return std::nullopt;
}

void WorkerPool::Finish(const std::string& key) {
  if (key.empty()) return;
  const auto found = keys_.find(key);
  Key& state = found->second;
  if (state.waiting.empty()) {
    if (--state.running == 0) keys_.erase(found);
    return;
  }
  // It takes over the place of the one that has run, before all that arrived
  // later.
  Waiting next = std::move(state.waiting.front());
  state.waiting.pop_front();
  next.granted = true;
  queues_[static_cast<std::size_t>(next.work_class)].items.push_front(
      std::move(next));
  work_added_.notify_one();
}

void WorkerPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_added_.wait(lock, [this] { return HasWork() || stopping_; });
    std::optional<Waiting> next = Next();
    if (!next.has_value()) {
      // What waits for its key is run by the thread that runs of that key now.
      if (stopping_) return;
      continue;
    }
    lock.unlock();
    next->item->Run();
    next->item.reset();
    lock.lock();
    Finish(next->key);
  }
}

}  // namespace parcours::rpc
