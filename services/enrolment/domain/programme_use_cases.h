#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_PROGRAMME_USE_CASES_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_PROGRAMME_USE_CASES_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/rules/rule_book.h"
#include "common/types/record.h"
#include "services/enrolment/domain/enrolment_store.h"

namespace parcours::enrolment {

// The use cases of bodies, programmes, cohorts, people and organisations. Each
// checks everything, reports all violations at once and writes nothing then;
// besides what is named here, each returns the errors of EnrolmentStore.

absl::StatusOr<Body> CreateBody(EnrolmentStore& store,
                                const access::Caller& caller, Body body,
                                Mode mode);
absl::StatusOr<Body> UpdateBody(EnrolmentStore& store,
                                const access::Caller& caller,
                                const Update<Body>& update);

absl::StatusOr<Programme> CreateProgramme(EnrolmentStore& store,
                                          const access::Caller& caller,
                                          Programme programme, Mode mode);
absl::StatusOr<Programme> UpdateProgramme(EnrolmentStore& store,
                                          const access::Caller& caller,
                                          const Update<Programme>& update);

// UNKNOWN_REFERENCE for a programme that does not exist in the body.
absl::StatusOr<Cohort> CreateCohort(EnrolmentStore& store,
                                    const access::Caller& caller, Cohort cohort,
                                    Mode mode);

// CAPACITY_BELOW_HELD with the list of who holds a place. A raised capacity
// offers what it adds to the waiting list.
absl::StatusOr<Cohort> UpdateCohort(EnrolmentStore& store,
                                    const rules::RuleBook& rules,
                                    const access::Caller& caller,
                                    const Update<Cohort>& update);

// Publishes a cohort; after a postponement the deadlines of its places start
// anew and free places are offered. ILLEGAL_TRANSITION, ETAG_MISMATCH.
absl::StatusOr<Cohort> OpenCohort(EnrolmentStore& store,
                                  const rules::RuleBook& rules,
                                  const access::Caller& caller,
                                  const CohortName& name,
                                  const std::string& etag);

// A named person decides whether the course takes place, and in the same
// transaction what follows: CANCEL releases every place, ends agreements and
// participations; POSTPONE keeps places and ranks, stops every deadline and
// takes offers back. ILLEGAL_TRANSITION, BELOW_MINIMUM, REASON_REQUIRED,
// DECIDER_NOT_A_PERSON, ETAG_MISMATCH.
absl::StatusOr<Cohort> DecideCohort(EnrolmentStore& store,
                                    const rules::RuleBook& rules,
                                    const access::Caller& caller,
                                    const CohortName& name, GoDecision decision,
                                    const Decision& decided,
                                    const std::string& etag);

struct GoNoGo {
  Cohort cohort;
  GoNoGoCounts counts;
};
absl::StatusOr<GoNoGo> GetGoNoGo(EnrolmentStore& store,
                                 const access::Caller& caller,
                                 const CohortName& name);

// A cohort together with how many of its places stand in each state.
struct CohortView {
  Cohort cohort;
  PlaceCounts counts;
};
absl::StatusOr<CohortView> GetCohort(EnrolmentStore& store,
                                     const access::Caller& caller,
                                     const CohortName& name);

absl::StatusOr<Page<CohortView>> ListCohorts(EnrolmentStore& store,
                                             const access::Caller& caller,
                                             const BodyName& body,
                                             const PageRequest& page);

// How many places of the cohort stand in each state.
absl::StatusOr<PlaceCounts> CountPlacesOf(EnrolmentStore& store,
                                          const access::Caller& caller,
                                          const CohortName& name);

absl::StatusOr<Person> CreatePerson(EnrolmentStore& store,
                                    const access::Caller& caller, Person person,
                                    Mode mode);
absl::StatusOr<Person> UpdatePerson(EnrolmentStore& store,
                                    const access::Caller& caller,
                                    const Update<Person>& update);

absl::StatusOr<Organisation> CreateOrganisation(EnrolmentStore& store,
                                                const access::Caller& caller,
                                                Organisation organisation,
                                                Mode mode);
absl::StatusOr<Organisation> UpdateOrganisation(
    EnrolmentStore& store, const access::Caller& caller,
    const Update<Organisation>& update);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_PROGRAMME_USE_CASES_H_
