#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_ERASURE_USE_CASES_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_ERASURE_USE_CASES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/privacy/erasure_log.h"
#include "common/privacy/legal_hold.h"
#include "common/rules/rule_book.h"
#include "services/scheduling/domain/legal_holds.h"
#include "services/scheduling/domain/names.h"
#include "services/scheduling/domain/scheduling_store.h"

namespace parcours::scheduling {

// The part of this service in the right to be forgotten: enrolment decides who
// is erased, and asks here why somebody must be kept. Besides what is named
// here, each returns the errors of SchedulingStore.

// Erases `person` for ever: noted in `log` first, then done in one transaction.
// Of somebody who is erased already nothing is done; of somebody who is not
// known here the erasure is kept, so that nothing of them comes later. Holds
// are not asked for. REQUIRES: `caller` serves the installation. UNAVAILABLE
// when the log cannot be kept: then nothing is done.
absl::Status ErasePerson(SchedulingStore& store, privacy::ErasureLog& log,
                         const access::Caller& caller,
                         const PersonName& person);

// Erases again somebody whom a restored copy brought back; nothing is noted.
absl::Status EraseAgain(SchedulingStore& store, const access::Caller& caller,
                        const PersonName& person);

// Everything held on `person`, of one moment. Of somebody who is not known
// here, nothing. PERMISSION_DENIED within another body, or for another person's
// within one's own.
absl::StatusOr<PersonRecord> ReadPerson(SchedulingStore& store,
                                        const access::Caller& caller,
                                        const PersonName& person);

// See LegalHoldsOn. PERMISSION_DENIED.
absl::StatusOr<std::vector<privacy::LegalHold>> HoldsOn(
    SchedulingStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const PersonName& person);

// Whether `person` has been erased here. Until the end of the transaction
// nobody is, so that a name which the owner stated before can be written.
absl::StatusOr<bool> IsErasedForGood(SchedulingUnit& unit,
                                     const PersonName& person);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_ERASURE_USE_CASES_H_
