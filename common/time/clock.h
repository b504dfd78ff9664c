#ifndef PARCOURS_COMMON_TIME_CLOCK_H_
#define PARCOURS_COMMON_TIME_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace parcours {

// Time that records and legal deadlines run on. Real time (RPC deadlines,
// leases, caches, certificates) is absl::Now() and is never simulated.
// Thread-safe.
class BusinessClock {
 public:
  virtual ~BusinessClock() = default;
  virtual absl::Time Now() const = 0;
};

// Business time is real time.
class RealBusinessClock final : public BusinessClock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

// Business time that stands still until it is advanced.
class SimulatedBusinessClock final : public BusinessClock {
 public:
  explicit SimulatedBusinessClock(absl::Time now)
      : micros_(absl::ToUnixMicros(now)) {}

  absl::Time Now() const override {
    return absl::FromUnixMicros(micros_.load(std::memory_order_acquire));
  }

  // Moves forward to `now`; TIME_MOVES_FORWARD_ONLY when that is the past.
  absl::Status AdvanceTo(absl::Time now);

 private:
  std::atomic<int64_t> micros_;
};

// Civil time of the installation's law and timetables: Europe/Paris.
absl::TimeZone ParisZone();

// The civil day in Paris at `time`.
absl::CivilDay ParisDay(absl::Time time);

// The instant at which `day` begins in Paris.
absl::Time ParisMidnight(absl::CivilDay day);

}  // namespace parcours

#endif  // PARCOURS_COMMON_TIME_CLOCK_H_
