#ifndef PARCOURS_SERVICES_SCHEDULING_STORE_TABLES_H_
#define PARCOURS_SERVICES_SCHEDULING_STORE_TABLES_H_

#include <vector>

#include "common/storage/sealing_of_before.h"
#include "common/storage/table.h"
#include "services/scheduling/domain/attendance.h"
#include "services/scheduling/domain/calendar.h"
#include "services/scheduling/domain/completion.h"
#include "services/scheduling/domain/roster.h"
#include "services/scheduling/domain/venue.h"

namespace parcours::scheduling {

// How the resources of scheduling stand in its tables (migrations/). Built
// once, then immutable.
const storage::Table<Venue>& VenueTable();
const storage::Table<Room>& RoomTable();
const storage::Table<Trainer>& TrainerTable();
const storage::Table<Calendar>& CalendarTable();
const storage::Table<HalfDay>& HalfDayTable();
const storage::Table<CalendarVersion>& CalendarVersionTable();
const storage::Table<RosterEntry>& RosterEntryTable();
const storage::Table<AttendanceSheet>& SheetTable();
const storage::Table<AttendanceEntry>& EntryTable();
const storage::Table<CompletionRecord>& CompletionRecordTable();

// What may have been written before persons had keys.
std::vector<storage::SealingOfBefore::Part> PartsOfBefore();

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_STORE_TABLES_H_
