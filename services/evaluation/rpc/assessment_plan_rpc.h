#ifndef PARCOURS_SERVICES_EVALUATION_RPC_ASSESSMENT_PLAN_RPC_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_ASSESSMENT_PLAN_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/evaluation/v1/assessment_plan.grpc.pb.h"
#include "services/evaluation/rpc/dependencies.h"

namespace parcours::evaluation {

namespace pb = ::parcours::evaluation::v1;

// parcours.evaluation.v1.AssessmentPlanService.
class AssessmentPlanRpc final
    : public rpc::ServiceOf<pb::AssessmentPlanService> {
 public:
  AssessmentPlanRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(GetAssessmentPlan, pb::GetAssessmentPlanRequest,
               pb::AssessmentPlan)
  PARCOURS_RPC(UpdateAssessmentPlan, pb::UpdateAssessmentPlanRequest,
               pb::AssessmentPlan)

 private:
  absl::StatusOr<pb::AssessmentPlan> GetAssessmentPlan(
      const rpc::CallContext& call,
      const pb::GetAssessmentPlanRequest& request);
  absl::StatusOr<pb::AssessmentPlan> UpdateAssessmentPlan(
      const rpc::CallContext& call,
      const pb::UpdateAssessmentPlanRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_ASSESSMENT_PLAN_RPC_H_
