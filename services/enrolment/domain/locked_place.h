#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_LOCKED_PLACE_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_LOCKED_PLACE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/rules/rule_book.h"
#include "services/enrolment/domain/enrolment_store.h"
#include "services/enrolment/domain/place.h"

namespace parcours::enrolment {

// One application and the places of its cohort, locked until the end of the
// transaction: nothing that a decision on the place looks at can move.
struct LockedPlace {
  LockedPlaces places;
  Application application;
  // Where the place stood when it was locked.
  PlaceState before;
  std::string cause;
  absl::Time now;
  const rules::RuleBook& rules;

  PlaceSituation Situation() const {
    return {.cohort = places.cohort,
            .counts = places.counts,
            .now = now,
            .cause = cause,
            .rules = rules};
  }
};

// Locks the cohort, then the application. `cause` stands in the story of the
// place.
absl::StatusOr<LockedPlace> LockPlace(EnrolmentUnit& unit,
                                      const rules::RuleBook& rules,
                                      const access::Caller& caller,
                                      const ApplicationName& name,
                                      std::string_view cause);

// Writes the application, and offers on what its change has freed.
absl::Status SettlePlace(EnrolmentUnit& unit, const access::Caller& caller,
                         LockedPlace& locked);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_LOCKED_PLACE_H_
