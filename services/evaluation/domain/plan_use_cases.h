#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_PLAN_USE_CASES_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_PLAN_USE_CASES_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "services/evaluation/domain/evaluation_store.h"

namespace parcours::evaluation {

// What an update asks for (https://google.aip.dev/134).
struct PlanUpdate {
  AssessmentPlanName name;
  // Writes the fields of the mask into the stored plan.
  std::function<absl::Status(AssessmentPlan&)> apply;
  std::string etag;
  bool allow_missing = false;
};

// Changes a plan or, with allow_missing, adds it. A plan that stays the same is
// not written. Errors: NOT_FOUND, ETAG_MISMATCH, the violations of Validate,
// ILLEGAL_TRANSITION for another certification or quorum while a jury sits.
absl::StatusOr<AssessmentPlan> UpdateAssessmentPlan(
    EvaluationStore& store, const access::Caller& caller,
    const PlanUpdate& update);

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_PLAN_USE_CASES_H_
