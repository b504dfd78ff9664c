#ifndef PARCOURS_COMMON_PLATFORM_DUE_WORK_H_
#define PARCOURS_COMMON_PLATFORM_DUE_WORK_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/access/caller.h"

namespace parcours::platform {

// The job, of which one replica has the turn at a time, that is DueWork.
inline constexpr char kDueWorkJob[] = "due_work";

// What a service does by itself: decide what time has made due, and follow the
// feeds of other services. Thread-safe; every call may be repeated. `lease` is
// that of kDueWorkJob, under which every transaction of the call runs.
class DueWork {
 public:
  virtual ~DueWork() = default;

  // The earliest business time, not after `until`, at which something falls
  // due; InfiniteFuture when there is none.
  virtual absl::StatusOr<absl::Time> NextDue(absl::Time until) = 0;

  // Decides what is due at the business time `now`; how many decisions it took.
  virtual absl::StatusOr<int> RunDue(
      absl::Time now, const std::optional<access::JobLease>& lease) = 0;

  // Applies what other services have changed so far.
  virtual absl::Status FollowFeeds(
      const std::optional<access::JobLease>& lease) = 0;
};

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_DUE_WORK_H_
