#include "services/evaluation/rpc/roster_rpc.h"

#include "common/status/macros.h"
#include "common/types/record.h"
#include "services/evaluation/domain/roster_use_cases.h"
#include "services/evaluation/rpc/convert.h"

namespace parcours::evaluation {

absl::StatusOr<pb::ListRosterEntriesResponse> RosterRpc::ListRosterEntries(
    const rpc::CallContext& call, const pb::ListRosterEntriesRequest& request) {
  ASSIGN_OR_RETURN(const CohortName cohort,
                   CohortName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<RosterEntry> found,
      ListResources<RosterEntry>(dependencies_.store, call.caller,
                                 &EvaluationUnit::roster, cohort.text(), page));
  return PageResponse<pb::ListRosterEntriesResponse>(
      dependencies_, request, found,
      [](auto& response, const RosterEntry& item) {
        *response.add_roster_entries() = ToProto(item);
      });
}

absl::StatusOr<pb::SynchroniseRosterResponse> RosterRpc::SynchroniseRoster(
    const rpc::CallContext& call, const pb::SynchroniseRosterRequest&) {
  ASSIGN_OR_RETURN(const RosterProgress progress,
                   evaluation::SynchroniseRoster(
                       dependencies_.store, dependencies_.enrolments,
                       dependencies_.erasure_log, call.caller));
  pb::SynchroniseRosterResponse response;
  response.set_applied_count(static_cast<int32_t>(progress.applied_count));
  response.set_feed_token(progress.feed_token);
  return response;
}

}  // namespace parcours::evaluation
