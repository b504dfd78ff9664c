#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_PLACE_HISTORY_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_PLACE_HISTORY_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/names.h"

namespace parcours::enrolment {

// One step in the story of a place, as it is told to the person concerned. The
// texts name nobody else: others appear as ranks.
struct PlaceEvent {
  ApplicationName application;
  absl::Time event_time;
  PlaceState place_state = PlaceState::kNone;
  std::string cause;
  int64_t taken_count = 0;
  int64_t capacity = 0;
  std::string rule;
  std::string text_fr;
  std::string text_en;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_PLACE_HISTORY_H_
