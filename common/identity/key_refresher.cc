#include "common/identity/key_refresher.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace parcours::identity {
namespace {

// A clock that jumps is noticed after this long.
constexpr absl::Duration kLongestSleep = absl::Seconds(1);

}  // namespace

KeyRefresher::KeyRefresher(std::vector<IssuerKeys*> keys,
                           std::function<absl::Time()> now)
    : keys_(std::move(keys)), now_(std::move(now)) {
  thread_ = std::thread([this] { Run(); });
}

KeyRefresher::~KeyRefresher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  for (IssuerKeys* const keys : keys_) keys->Cancel();
  changed_.notify_all();
  thread_.join();
}

void KeyRefresher::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void KeyRefresher::Run() {
  while (true) {
    absl::Time next = absl::InfiniteFuture();
    for (IssuerKeys* const keys : keys_) {
      // What failed has been logged, and is tried again when it is due.
      keys->ReadIfDue(now_()).IgnoreError();
      next = std::min(next, keys->next_reading());
    }
    const absl::Duration sleep =
        std::clamp(next - now_(), absl::Milliseconds(1), kLongestSleep);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoNanoseconds(sleep),
                      [this] { return stopping_ || woken_; });
    if (stopping_) return;
    woken_ = false;
  }
}

}  // namespace parcours::identity
