#include "services/scheduling/domain/venue.h"

#include "absl/strings/ascii.h"
#include "common/text/view.h"

namespace parcours::scheduling {
namespace {

constexpr int64_t kMaximumCapacity = 100000;

void CheckDisplayName(const std::string& display_name, std::string_view prefix,
                      FieldViolations& violations) {
  if (absl::StripAsciiWhitespace(display_name).empty()) {
    violations.Add(Cat(prefix, "display_name"), Reason::kFieldRequired);
  }
}

void CheckCapacity(const std::optional<int64_t>& capacity,
                   std::string_view prefix, FieldViolations& violations) {
  if (capacity.has_value() && (*capacity < 1 || *capacity > kMaximumCapacity)) {
    violations.Add(Cat(prefix, "capacity"), Reason::kFieldOutOfRange,
                   {{"minimum", "1"}, {"maximum", Cat(kMaximumCapacity)}});
  }
}

}  // namespace

void Validate(const Venue& venue, std::string_view prefix,
              FieldViolations& violations) {
  CheckDisplayName(venue.display_name, prefix, violations);
  CheckCapacity(venue.capacity, prefix, violations);
}

void Validate(const Room& room, std::string_view prefix,
              FieldViolations& violations) {
  CheckDisplayName(room.display_name, prefix, violations);
  CheckCapacity(room.capacity, prefix, violations);
}

}  // namespace parcours::scheduling
