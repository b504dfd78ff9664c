#include "services/evaluation/rpc/result_rpc.h"

#include <optional>

#include "common/rpc/convert.h"
#include "common/status/macros.h"
#include "common/types/record.h"
#include "services/evaluation/domain/result_use_cases.h"
#include "services/evaluation/rpc/convert.h"

namespace parcours::evaluation {

absl::StatusOr<pb::Result> ResultRpc::GetResult(
    const rpc::CallContext& call, const pb::GetResultRequest& request) {
  ASSIGN_OR_RETURN(const ResultName name, ResultName::Parse(request.name()));
  ASSIGN_OR_RETURN(const Result result,
                   GetResource<Result>(dependencies_.store, call.caller,
                                       &EvaluationUnit::results, name));
  return ToProto(result);
}

absl::StatusOr<pb::ListResultsResponse> ResultRpc::ListResults(
    const rpc::CallContext& call, const pb::ListResultsRequest& request) {
  ASSIGN_OR_RETURN(const CohortName cohort,
                   CohortName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  std::optional<ResultOutcome> outcome;
  if (request.outcome() != pb::Result::OUTCOME_UNSPECIFIED) {
    outcome = rpc::EnumFromProto<ResultOutcome>(request.outcome());
  }
  Page<Result> found;
  RETURN_IF_ERROR(dependencies_.store.View(
      call.caller, [&](EvaluationUnit& unit) -> absl::Status {
        return ReadPage<Result>(unit, found, [&] {
          return unit.ListResults(call.caller.scope, cohort, outcome, page);
        });
      }));
  return PageResponse<pb::ListResultsResponse>(
      dependencies_, request, found, [](auto& response, const Result& item) {
        *response.add_results() = ToProto(item);
      });
}

absl::StatusOr<pb::CompleteWithoutJuryResponse> ResultRpc::CompleteWithoutJury(
    const rpc::CallContext& call,
    const pb::CompleteWithoutJuryRequest& request) {
  ASSIGN_OR_RETURN(const CohortName cohort,
                   CohortName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(
      const int64_t count,
      evaluation::CompleteWithoutJury(
          dependencies_.store, dependencies_.enrolments, call.caller, cohort));
  pb::CompleteWithoutJuryResponse response;
  response.set_result_count(static_cast<int32_t>(count));
  return response;
}

absl::StatusOr<pb::Appeal> ResultRpc::LodgeAppeal(
    const rpc::CallContext& call, const pb::LodgeAppealRequest& request) {
  ASSIGN_OR_RETURN(const CohortName cohort,
                   CohortName::Parse(request.parent(), "parent"));
  Appeal appeal;
  ASSIGN_OR_RETURN(
      appeal.decision,
      DecisionName::Parse(request.appeal().decision(), "appeal.decision"));
  appeal.ground = rpc::EnumFromProto<AppealGround>(request.appeal().ground());
  appeal.statement = request.appeal().statement();
  ASSIGN_OR_RETURN(
      const Appeal lodged,
      evaluation::LodgeAppeal(dependencies_.store, dependencies_.rules,
                              call.caller, cohort, std::move(appeal)));
  return ToProto(lodged);
}

absl::StatusOr<pb::Appeal> ResultRpc::AnswerAppeal(
    const rpc::CallContext& call, const pb::AnswerAppealRequest& request) {
  ASSIGN_OR_RETURN(const AppealName name, AppealName::Parse(request.name()));
  ASSIGN_OR_RETURN(
      const Appeal appeal,
      evaluation::AnswerAppeal(dependencies_.store, call.caller, name,
                               request.upheld(), request.answer(),
                               request.answered_by(), request.etag()));
  return ToProto(appeal);
}

absl::StatusOr<pb::Appeal> ResultRpc::GetAppeal(
    const rpc::CallContext& call, const pb::GetAppealRequest& request) {
  ASSIGN_OR_RETURN(const AppealName name, AppealName::Parse(request.name()));
  ASSIGN_OR_RETURN(const Appeal appeal,
                   GetResource<Appeal>(dependencies_.store, call.caller,
                                       &EvaluationUnit::appeals, name));
  return ToProto(appeal);
}

absl::StatusOr<pb::ListAppealsResponse> ResultRpc::ListAppeals(
    const rpc::CallContext& call, const pb::ListAppealsRequest& request) {
  ASSIGN_OR_RETURN(const CohortName cohort,
                   CohortName::Parse(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<Appeal> found,
      ListResources<Appeal>(dependencies_.store, call.caller,
                            &EvaluationUnit::appeals, cohort.text(), page));
  return PageResponse<pb::ListAppealsResponse>(
      dependencies_, request, found, [](auto& response, const Appeal& item) {
        *response.add_appeals() = ToProto(item);
      });
}

}  // namespace parcours::evaluation
