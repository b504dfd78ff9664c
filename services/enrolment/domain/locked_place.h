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
  // Where the place stands in places.counts.
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
// place. Time decides first, whether or not the timer has run: what was due is
// done, and its place offered on, before anybody decides on anything else. Only
// an offer past its time stays, for its answer to be told so. PERSON_ERASED for
// the application of somebody who is no more.
absl::StatusOr<LockedPlace> LockPlace(EnrolmentUnit& unit,
                                      const rules::RuleBook& rules,
                                      const access::Caller& caller,
                                      const ApplicationName& name,
                                      std::string_view cause);

// What the timer does with a place: time decides on it, if it is due by now.
// False when somebody else has decided meanwhile.
absl::StatusOr<bool> LapseIfDue(EnrolmentUnit& unit,
                                const rules::RuleBook& rules,
                                const access::Caller& caller,
                                const ApplicationName& name);

// Writes the application, and offers on what its change has freed.
absl::Status SettlePlace(EnrolmentUnit& unit, const access::Caller& caller,
                         LockedPlace& locked);

// Whether the payer has signed an agreement that still stands.
absl::StatusOr<bool> HasSignedAgreement(EnrolmentUnit& unit,
                                        const access::Caller& caller,
                                        const ApplicationName& application);

// Ends every agreement of the application that still stands.
absl::Status EndAgreements(EnrolmentUnit& unit, const access::Caller& caller,
                           const ApplicationName& application,
                           const std::string& reason);

// The place of the application was given up: so is the participation that it
// carried. Agreements end with it unless the learner has started, for what was
// delivered stays due.
absl::Status EndParticipation(EnrolmentUnit& unit, const access::Caller& caller,
                              const Cohort& cohort,
                              const ApplicationName& application,
                              const std::string& reason);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_LOCKED_PLACE_H_
