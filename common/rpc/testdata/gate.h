#ifndef PARCOURS_COMMON_RPC_TESTDATA_GATE_H_
#define PARCOURS_COMMON_RPC_TESTDATA_GATE_H_

#include <condition_variable>
#include <mutex>

namespace parcours::rpc {

// Calls wait at a gate until it is opened, and are counted as they arrive.
class Gate {
 public:
  void Pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  // Returns once `count` calls stand at the gate.
  void AwaitWaiting(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, count] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;  // guards open_ and waiting_
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_TESTDATA_GATE_H_
