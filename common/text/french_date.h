#ifndef PARCOURS_COMMON_TEXT_FRENCH_DATE_H_
#define PARCOURS_COMMON_TEXT_FRENCH_DATE_H_

#include <string>
#include <string_view>

#include "absl/time/civil_time.h"

namespace parcours {

// "1er mars 2026".
std::string FrenchDay(absl::CivilDay day);

// "1er mars 2026 à 9 h 05".
std::string FrenchMinute(absl::CivilMinute minute);

// A day ("2026-03-01") or a local time ("2026-03-01 09:05", or RFC 3339 with
// the offset of its place) as above; any other text as it is.
std::string InFrench(std::string_view text);

}  // namespace parcours

#endif  // PARCOURS_COMMON_TEXT_FRENCH_DATE_H_
