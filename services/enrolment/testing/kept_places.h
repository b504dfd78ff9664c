#ifndef PARCOURS_SERVICES_ENROLMENT_TESTING_KEPT_PLACES_H_
#define PARCOURS_SERVICES_ENROLMENT_TESTING_KEPT_PLACES_H_

#include "common/storage/database.h"

namespace parcours::enrolment {

// Fails the test where the places that are kept of a cohort are not those of
// its applications.
void ExpectKeptPlacesAreTrue(storage::Database& database);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_TESTING_KEPT_PLACES_H_
