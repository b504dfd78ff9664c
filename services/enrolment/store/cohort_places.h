// The table `cohort_places`: what the applications of a cohort add up to, so
// that nobody counts them under the cohort's lock.

#ifndef PARCOURS_SERVICES_ENROLMENT_STORE_COHORT_PLACES_H_
#define PARCOURS_SERVICES_ENROLMENT_STORE_COHORT_PLACES_H_

#include <cstdint>

#include "common/storage/session.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/cohort.h"

namespace parcours::enrolment {

// The row of the cohort; none before its first application.
storage::Statement SelectPlaces(const CohortName& cohort);

// Out of what SelectPlaces finds.
int64_t LastRankFrom(const storage::Rows& rows);
PlaceCounts PlaceCountsFrom(const storage::Rows& rows);

// Counts the place of an application that is inserted, and keeps its rank.
storage::Statement CountInserted(const Application& application);

// The same of one that is updated, to be run before that: its former place
// stands in its row. Changes nothing where neither place nor rank changes.
storage::Statement CountMoved(const Application& application);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_STORE_COHORT_PLACES_H_
