#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_VENUE_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_VENUE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/status/error.h"
#include "common/types/enum_names.h"
#include "services/scheduling/domain/names.h"

namespace parcours::scheduling {

// What a place is for the course.
enum class VenueKind { kTeaching, kVisit };

// A place of the course. A teaching venue without rooms is one room; a venue
// that is visited is not exclusive.
struct Venue {
  VenueName name;
  std::string display_name;
  std::vector<std::string> address_lines;
  VenueKind kind = VenueKind::kTeaching;
  std::optional<int64_t> capacity;
  std::string access_text;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;

  friend bool operator==(const Venue&, const Venue&) = default;
};

// A room of a teaching venue: one half-day at a time.
struct Room {
  RoomName name;
  std::string display_name;
  std::optional<int64_t> capacity;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;

  friend bool operator==(const Room&, const Room&) = default;
};

// FIELD_REQUIRED and FIELD_OUT_OF_RANGE, under `prefix` ("venue.").
void Validate(const Venue& venue, std::string_view prefix,
              FieldViolations& violations);
void Validate(const Room& room, std::string_view prefix,
              FieldViolations& violations);

}  // namespace parcours::scheduling

namespace parcours {

template <>
struct EnumNames<scheduling::VenueKind> {
  static constexpr std::string_view values[] = {"TEACHING", "VISIT"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_VENUE_H_
