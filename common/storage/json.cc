#include "common/storage/json.h"

#include <cstdint>
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

nlohmann::json ParseColumn(const std::string& text) {
  using Json = nlohmann::json;
  bool integers_only = true;
  Json parsed = Json::parse(
      text,
      [&](int, Json::parse_event_t event, Json& value) {
        if (event == Json::parse_event_t::value && value.is_number()) {
          integers_only &= !value.is_number_float() &&
                           (!value.is_number_unsigned() ||
                            value.get<uint64_t>() <=
                                uint64_t{std::numeric_limits<int64_t>::max()});
        }
        return true;
      },
      /*allow_exceptions=*/false);
  if (!integers_only) return Json(Json::value_t::discarded);
  return parsed;
}

}  // namespace parcours::storage
