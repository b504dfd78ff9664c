#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_CALENDAR_USE_CASES_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_CALENDAR_USE_CASES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/types/record.h"
#include "services/scheduling/domain/enrolment_port.h"
#include "services/scheduling/domain/scheduling_store.h"

namespace parcours::scheduling {

// The use cases of the calendar. Each checks everything, reports all
// violations at once and writes nothing then; besides what is named here, each
// returns the errors of SchedulingStore.

// A calendar with what follows from its half-days.
struct CalendarView {
  Calendar calendar;
  CalendarTotals totals;
  std::vector<MissingItem> missing_items;
  bool has_unpublished_changes = false;
};
absl::StatusOr<CalendarView> GetCalendar(SchedulingStore& store,
                                         const access::Caller& caller,
                                         const CalendarName& name);

// Plans or changes a half-day and books what it needs. A cohort, module or
// trainer that is not known here yet is asked from enrolment. ALREADY_BOOKED,
// CALENDAR_HAS_ATTENDANCE, UNKNOWN_REFERENCE, OWNER_UNAVAILABLE,
// ETAG_MISMATCH and the errors of Validate and Resolve.
absl::StatusOr<HalfDay> UpdateHalfDay(SchedulingStore& store,
                                      EnrolmentPort& enrolment,
                                      const access::Caller& caller,
                                      const Update<HalfDay>& update);

// CALENDAR_HAS_ATTENDANCE, ETAG_MISMATCH.
absl::Status DeleteHalfDay(SchedulingStore& store, const access::Caller& caller,
                           const HalfDayName& name, const std::string& etag);

// The next version; the published one when nothing differs from it. The errors
// of Publish, CALENDAR_HAS_ATTENDANCE when a half-day with attendance would
// move or go, ETAG_MISMATCH.
absl::StatusOr<CalendarVersion> PublishCalendar(SchedulingStore& store,
                                                const access::Caller& caller,
                                                const CalendarName& name,
                                                const std::string& reason,
                                                const std::string& etag);

// A version and what differs from the one before.
struct VersionView {
  CalendarVersion version;
  std::vector<CalendarChange> changes;
};
absl::StatusOr<VersionView> GetCalendarVersion(SchedulingStore& store,
                                               const access::Caller& caller,
                                               const CalendarVersionName& name);

absl::StatusOr<Page<CalendarVersion>> ListCalendarVersions(
    SchedulingStore& store, const access::Caller& caller,
    const CohortName& cohort, const PageRequest& request);

// From version `base` (0: empty) to version `head` (0: the plan).
absl::StatusOr<std::vector<CalendarChange>> CompareCalendarVersions(
    SchedulingStore& store, const access::Caller& caller,
    const CalendarName& name, int64_t base, int64_t head);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_CALENDAR_USE_CASES_H_
