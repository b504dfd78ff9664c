#ifndef PARCOURS_COMMON_PLATFORM_DUE_WORK_H_
#define PARCOURS_COMMON_PLATFORM_DUE_WORK_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace parcours::platform {

// What a service does by itself: decide what time has made due, and follow the
// feeds of other services. Thread-safe; every call may be repeated.
class DueWork {
 public:
  virtual ~DueWork() = default;

  // The earliest business time, not after `until`, at which something falls
  // due; InfiniteFuture when there is none.
  virtual absl::StatusOr<absl::Time> NextDue(absl::Time until) = 0;

  // Decides what is due at the business time `now`; how many decisions it took.
  virtual absl::StatusOr<int> RunDue(absl::Time now) = 0;

  // Applies what other services have changed so far.
  virtual absl::Status FollowFeeds() = 0;
};

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_DUE_WORK_H_
