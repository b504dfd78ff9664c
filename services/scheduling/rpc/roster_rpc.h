#ifndef PARCOURS_SERVICES_SCHEDULING_RPC_ROSTER_RPC_H_
#define PARCOURS_SERVICES_SCHEDULING_RPC_ROSTER_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/scheduling/v1/attendance.grpc.pb.h"
#include "services/scheduling/rpc/dependencies.h"

namespace parcours::scheduling {

namespace pb = ::parcours::scheduling::v1;

// parcours.scheduling.v1.RosterService.
class RosterRpc final : public rpc::ServiceOf<pb::RosterService> {
 public:
  RosterRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(ListRosterEntries, pb::ListRosterEntriesRequest,
               pb::ListRosterEntriesResponse)
  PARCOURS_RPC(SynchroniseRoster, pb::SynchroniseRosterRequest,
               pb::SynchroniseRosterResponse)

 private:
  absl::StatusOr<pb::ListRosterEntriesResponse> ListRosterEntries(
      const rpc::CallContext& call,
      const pb::ListRosterEntriesRequest& request);
  absl::StatusOr<pb::SynchroniseRosterResponse> SynchroniseRoster(
      const rpc::CallContext& call,
      const pb::SynchroniseRosterRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_RPC_ROSTER_RPC_H_
