#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_VENUE_USE_CASES_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_VENUE_USE_CASES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/types/record.h"
#include "services/scheduling/domain/scheduling_store.h"

namespace parcours::scheduling {

// The use cases of venues and rooms. Each checks everything, reports all
// violations at once and writes nothing then; besides what is named here, each
// returns the errors of SchedulingStore.

// ALREADY_EXISTS, FIELD_REQUIRED, FIELD_OUT_OF_RANGE.
absl::StatusOr<Venue> CreateVenue(SchedulingStore& store,
                                  const access::Caller& caller, Venue venue);

// ILLEGAL_TRANSITION when the kind would change under a planned half-day.
absl::StatusOr<Venue> UpdateVenue(SchedulingStore& store,
                                  const access::Caller& caller,
                                  const Update<Venue>& update);

// NOT_APPLICABLE_TO_KIND for a venue that is visited.
absl::StatusOr<Room> CreateRoom(SchedulingStore& store,
                                const access::Caller& caller, Room room);

absl::StatusOr<Room> UpdateRoom(SchedulingStore& store,
                                const access::Caller& caller,
                                const Update<Room>& update);

// ALREADY_BOOKED while a planned half-day names it.
absl::Status DeleteRoom(SchedulingStore& store, const access::Caller& caller,
                        const RoomName& name, const std::string& etag);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_VENUE_USE_CASES_H_
