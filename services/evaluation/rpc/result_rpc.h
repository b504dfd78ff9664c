#ifndef PARCOURS_SERVICES_EVALUATION_RPC_RESULT_RPC_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_RESULT_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/evaluation/v1/result.grpc.pb.h"
#include "services/evaluation/rpc/dependencies.h"

namespace parcours::evaluation {

namespace pb = ::parcours::evaluation::v1;

// parcours.evaluation.v1.ResultService.
class ResultRpc final : public rpc::ServiceOf<pb::ResultService> {
 public:
  ResultRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(GetResult, pb::GetResultRequest, pb::Result)
  PARCOURS_RPC(ListResults, pb::ListResultsRequest, pb::ListResultsResponse)
  PARCOURS_RPC(CompleteWithoutJury, pb::CompleteWithoutJuryRequest,
               pb::CompleteWithoutJuryResponse)
  PARCOURS_RPC(LodgeAppeal, pb::LodgeAppealRequest, pb::Appeal)
  PARCOURS_RPC(AnswerAppeal, pb::AnswerAppealRequest, pb::Appeal)
  PARCOURS_RPC(GetAppeal, pb::GetAppealRequest, pb::Appeal)
  PARCOURS_RPC(ListAppeals, pb::ListAppealsRequest, pb::ListAppealsResponse)

 private:
  absl::StatusOr<pb::Result> GetResult(const rpc::CallContext& call,
                                       const pb::GetResultRequest& request);
  absl::StatusOr<pb::ListResultsResponse> ListResults(
      const rpc::CallContext& call, const pb::ListResultsRequest& request);
  absl::StatusOr<pb::CompleteWithoutJuryResponse> CompleteWithoutJury(
      const rpc::CallContext& call,
      const pb::CompleteWithoutJuryRequest& request);
  absl::StatusOr<pb::Appeal> LodgeAppeal(const rpc::CallContext& call,
                                         const pb::LodgeAppealRequest& request);
  absl::StatusOr<pb::Appeal> AnswerAppeal(
      const rpc::CallContext& call, const pb::AnswerAppealRequest& request);
  absl::StatusOr<pb::Appeal> GetAppeal(const rpc::CallContext& call,
                                       const pb::GetAppealRequest& request);
  absl::StatusOr<pb::ListAppealsResponse> ListAppeals(
      const rpc::CallContext& call, const pb::ListAppealsRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_RESULT_RPC_H_
