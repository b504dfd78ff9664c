#include "common/storage/session_pool.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "common/status/macros.h"

namespace parcours::storage {

absl::Status SessionPool::TakeSlot(absl::Time deadline) {
  std::unique_lock lock(mutex_);
  if (absl::Now() > deadline) {
    return absl::DeadlineExceededError("deadline passed before a session");
  }
  if (free_ > 0 && waiters_.empty()) {
    --free_;
    return absl::OkStatus();
  }
  if (static_cast<int>(waiters_.size()) >= maximum_waiting_) {
    return absl::ResourceExhaustedError("too many wait for a session");
  }
  Waiter self;
  waiters_.push_back(&self);
  if (!self.grant.wait_until(lock, absl::ToChronoTime(deadline),
                             [&self] { return self.granted; })) {
    waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &self));
    return absl::DeadlineExceededError("deadline passed awaiting a session");
  }
  return absl::OkStatus();
}

void SessionPool::GiveSlot() {
  if (waiters_.empty()) {
    ++free_;
    return;
  }
  waiters_.front()->granted = true;
  // Before the lock is released: the waiter then destroys it.
  waiters_.front()->grant.notify_one();
  waiters_.pop_front();
}

absl::StatusOr<SessionPool::Lease> SessionPool::Acquire(absl::Time deadline) {
  RETURN_IF_ERROR(TakeSlot(deadline));
  for (;;) {
    std::unique_ptr<Session> session;
    {
      const std::lock_guard lock(mutex_);
      if (idle_.empty()) break;
      session = std::move(idle_.back());
      idle_.pop_back();
    }
    if (session->usable()) return Lease(this, std::move(session));
  }
  absl::StatusOr<std::unique_ptr<Session>> opened = factory_(deadline);
  if (!opened.ok()) {
    const std::lock_guard lock(mutex_);
    GiveSlot();
    return opened.status();
  }
  return Lease(this, *std::move(opened));
}

void SessionPool::Release(std::unique_ptr<Session> session) {
  const bool keep = session->usable() && !session->in_transaction();
  if (!keep) session.reset();
  const std::lock_guard lock(mutex_);
  if (keep) idle_.push_back(std::move(session));
  GiveSlot();
}

int SessionPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(waiters_.size());
}

}  // namespace parcours::storage
