#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_NAMES_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_NAMES_H_

#include "common/types/resource_name.h"

namespace parcours::scheduling {

using BodyName = ResourceName<"bodies/*">;
using VenueName = ResourceName<"bodies/*/venues/*">;
using RoomName = ResourceName<"bodies/*/venues/*/rooms/*">;
using CalendarName = ResourceName<"bodies/*/cohorts/*/calendar">;
using CalendarVersionName =
    ResourceName<"bodies/*/cohorts/*/calendarVersions/*">;
using HalfDayName = ResourceName<"bodies/*/cohorts/*/halfDays/*">;
using SheetName = ResourceName<"bodies/*/cohorts/*/halfDays/*/sheet">;
using EntryName =
    ResourceName<"bodies/*/cohorts/*/halfDays/*/attendanceEntries/*">;
using RosterEntryName = ResourceName<"bodies/*/cohorts/*/rosterEntries/*">;
using SummaryName =
    ResourceName<"bodies/*/cohorts/*/enrolments/*/attendanceSummary">;
using CompletionRecordName =
    ResourceName<"bodies/*/cohorts/*/completionRecords/*">;

// Owned by enrolment.
using CohortName = ResourceName<"bodies/*/cohorts/*">;
using ProgrammeName = ResourceName<"bodies/*/programmes/*">;
using PersonName = ResourceName<"bodies/*/persons/*">;
using OrganisationName = ResourceName<"bodies/*/organisations/*">;
using EnrolmentName = ResourceName<"bodies/*/cohorts/*/enrolments/*">;
using ErasureName = ResourceName<"bodies/*/erasures/*">;

inline CalendarName CalendarOf(const CohortName& cohort) {
  return CalendarName::FromRecord(cohort.text() + "/calendar");
}

// Whom an erasure of enrolment is about: it has the id of the person.
inline PersonName PersonOf(const ErasureName& erasure) {
  return ChildName<PersonName>(erasure.Under<BodyName>(), "persons",
                               erasure.id());
}

inline SheetName SheetOf(const HalfDayName& half_day) {
  return SheetName::FromRecord(half_day.text() + "/sheet");
}

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_NAMES_H_
