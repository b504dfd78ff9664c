#include "common/text/french_date.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "common/text/view.h"

namespace parcours {
namespace {

constexpr std::string_view kMonths[] = {
    "janvier", "février", "mars",      "avril",   "mai",      "juin",
    "juillet", "août",    "septembre", "octobre", "novembre", "décembre"};

// Whether `text` is made as `form`, in which 0 stands for any digit and ? for
// any sign of an offset.
bool HasForm(std::string_view text, std::string_view form) {
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool fits = form[i] == '0'
                          ? absl::ascii_isdigit(static_cast<unsigned char>(c))
                      : form[i] == '?' ? c == '+' || c == '-'
                                       : c == form[i];
    if (!fits) return false;
  }
  return true;
}

}  // namespace

std::string FrenchDay(absl::CivilDay day) {
  return absl::StrFormat("%d%s %s %d", day.day(), day.day() == 1 ? "er" : "",
                         std::string(kMonths[day.month() - 1]), day.year());
}

std::string FrenchMinute(absl::CivilMinute minute) {
  return absl::StrFormat("%s à %d h %02d", FrenchDay(absl::CivilDay(minute)),
                         minute.hour(), minute.minute());
}

std::string InFrench(std::string_view text) {
  if (HasForm(text, "0000-00-00")) {
    absl::CivilDay day;
    if (absl::ParseCivilTime(AbslView(text), &day)) return FrenchDay(day);
  }
  if (HasForm(text, "0000-00-00 00:00") ||
      HasForm(text, "0000-00-00T00:00:00?00:00")) {
    // Day and minute, without what parts them.
    std::string local(text.substr(0, 16));
    local[10] = 'T';
    absl::CivilMinute minute;
    if (absl::ParseCivilTime(local, &minute)) return FrenchMinute(minute);
  }
  return std::string(text);
}

}  // namespace parcours
