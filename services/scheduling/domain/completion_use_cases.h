#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_COMPLETION_USE_CASES_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_COMPLETION_USE_CASES_H_

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/types/record.h"
#include "services/scheduling/domain/completion.h"
#include "services/scheduling/domain/enrolment_port.h"
#include "services/scheduling/domain/scheduling_store.h"

namespace parcours::scheduling {

// The use cases of minutes and completion records. Each returns, besides what
// is named here, the errors of SchedulingStore, NOT_FOUND, PERMISSION_DENIED
// and CALENDAR_NOT_PUBLISHED.

absl::StatusOr<AttendanceSummary> GetSummary(SchedulingStore& store,
                                             const access::Caller& caller,
                                             const EnrolmentName& enrolment);

// By name of the roster entry.
absl::StatusOr<Page<AttendanceSummary>> ListSummaries(
    SchedulingStore& store, const access::Caller& caller,
    const CohortName& cohort, const PageRequest& request);

// Issues the record of an enrolment once its owner has stated it at this
// moment. UNKNOWN_REFERENCE, OWNER_UNAVAILABLE, ALREADY_EXISTS, PERSON_ERASED
// and the errors of IssueRecord.
absl::StatusOr<CompletionRecord> CreateCompletionRecord(
    SchedulingStore& store, EnrolmentPort& owner, const access::Caller& caller,
    const EnrolmentName& enrolment);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_COMPLETION_USE_CASES_H_
