#include "common/storage/json.h"

#include <limits>

namespace parcours::storage {

absl::Time FromMicros(int64_t micros) {
  // What ToUnixMicros makes of the infinities.
  if (micros == std::numeric_limits<int64_t>::max()) {
    return absl::InfiniteFuture();
  }
  if (micros == std::numeric_limits<int64_t>::min()) {
    return absl::InfinitePast();
  }
  return absl::FromUnixMicros(micros);
}

std::string CivilDayText(absl::CivilDay day) {
  return absl::FormatCivilTime(day);
}

std::optional<absl::CivilDay> CivilDayFrom(const std::string& text) {
  absl::CivilDay day;
  if (!absl::ParseCivilTime(text, &day)) return std::nullopt;
  return day;
}

}  // namespace parcours::storage
