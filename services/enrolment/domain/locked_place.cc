#include "services/enrolment/domain/locked_place.h"

#include <utility>

#include "common/status/macros.h"
#include "services/enrolment/domain/waiting_list.h"

namespace parcours::enrolment {

absl::StatusOr<LockedPlace> LockPlace(EnrolmentUnit& unit,
                                      const rules::RuleBook& rules,
                                      const access::Caller& caller,
                                      const ApplicationName& name,
                                      std::string_view cause) {
  ASSIGN_OR_RETURN(LockedPlaces places,
                   unit.LockPlaces(caller.scope, name.Under<CohortName>()));
  ASSIGN_OR_RETURN(Application application,
                   unit.applications().Lock(caller.scope, name));
  const PlaceState before = application.place_state;
  return LockedPlace{.places = std::move(places),
                     .application = std::move(application),
                     .before = before,
                     .cause = std::string(cause),
                     .now = caller.now,
                     .rules = rules};
}

absl::Status SettlePlace(EnrolmentUnit& unit, const access::Caller& caller,
                         LockedPlace& locked) {
  unit.applications().Update(locked.application);
  PlaceCounts counts = locked.places.counts;
  CountMove(counts, locked.before, locked.application.place_state);
  const bool passed = locked.before == PlaceState::kOffered &&
                      locked.application.place_state == PlaceState::kWaitlisted;
  return OfferFreePlaces(unit, locked.rules, caller, locked.places.cohort,
                         counts,
                         passed ? locked.application.name : ApplicationName());
}

}  // namespace parcours::enrolment
