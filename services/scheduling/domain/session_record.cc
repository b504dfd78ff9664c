#include "services/scheduling/domain/session_record.h"

#include <utility>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::scheduling {

absl::StatusOr<CalendarVersion> ReadPublished(SchedulingUnit& unit,
                                              const access::Caller& caller,
                                              const CohortName& cohort) {
  ASSIGN_OR_RETURN(const Calendar calendar,
                   unit.calendars().Get(caller.scope, CalendarOf(cohort)));
  if (calendar.published_version == 0) {
    return MakeError(Reason::kCalendarNotPublished);
  }
  return unit.calendar_versions().Get(
      caller.scope,
      ChildName<CalendarVersionName>(cohort, "calendarVersions",
                                     Cat(calendar.published_version)));
}

absl::StatusOr<Session> ReadSession(SchedulingUnit& unit,
                                    const access::Caller& caller,
                                    const HalfDayName& half_day) {
  const CohortName cohort = half_day.Under<CohortName>();
  ASSIGN_OR_RETURN(const CalendarVersion published,
                   ReadPublished(unit, caller, cohort));
  const HalfDay* found = published.Find(half_day);
  if (found == nullptr) {
    return MakeError(Reason::kNotFound, {{"resource", half_day.text()}});
  }
  Session session;
  session.half_day = *found;
  session.time_zone = published.time_zone;
  ASSIGN_OR_RETURN(session.entries, unit.EntriesOf(caller.scope, half_day));
  ASSIGN_OR_RETURN(session.roster, unit.RosterOf(caller.scope, cohort));
  return session;
}

absl::Status RecordEntry(SchedulingUnit& unit, const access::Caller& caller,
                         AttendanceSheet& sheet, AttendanceEntry& entry,
                         Session& session) {
  RETURN_IF_ERROR(Append(caller.now, caller.principal.subject, sheet, entry));
  unit.entries().Insert(entry);
  session.entries.push_back(entry);
  return absl::OkStatus();
}

absl::Status RecordSettled(SchedulingUnit& unit, const access::Caller& caller,
                           AttendanceSheet& sheet, Session& session) {
  for (AttendanceEntry& entry : SettleKnown(session)) {
    RETURN_IF_ERROR(RecordEntry(unit, caller, sheet, entry, session));
  }
  return absl::OkStatus();
}

}  // namespace parcours::scheduling
