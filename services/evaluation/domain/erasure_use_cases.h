#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_ERASURE_USE_CASES_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_ERASURE_USE_CASES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/privacy/erasure_log.h"
#include "common/privacy/legal_hold.h"
#include "common/rules/rule_book.h"
#include "services/evaluation/domain/evaluation_store.h"
#include "services/evaluation/domain/names.h"

namespace parcours::evaluation {

// The part of this service in the right to be forgotten: enrolment decides who
// is erased, and asks here why somebody must be kept. Besides what is named
// here, each returns the errors of EvaluationStore.

// Erases `person` for ever: noted in `log` first, then done in one transaction.
// Of somebody who is erased already nothing is done; of somebody who is not
// known here the erasure is kept, so that nothing of them comes later. Holds
// are not asked for. REQUIRES: `caller` serves the installation. UNAVAILABLE
// when the log cannot be kept: then nothing is done.
absl::Status ErasePerson(EvaluationStore& store, privacy::ErasureLog& log,
                         const access::Caller& caller,
                         const PersonName& person);

// Erases again somebody whom a restored copy brought back; nothing is noted.
absl::Status EraseAgain(EvaluationStore& store, const access::Caller& caller,
                        const PersonName& person);

// See LegalHoldsOn.
absl::StatusOr<std::vector<privacy::LegalHold>> HoldsOn(
    EvaluationStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const PersonName& person);

// PERSON_ERASED when one of `persons` has been erased: nothing is written of
// them any more.
absl::Status CheckNotErased(EvaluationUnit& unit,
                            const std::vector<PersonName>& persons);

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_ERASURE_USE_CASES_H_
