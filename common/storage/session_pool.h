#ifndef PARCOURS_COMMON_STORAGE_SESSION_POOL_H_
#define PARCOURS_COMMON_STORAGE_SESSION_POOL_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/storage/session.h"

namespace parcours::storage {

// At most `capacity` sessions, opened when first needed, handed out in the
// order in which they were asked for. Sessions that are lost, or that come back
// with a transaction open, are thrown away. Thread-safe; outlives its leases.
class SessionPool {
 public:
  using Factory = std::function<absl::StatusOr<std::unique_ptr<Session>>(
      absl::Time deadline)>;

  // A session, given back on destruction.
  class Lease {
   public:
    Lease(SessionPool* pool, std::unique_ptr<Session> session)
        : pool_(pool), session_(std::move(session)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (session_ != nullptr) pool_->Release(std::move(session_));
    }
    Session& operator*() const { return *session_; }
    Session* operator->() const { return session_.get(); }

   private:
    SessionPool* pool_;
    std::unique_ptr<Session> session_;
  };

  // At most `maximum_waiting` callers wait.
  SessionPool(int capacity, int maximum_waiting, Factory factory)
      : factory_(std::move(factory)),
        maximum_waiting_(maximum_waiting),
        free_(capacity) {}

  // A session that looks alive. RESOURCE_EXHAUSTED when too many wait,
  // DEADLINE_EXCEEDED, or what the factory says.
  absl::StatusOr<Lease> Acquire(absl::Time deadline);

  // Callers that wait now.
  int waiting() const;

 private:
  struct Waiter {
    std::condition_variable grant;
    bool granted = false;  // guarded by mutex_
  };

  void Release(std::unique_ptr<Session> session);
  // REQUIRES: mutex_ is held.
  void GiveSlot();
  absl::Status TakeSlot(absl::Time deadline);

  const Factory factory_;
  const int maximum_waiting_;
  // Not Abseil's: the thread sanitizer does not see the locks of a library that
  // is not instrumented.
  mutable std::mutex mutex_;  // guards what follows
  int free_;
  std::deque<Waiter*> waiters_;
  // Last given back, first taken: what is idle for long stays idle.
  std::vector<std::unique_ptr<Session>> idle_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_SESSION_POOL_H_
