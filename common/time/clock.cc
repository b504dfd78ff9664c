#include "common/time/clock.h"

#include "absl/base/internal/raw_logging.h"
#include "common/status/error.h"

namespace parcours {

absl::Status SimulatedBusinessClock::AdvanceTo(absl::Time now) {
  const int64_t target = absl::ToUnixMicros(now);
  int64_t current = micros_.load(std::memory_order_acquire);
  do {
    if (target < current) {
      return MakeError(Reason::kTimeMovesForwardOnly,
                       {{"now", absl::FormatTime(absl::RFC3339_sec,
                                                 absl::FromUnixMicros(current),
                                                 ParisZone())}});
    }
  } while (!micros_.compare_exchange_weak(current, target,
                                          std::memory_order_acq_rel));
  return absl::OkStatus();
}

absl::TimeZone ParisZone() {
  static const absl::TimeZone zone = [] {
    absl::TimeZone loaded;
    if (!absl::LoadTimeZone("Europe/Paris", &loaded)) {
      ABSL_RAW_LOG(FATAL, "time zone Europe/Paris is not installed (tzdata)");
    }
    return loaded;
  }();
  return zone;
}

absl::CivilDay ParisDay(absl::Time time) {
  return absl::ToCivilDay(time, ParisZone());
}

absl::Time ParisMidnight(absl::CivilDay day) {
  return absl::FromCivil(day, ParisZone());
}

}  // namespace parcours
