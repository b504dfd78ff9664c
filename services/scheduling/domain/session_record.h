#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_SESSION_RECORD_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_SESSION_RECORD_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "services/scheduling/domain/attendance.h"
#include "services/scheduling/domain/scheduling_store.h"

namespace parcours::scheduling {

// The published calendar of a cohort. NOT_FOUND, PERMISSION_DENIED;
// CALENDAR_NOT_PUBLISHED.
absl::StatusOr<CalendarVersion> ReadPublished(SchedulingUnit& unit,
                                              const access::Caller& caller,
                                              const CohortName& cohort);

// A published half-day with what is recorded on it. NOT_FOUND for one that is
// not in the published calendar, and the errors of ReadPublished.
absl::StatusOr<Session> ReadSession(SchedulingUnit& unit,
                                    const access::Caller& caller,
                                    const HalfDayName& half_day);

// Appends `entry` to the chain of `sheet`, which is locked, and to `session`.
absl::Status RecordEntry(SchedulingUnit& unit, const access::Caller& caller,
                         AttendanceSheet& sheet, AttendanceEntry& entry,
                         Session& session);

// Accepts what waited and is now known; see SettleKnown.
absl::Status RecordSettled(SchedulingUnit& unit, const access::Caller& caller,
                           AttendanceSheet& sheet, Session& session);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_SESSION_RECORD_H_
