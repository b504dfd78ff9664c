#ifndef PARCOURS_SERVICES_EVALUATION_RPC_JURY_RPC_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_JURY_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/evaluation/v1/jury.grpc.pb.h"
#include "services/evaluation/rpc/dependencies.h"

namespace parcours::evaluation {

namespace pb = ::parcours::evaluation::v1;

// parcours.evaluation.v1.JuryService.
class JuryRpc final : public rpc::ServiceOf<pb::JuryService> {
 public:
  JuryRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(DeclareConflict, pb::DeclareConflictRequest, pb::Conflict)
  PARCOURS_RPC(ListConflicts, pb::ListConflictsRequest,
               pb::ListConflictsResponse)
  PARCOURS_RPC(CreateJury, pb::CreateJuryRequest, pb::Jury)
  PARCOURS_RPC(GetJury, pb::GetJuryRequest, pb::Jury)
  PARCOURS_RPC(ListJuries, pb::ListJuriesRequest, pb::ListJuriesResponse)
  PARCOURS_RPC(UpdateJury, pb::UpdateJuryRequest, pb::Jury)
  PARCOURS_RPC(OpenJury, pb::OpenJuryRequest, pb::Jury)
  PARCOURS_RPC(ListJuryCandidates, pb::ListJuryCandidatesRequest,
               pb::ListJuryCandidatesResponse)
  PARCOURS_RPC(RecordDecision, pb::RecordDecisionRequest, pb::Decision)
  PARCOURS_RPC(GetDecision, pb::GetDecisionRequest, pb::Decision)
  PARCOURS_RPC(ListDecisions, pb::ListDecisionsRequest,
               pb::ListDecisionsResponse)
  PARCOURS_RPC(CloseMinutes, pb::CloseMinutesRequest, pb::Minutes)
  PARCOURS_RPC(GetMinutes, pb::GetMinutesRequest, pb::Minutes)
  PARCOURS_RPC(VerifyMinutes, pb::VerifyMinutesRequest,
               pb::VerifyMinutesResponse)
  PARCOURS_RPC(GetJuryPack, pb::GetJuryPackRequest, pb::JuryPack)

 private:
  absl::StatusOr<pb::Conflict> DeclareConflict(
      const rpc::CallContext& call, const pb::DeclareConflictRequest& request);
  absl::StatusOr<pb::ListConflictsResponse> ListConflicts(
      const rpc::CallContext& call, const pb::ListConflictsRequest& request);
  absl::StatusOr<pb::Jury> CreateJury(const rpc::CallContext& call,
                                      const pb::CreateJuryRequest& request);
  absl::StatusOr<pb::Jury> GetJury(const rpc::CallContext& call,
                                   const pb::GetJuryRequest& request);
  absl::StatusOr<pb::ListJuriesResponse> ListJuries(
      const rpc::CallContext& call, const pb::ListJuriesRequest& request);
  absl::StatusOr<pb::Jury> UpdateJury(const rpc::CallContext& call,
                                      const pb::UpdateJuryRequest& request);
  absl::StatusOr<pb::Jury> OpenJury(const rpc::CallContext& call,
                                    const pb::OpenJuryRequest& request);
  absl::StatusOr<pb::ListJuryCandidatesResponse> ListJuryCandidates(
      const rpc::CallContext& call,
      const pb::ListJuryCandidatesRequest& request);
  absl::StatusOr<pb::Decision> RecordDecision(
      const rpc::CallContext& call, const pb::RecordDecisionRequest& request);
  absl::StatusOr<pb::Decision> GetDecision(
      const rpc::CallContext& call, const pb::GetDecisionRequest& request);
  absl::StatusOr<pb::ListDecisionsResponse> ListDecisions(
      const rpc::CallContext& call, const pb::ListDecisionsRequest& request);
  absl::StatusOr<pb::Minutes> CloseMinutes(
      const rpc::CallContext& call, const pb::CloseMinutesRequest& request);
  absl::StatusOr<pb::Minutes> GetMinutes(const rpc::CallContext& call,
                                         const pb::GetMinutesRequest& request);
  absl::StatusOr<pb::VerifyMinutesResponse> VerifyMinutes(
      const rpc::CallContext& call, const pb::VerifyMinutesRequest& request);
  absl::StatusOr<pb::JuryPack> GetJuryPack(
      const rpc::CallContext& call, const pb::GetJuryPackRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_JURY_RPC_H_
