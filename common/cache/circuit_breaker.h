#ifndef PARCOURS_COMMON_CACHE_CIRCUIT_BREAKER_H_
#define PARCOURS_COMMON_CACHE_CIRCUIT_BREAKER_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "common/cache/real_clock.h"

namespace parcours::cache {

// Stops calls to a dependency that keeps failing. Closed: all calls pass.
// After `failures_to_trip` failures in a row it is open: none passes, at no
// cost. After a random time between `min_open` and `max_open` it is half open:
// one call passes as a probe; its success closes the breaker, its failure opens
// it again. Permission and outcome are separate, so that a call that said
// nothing about the dependency (cancelled by its caller) counts for nothing.
// Thread-safe.
class CircuitBreaker {
 public:
  struct Options {
    int failures_to_trip = 5;
    absl::Duration min_open = absl::Seconds(1);
    absl::Duration max_open = absl::Seconds(5);
  };

  enum class State { kClosed, kOpen, kHalfOpen };

  // Permission for one call. Dropped without an outcome, it is neutral. Must
  // not outlive its breaker.
  class Permit {
   public:
    Permit(Permit&& other) noexcept
        : breaker_(std::exchange(other.breaker_, nullptr)),
          period_(other.period_) {}
    Permit(const Permit&) = delete;
    Permit& operator=(const Permit&) = delete;
    Permit& operator=(Permit&&) = delete;
    ~Permit();

    void Succeeded();
    void Failed();

   private:
    friend class CircuitBreaker;
    Permit(CircuitBreaker* breaker, uint64_t period)
        : breaker_(breaker), period_(period) {}

    CircuitBreaker* breaker_;
    uint64_t period_;
  };

  // `jitter` returns numbers in [0, 1), and may be called from any thread.
  CircuitBreaker(Options options, RealClock clock,
                 std::function<double()> jitter);
  // With random jitter.
  CircuitBreaker(Options options, RealClock clock);

  // Permission for one call, or nothing: do without.
  std::optional<Permit> Ask();

  State state() const;

 private:
  enum class Outcome { kSuccess, kFailure, kNeutral };

  void Report(uint64_t period, Outcome outcome);
  // REQUIRES: mutex_ is held.
  void Open();

  const Options options_;
  const RealClock clock_;
  const std::function<double()> jitter_;

  mutable std::mutex mutex_;  // guards what follows
  State state_ = State::kClosed;
  int failures_ = 0;
  bool probing_ = false;
  absl::Time open_until_;
  // Rises with every change of state: the outcome of a call that began in an
  // earlier one says nothing about this one.
  uint64_t period_ = 0;
};

}  // namespace parcours::cache

#endif  // PARCOURS_COMMON_CACHE_CIRCUIT_BREAKER_H_
