// Days as French law counts them.

#ifndef PARCOURS_COMMON_TIME_FRENCH_CALENDAR_H_
#define PARCOURS_COMMON_TIME_FRENCH_CALENDAR_H_

#include <cstdint>

#include "absl/time/civil_time.h"

namespace parcours {

// Easter Sunday of the Gregorian calendar in `year`, which is 1583 or later.
absl::CivilDay EasterSunday(absl::civil_year_t year);

// Whether `day` is one of the eleven public holidays of article L3133-1 of the
// Code du travail. The two local holidays of Alsace and Moselle (L3134-13) and
// those of the overseas territories (L3422-2) are not among them.
bool IsPublicHoliday(absl::CivilDay day);

// Whether `day` is neither a Saturday, nor a Sunday, nor a public holiday.
bool IsWorkingDay(absl::CivilDay day);

// The first working day that is not before `day`: a period that ends on a
// Saturday, a Sunday or a public holiday runs to it (C. conso. L221-19, 3°).
absl::CivilDay RollToWorkingDay(absl::CivilDay day);

// The first working day after `day`.
absl::CivilDay NextWorkingDay(absl::CivilDay day);

// The `count`-th working day after `day`, before it when `count` is negative.
// `day` itself is not counted, and is the answer when `count` is 0.
absl::CivilDay AddWorkingDays(absl::CivilDay day, std::int64_t count);

// How many working days lie after `from`, up to and including `to`; 0 when `to`
// is not after `from`. CountWorkingDays(d, AddWorkingDays(d, n)) is n.
std::int64_t CountWorkingDays(absl::CivilDay from, absl::CivilDay to);

}  // namespace parcours

#endif  // PARCOURS_COMMON_TIME_FRENCH_CALENDAR_H_
