#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_ROSTER_USE_CASES_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_ROSTER_USE_CASES_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/privacy/erasure_log.h"
#include "common/types/record.h"
#include "services/scheduling/domain/enrolment_port.h"
#include "services/scheduling/domain/scheduling_store.h"

namespace parcours::scheduling {

struct AppliedChanges {
  int64_t count = 0;
  // Where the copy stands in enrolment's feed.
  std::string token;
};

// Follows enrolment's feed from where the copy stands to its end: copies each
// enrolment, cohort and name that changed, and stores the position in the same
// transaction. Whom it has erased is erased here, and noted in `log`. What
// waited on a sheet and is now known is settled. After a trim or a restore of
// the feed, the known cohorts and all erasures are read anew. Any number may
// run at the same time. `caller` serves the whole installation.
// OWNER_UNAVAILABLE, and the errors of ErasePerson; what was applied before
// stays.
absl::StatusOr<AppliedChanges> ApplyEnrolmentChanges(
    SchedulingStore& store, EnrolmentPort& enrolment, privacy::ErasureLog& log,
    const access::Caller& caller);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_ROSTER_USE_CASES_H_
