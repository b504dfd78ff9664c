#include "services/scheduling/domain/venue_use_cases.h"

#include <optional>
#include <utility>

#include "common/status/error.h"
#include "common/status/macros.h"

namespace parcours::scheduling {
namespace {

template <typename Resource>
absl::Status Valid(const Resource& resource, std::string_view prefix) {
  FieldViolations violations;
  Validate(resource, prefix, violations);
  return violations.ToStatus();
}

}  // namespace

absl::StatusOr<Venue> CreateVenue(SchedulingStore& store,
                                  const access::Caller& caller, Venue venue) {
  RETURN_IF_ERROR(CheckWithin(caller, venue.name.body()));
  return CreateResource<Venue>(store, caller, &SchedulingUnit::venues,
                               std::move(venue), Mode::kCommit,
                               [](SchedulingUnit&, const Venue& created) {
                                 return Valid(created, "venue.");
                               });
}

absl::StatusOr<Venue> UpdateVenue(SchedulingStore& store,
                                  const access::Caller& caller,
                                  const Update<Venue>& update) {
  RETURN_IF_ERROR(CheckWithin(caller, update.name.body()));
  return UpdateResource<Venue>(
      store, caller, &SchedulingUnit::venues, update,
      [](SchedulingUnit& unit, const std::optional<Venue>& before,
         Venue& after) -> absl::Status {
        RETURN_IF_ERROR(Valid(after, "venue."));
        if (!before.has_value() || before->kind == after.kind) {
          return absl::OkStatus();
        }
        // A visited venue is booked by nobody: half-days planned there under
        // one kind are not checked under the other.
        ASSIGN_OR_RETURN(const std::optional<HalfDayName> planned,
                         unit.HalfDayAt(after.name));
        if (!planned.has_value()) return absl::OkStatus();
        return MakeError(Reason::kIllegalTransition,
                         {{"resource", after.name.text()},
                          {"state", std::string(NameOf(before->kind))},
                          {"action", "UpdateVenue.kind"}});
      });
}

absl::StatusOr<Room> CreateRoom(SchedulingStore& store,
                                const access::Caller& caller, Room room) {
  return CreateResource<Room>(
      store, caller, &SchedulingUnit::rooms, std::move(room), Mode::kCommit,
      [&](SchedulingUnit& unit, const Room& created) -> absl::Status {
        // The lock keeps others from booking the whole venue meanwhile.
        ASSIGN_OR_RETURN(
            const Venue venue,
            unit.venues().Lock(caller.scope, created.name.Under<VenueName>()));
        if (venue.kind == VenueKind::kVisit) {
          return MakeError(Reason::kNotApplicableToKind,
                           {{"action", "CreateRoom"},
                            {"kind", std::string(NameOf(venue.kind))}});
        }
        return Valid(created, "room.");
      });
}

absl::StatusOr<Room> UpdateRoom(SchedulingStore& store,
                                const access::Caller& caller,
                                const Update<Room>& update) {
  return UpdateResource<Room>(
      store, caller, &SchedulingUnit::rooms, update,
      [](SchedulingUnit&, const std::optional<Room>&, Room& after) {
        return Valid(after, "room.");
      });
}

absl::Status DeleteRoom(SchedulingStore& store, const access::Caller& caller,
                        const RoomName& name, const std::string& etag) {
  return store
      .Change(caller,
              [&](SchedulingUnit& unit) -> absl::StatusOr<std::string> {
                RETURN_IF_ERROR(unit.venues()
                                    .Lock(caller.scope, name.Under<VenueName>())
                                    .status());
                ASSIGN_OR_RETURN(const Room room,
                                 unit.rooms().Lock(caller.scope, name));
                RETURN_IF_ERROR(CheckEtag(etag, name.text(), room.version));
                ASSIGN_OR_RETURN(const std::optional<HalfDayName> planned,
                                 unit.HalfDayIn(name));
                if (planned.has_value()) {
                  return MakeError(Reason::kAlreadyBooked,
                                   {{"resource", name.text()},
                                    {"booked_by", planned->text()}});
                }
                unit.Delete(room);
                return name.text();
              })
      .status();
}

}  // namespace parcours::scheduling
