#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_WAITING_LIST_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_WAITING_LIST_H_

#include "absl/status/status.h"
#include "common/access/caller.h"
#include "common/rules/rule_book.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/enrolment_store.h"

namespace parcours::enrolment {

// Offers every free place of `cohort` to the first admitted in the waiting
// list, `passed` excepted, as long as somebody may still enter. `counts` is
// what stands before, and then what stands after. REQUIRES: the cohort is
// locked in `unit`.
absl::Status OfferFreePlaces(EnrolmentUnit& unit, const rules::RuleBook& rules,
                             const access::Caller& caller, const Cohort& cohort,
                             PlaceCounts& counts,
                             const ApplicationName& passed = {});

// Moves one place from a state to another in `counts`.
void CountMove(PlaceCounts& counts, PlaceState from, PlaceState to);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_WAITING_LIST_H_
