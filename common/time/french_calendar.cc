#include "common/time/french_calendar.h"

#include <cstdint>

#include "absl/time/civil_time.h"

namespace parcours {

// The anonymous Gregorian computus of 1876 (Butcher's Ecclesiastical Calendar),
// as printed in J. Meeus, Astronomical Algorithms, 2nd ed., chapter 8. The
// letters are Meeus's.
absl::CivilDay EasterSunday(absl::civil_year_t year) {
  const auto a = year % 19;
  const auto b = year / 100;
  const auto c = year % 100;
  const auto d = b / 4;
  const auto e = b % 4;
  const auto f = (b + 8) / 25;
  const auto g = (b - f + 1) / 3;
  const auto h = (19 * a + b - d - g + 15) % 30;
  const auto i = c / 4;
  const auto k = c % 4;
  const auto l = (32 + 2 * e + 2 * i - h - k) % 7;
  const auto m = (a + 11 * h + 22 * l) / 451;
  const auto n = h + l - 7 * m + 114;
  return absl::CivilDay(year, n / 31, n % 31 + 1);
}

bool IsPublicHoliday(absl::CivilDay day) {
  switch (day.month()) {
    case 1:
      if (day.day() == 1) return true;
      break;
    case 5:
      if (day.day() == 1 || day.day() == 8) return true;
      break;
    case 7:
      if (day.day() == 14) return true;
      break;
    case 8:
      if (day.day() == 15) return true;
      break;
    case 11:
      if (day.day() == 1 || day.day() == 11) return true;
      break;
    case 12:
      if (day.day() == 25) return true;
      break;
    default:
      break;
  }
  const absl::CivilDay easter = EasterSunday(day.year());
  return day == easter + 1       // Easter Monday
         || day == easter + 39   // Ascension
         || day == easter + 50;  // Whit Monday
}

bool IsWorkingDay(absl::CivilDay day) {
  const absl::Weekday weekday = absl::GetWeekday(day);
  return weekday != absl::Weekday::saturday &&
         weekday != absl::Weekday::sunday && !IsPublicHoliday(day);
}

absl::CivilDay RollToWorkingDay(absl::CivilDay day) {
  while (!IsWorkingDay(day)) ++day;
  return day;
}

absl::CivilDay NextWorkingDay(absl::CivilDay day) {
  return RollToWorkingDay(day + 1);
}

absl::CivilDay AddWorkingDays(absl::CivilDay day, std::int64_t count) {
  const int step = count < 0 ? -1 : 1;
  while (count != 0) {
    day += step;
    if (IsWorkingDay(day)) count -= step;
  }
  return day;
}

std::int64_t CountWorkingDays(absl::CivilDay from, absl::CivilDay to) {
  std::int64_t count = 0;
  for (absl::CivilDay day = from + 1; day <= to; ++day) {
    if (IsWorkingDay(day)) ++count;
  }
  return count;
}

}  // namespace parcours
