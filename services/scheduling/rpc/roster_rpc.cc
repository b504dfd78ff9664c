#include "services/scheduling/rpc/roster_rpc.h"

#include "common/status/macros.h"
#include "services/scheduling/domain/roster_use_cases.h"
#include "services/scheduling/rpc/convert.h"

namespace parcours::scheduling {

absl::StatusOr<pb::ListRosterEntriesResponse> RosterRpc::ListRosterEntries(
    const rpc::CallContext& call, const pb::ListRosterEntriesRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(const Page<RosterEntry> found,
                   ListResources<RosterEntry>(dependencies_.store, call.caller,
                                              &SchedulingUnit::roster,
                                              request.parent(), page));
  return PageResponse<pb::ListRosterEntriesResponse>(
      dependencies_, request, found,
      [](auto& response, const RosterEntry& item) {
        *response.add_roster_entries() = ToProto(item);
      });
}

absl::StatusOr<pb::SynchroniseRosterResponse> RosterRpc::SynchroniseRoster(
    const rpc::CallContext& call, const pb::SynchroniseRosterRequest&) {
  ASSIGN_OR_RETURN(
      const AppliedChanges applied,
      ApplyEnrolmentChanges(dependencies_.store, dependencies_.enrolment,
                            dependencies_.erasure_log, call.caller));
  pb::SynchroniseRosterResponse response;
  response.set_applied_count(static_cast<int32_t>(applied.count));
  response.set_feed_token(applied.token);
  return response;
}

}  // namespace parcours::scheduling
