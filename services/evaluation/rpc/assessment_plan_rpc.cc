#include "services/evaluation/rpc/assessment_plan_rpc.h"

#include "common/rpc/update_mask.h"
#include "common/status/macros.h"
#include "common/types/record.h"
#include "services/evaluation/domain/plan_use_cases.h"
#include "services/evaluation/rpc/convert.h"

namespace parcours::evaluation {

absl::StatusOr<pb::AssessmentPlan> AssessmentPlanRpc::GetAssessmentPlan(
    const rpc::CallContext& call, const pb::GetAssessmentPlanRequest& request) {
  ASSIGN_OR_RETURN(const AssessmentPlanName name,
                   AssessmentPlanName::Parse(request.name()));
  ASSIGN_OR_RETURN(const AssessmentPlan plan,
                   GetResource<AssessmentPlan>(dependencies_.store, call.caller,
                                               &EvaluationUnit::plans, name));
  return ToProto(plan);
}

absl::StatusOr<pb::AssessmentPlan> AssessmentPlanRpc::UpdateAssessmentPlan(
    const rpc::CallContext& call,
    const pb::UpdateAssessmentPlanRequest& request) {
  const pb::AssessmentPlan& asked = request.assessment_plan();
  ASSIGN_OR_RETURN(
      const AssessmentPlanName name,
      AssessmentPlanName::Parse(asked.name(), "assessment_plan.name"));
  ASSIGN_OR_RETURN(const AssessmentPlan plan,
                   evaluation::UpdateAssessmentPlan(
                       dependencies_.store, call.caller,
                       {.name = name,
                        .apply = [&](AssessmentPlan& stored) -> absl::Status {
                          // A new plan is all that the request says.
                          if (stored.version == 0) {
                            Read(asked, stored);
                            return absl::OkStatus();
                          }
                          pb::AssessmentPlan merged = ToProto(stored);
                          RETURN_IF_ERROR(rpc::MergeMasked(
                              request.update_mask(), asked, merged));
                          Read(merged, stored);
                          return absl::OkStatus();
                        },
                        .etag = asked.etag(),
                        .allow_missing = request.allow_missing()}));
  return ToProto(plan);
}

}  // namespace parcours::evaluation
