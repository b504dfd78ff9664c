#ifndef PARCOURS_COMMON_CACHE_REAL_CLOCK_H_
#define PARCOURS_COMMON_CACHE_REAL_CLOCK_H_

#include <functional>

#include "absl/time/time.h"

namespace parcours::cache {

// Real time, never simulated business time. absl::Now outside of tests. It may
// jump: callers bound what a jump can do. Must be callable from any thread.
using RealClock = std::function<absl::Time()>;

}  // namespace parcours::cache

#endif  // PARCOURS_COMMON_CACHE_REAL_CLOCK_H_
