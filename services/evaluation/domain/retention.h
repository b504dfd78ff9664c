#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_RETENTION_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_RETENTION_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/privacy/legal_hold.h"
#include "common/rules/rule_book.h"
#include "services/evaluation/domain/evaluation_store.h"
#include "services/evaluation/domain/names.h"
#include "services/evaluation/domain/result.h"

namespace parcours::evaluation {

// What is kept for a time and no longer: the files of validation notes, after
// the result (retention.validation_note), and what appeals and their answers
// say, after the answer (retention.appeal).

// Whether on the local day of `now` the years of `rule` after the result are
// over; after the answer, of an appeal that has one.
bool IsOverdue(const Result& result, const rules::DatedRule& rule,
               absl::Time now);
bool IsOverdue(const Appeal& appeal, const rules::DatedRule& rule,
               absl::Time now);

// Both classes, with what is due in `body` at caller.now: notes with files, not
// while an appeal about them waits; appeals with texts. At most 500 of each.
absl::StatusOr<std::vector<privacy::RetentionClass>> DueIn(
    EvaluationStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const BodyName& body);

// Removes what is due, in one transaction, after `check` agreed to what was
// found in it; answers that. A repeated request changes nothing and answers
// what is due now. Errors of `check`.
absl::StatusOr<std::vector<privacy::RetentionClass>> RemoveDue(
    EvaluationStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const BodyName& body,
    absl::FunctionRef<absl::Status(const std::vector<privacy::RetentionClass>&)>
        check);

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_RETENTION_H_
