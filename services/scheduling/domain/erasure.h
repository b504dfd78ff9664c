#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_ERASURE_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_ERASURE_H_

#include <set>
#include <string>
#include <string_view>

#include "services/scheduling/domain/attendance.h"
#include "services/scheduling/domain/calendar.h"
#include "services/scheduling/domain/completion.h"
#include "services/scheduling/domain/names.h"
#include "services/scheduling/domain/roster.h"

namespace parcours::scheduling {

// What erasing somebody takes out of each resource: what says who it is, and
// what they wrote or was written of them. What is counted, and what the chain
// covers, stays: minutes, states, dates, commitments, hashes.

void Erase(RosterEntry& entry);
void Erase(Trainer& trainer);
void Erase(CompletionRecord& record);
// The texts, and the salt with which they could be guessed from the commitment.
void Erase(AttendanceEntry& entry);

// The name of `person` where it stands as a trainer's or recipient's; whether
// there was one.
bool EraseName(const PersonName& person, HalfDay& half_day);
bool EraseName(const PersonName& person, CalendarVersion& version);

// Where the names of somebody stood in a text.
inline constexpr std::string_view kErasedName = "[…]";

// `text` without any of `names`, written as they are; whether one stood there.
bool EraseNames(const std::set<std::string>& names, std::string& text);

// The same in the texts of an entry about somebody else: what remains of them
// is no longer what was committed to, so the salt goes.
bool EraseNames(const std::set<std::string>& names, AttendanceEntry& entry);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_ERASURE_H_
