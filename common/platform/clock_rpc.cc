#include "common/platform/clock_rpc.h"

#include <algorithm>

#include "common/rpc/convert.h"
#include "common/status/macros.h"

namespace parcours::platform {

absl::StatusOr<v1::GetTimeResponse> ClockRpc::GetTime(
    const rpc::CallContext&, const v1::GetTimeRequest&) {
  v1::GetTimeResponse response;
  *response.mutable_business_time() = rpc::TimestampOf(clock_.Now());
  response.set_simulated(clock_.is_simulated());
  return response;
}

absl::StatusOr<v1::AdvanceTimeResponse> ClockRpc::AdvanceTime(
    const rpc::CallContext& call, const v1::AdvanceTimeRequest& request) {
  const absl::MutexLock lock(&advancing_);
  const absl::Time target = rpc::TimeOf(request.business_time());
  // Refused without waiting for the turn.
  if (!clock_.is_simulated()) {
    return clock_.AdvanceTo(target, call.caller.deadline);
  }
  ASSIGN_OR_RETURN(const storage::JobLeases::Turn turn,
                   leases_.Take(kDueWorkJob, call.caller.deadline));
  // Whoever had the turn before may have moved the time.
  RETURN_IF_ERROR(clock_.Refresh(call.caller.deadline));
  // Refuses the past before anything runs.
  RETURN_IF_ERROR(
      clock_.AdvanceTo(std::min(target, clock_.Now()), call.caller.deadline));
  RETURN_IF_ERROR(work_.FollowFeeds(turn.lease()));
  int decisions = 0;
  while (true) {
    ASSIGN_OR_RETURN(const absl::Time due, work_.NextDue(target));
    if (due > target) break;
    RETURN_IF_ERROR(
        clock_.AdvanceTo(std::max(due, clock_.Now()), call.caller.deadline));
    ASSIGN_OR_RETURN(const int taken, work_.RunDue(clock_.Now(), turn.lease()));
    if (taken == 0) break;
    decisions += taken;
  }
  RETURN_IF_ERROR(clock_.AdvanceTo(target, call.caller.deadline));
  ASSIGN_OR_RETURN(const int taken, work_.RunDue(target, turn.lease()));
  RETURN_IF_ERROR(work_.FollowFeeds(turn.lease()));
  v1::AdvanceTimeResponse response;
  *response.mutable_business_time() = rpc::TimestampOf(clock_.Now());
  response.set_decision_count(decisions + taken);
  return response;
}

}  // namespace parcours::platform
