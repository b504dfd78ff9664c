#include "services/evaluation/domain/plan_use_cases.h"

#include <optional>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/types/record.h"

namespace parcours::evaluation {
namespace {

// What a jury that sits relies on.
bool SameForJury(const AssessmentPlan& a, const AssessmentPlan& b) {
  return a.jury_required == b.jury_required && a.jury_quorum == b.jury_quorum &&
         a.certification_mode == b.certification_mode && a.marked == b.marked;
}

}  // namespace

absl::StatusOr<AssessmentPlan> UpdateAssessmentPlan(
    EvaluationStore& store, const access::Caller& caller,
    const PlanUpdate& update) {
  return ChangeResource<AssessmentPlan>(
      store, caller, &EvaluationUnit::plans,
      [&](EvaluationUnit& unit) -> absl::StatusOr<AssessmentPlan> {
        ASSIGN_OR_RETURN(const std::optional<AssessmentPlan> known,
                         unit.plans().Find(caller.scope, update.name));
        std::optional<AssessmentPlan> before;
        if (known.has_value() || !update.allow_missing) {
          ASSIGN_OR_RETURN(before,
                           unit.plans().Lock(caller.scope, update.name));
          RETURN_IF_ERROR(
              CheckEtag(update.etag, update.name.text(), before->version));
        }
        AssessmentPlan after = before.value_or(AssessmentPlan{});
        after.name = update.name;
        RETURN_IF_ERROR(update.apply(after));
        FieldViolations violations;
        Validate(after, violations);
        RETURN_IF_ERROR(violations.ToStatus());
        if (!before.has_value()) {
          unit.plans().Insert(after);
          return after;
        }
        if (after == *before) return after;
        if (!SameForJury(after, *before)) {
          ASSIGN_OR_RETURN(const std::optional<Jury> sitting,
                           unit.OpenJuryOf(caller.scope, after.cohort()));
          if (sitting.has_value()) {
            return MakeError(Reason::kIllegalTransition,
                             {{"resource", sitting->name.text()},
                              {"state", std::string(NameOf(sitting->state))},
                              {"action", "UpdateAssessmentPlan"}});
          }
        }
        unit.plans().Update(after);
        return after;
      });
}

}  // namespace parcours::evaluation
