#ifndef PARCOURS_COMMON_PLATFORM_CLOCK_RPC_H_
#define PARCOURS_COMMON_PLATFORM_CLOCK_RPC_H_

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/platform/due_work.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "common/storage/business_time.h"
#include "common/storage/job_lease.h"
#include "parcours/platform/v1/clock.grpc.pb.h"

namespace parcours::platform {

// parcours.platform.v1.ClockService. A simulation is moved from one due instant
// to the next, so that what is decided there is decided at its own time. With
// several replicas, the one that is called waits for its turn and does it all.
class ClockRpc final : public rpc::ServiceOf<v1::ClockService> {
 public:
  // All outlive the service.
  ClockRpc(rpc::Shell& shell, storage::DatabaseBusinessClock& clock,
           DueWork& work, storage::JobLeases& leases)
      : ServiceOf(shell), clock_(clock), work_(work), leases_(leases) {}

  PARCOURS_RPC(GetTime, v1::GetTimeRequest, v1::GetTimeResponse)
  PARCOURS_RPC(AdvanceTime, v1::AdvanceTimeRequest, v1::AdvanceTimeResponse)

 private:
  absl::StatusOr<v1::GetTimeResponse> GetTime(
      const rpc::CallContext& call, const v1::GetTimeRequest& request);
  absl::StatusOr<v1::AdvanceTimeResponse> AdvanceTime(
      const rpc::CallContext& call, const v1::AdvanceTimeRequest& request);

  storage::DatabaseBusinessClock& clock_;
  DueWork& work_;
  storage::JobLeases& leases_;
  // One move at a time.
  absl::Mutex advancing_;
};

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_CLOCK_RPC_H_
