#include "common/cache/circuit_breaker.h"

#include "absl/random/random.h"

namespace parcours::cache {

CircuitBreaker::CircuitBreaker(Options options, RealClock clock,
                               std::function<double()> jitter)
    : options_(options), clock_(std::move(clock)), jitter_(std::move(jitter)) {}

CircuitBreaker::CircuitBreaker(Options options, RealClock clock)
    : CircuitBreaker(options, std::move(clock), [] {
        thread_local absl::BitGen generator;
        return absl::Uniform(generator, 0.0, 1.0);
      }) {}

std::optional<CircuitBreaker::Permit> CircuitBreaker::Ask() {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kClosed) return Permit(this, period_);
  if (state_ == State::kOpen) {
    const absl::Time now = clock_();
    // A clock set back must not keep it open for longer than its bound.
    if (open_until_ > now + options_.max_open) {
      open_until_ = now + options_.max_open;
    }
    if (now < open_until_) return std::nullopt;
    state_ = State::kHalfOpen;
    probing_ = false;
    ++period_;
  }
  if (probing_) return std::nullopt;
  probing_ = true;
  return Permit(this, period_);
}

CircuitBreaker::State CircuitBreaker::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void CircuitBreaker::Report(uint64_t period, Outcome outcome) {
  const std::lock_guard lock(mutex_);
  if (period != period_) return;
  if (state_ == State::kHalfOpen) probing_ = false;
  switch (outcome) {
    case Outcome::kNeutral:
      return;
    case Outcome::kSuccess:
      failures_ = 0;
      if (state_ == State::kHalfOpen) {
        state_ = State::kClosed;
        ++period_;
      }
      return;
    case Outcome::kFailure:
      ++failures_;
      if (state_ == State::kHalfOpen ||
          failures_ >= options_.failures_to_trip) {
        Open();
      }
      return;
  }
}

void CircuitBreaker::Open() {
  state_ = State::kOpen;
  failures_ = 0;
  open_until_ = clock_() + options_.min_open +
                (options_.max_open - options_.min_open) * jitter_();
  ++period_;
}

CircuitBreaker::Permit::~Permit() {
  if (breaker_ != nullptr) breaker_->Report(period_, Outcome::kNeutral);
}

void CircuitBreaker::Permit::Succeeded() {
  std::exchange(breaker_, nullptr)->Report(period_, Outcome::kSuccess);
}

void CircuitBreaker::Permit::Failed() {
  std::exchange(breaker_, nullptr)->Report(period_, Outcome::kFailure);
}

}  // namespace parcours::cache
