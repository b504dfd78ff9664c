#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_WAITING_LIST_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_WAITING_LIST_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/access/caller.h"
#include "common/rules/rule_book.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/enrolment_store.h"

namespace parcours::enrolment {

// Offers every free place of `cohort` to the first admitted in the waiting
// list, `passed` excepted, as long as somebody may still enter. `counts` is
// what stands before. REQUIRES: the cohort is locked in `unit`.
absl::Status OfferFreePlaces(EnrolmentUnit& unit, const rules::RuleBook& rules,
                             const access::Caller& caller, const Cohort& cohort,
                             PlaceCounts counts,
                             const ApplicationName& passed = {});

// Moves one place from a state to another in `counts`.
void CountMove(PlaceCounts& counts, PlaceState from, PlaceState to);

// Lets time decide on everything that is due at caller.now: offers and held
// places lapse, freed places are offered on. Returns how many decisions it
// took. Each is a transaction of its own, so that a fault loses none.
absl::StatusOr<int> DecideDuePlaces(EnrolmentStore& store,
                                    const rules::RuleBook& rules,
                                    const access::Caller& caller);

// The earliest instant, not after `until`, at which something falls due;
// InfiniteFuture when there is none.
absl::StatusOr<absl::Time> NextDueTime(EnrolmentStore& store,
                                       const access::Caller& caller,
                                       absl::Time until);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_WAITING_LIST_H_
