#include "services/scheduling/rpc/venue_rpc.h"

#include <string>

#include "common/rpc/update_mask.h"
#include "common/status/macros.h"
#include "services/scheduling/domain/venue_use_cases.h"
#include "services/scheduling/rpc/convert.h"

namespace parcours::scheduling {
namespace {

// The update that `message` asks for: the stored resource with the fields of
// the mask written over, in the contract's form.
template <typename Resource, typename Message>
Update<Resource> UpdateOf(const google::protobuf::FieldMask& mask,
                          const Message& message, bool allow_missing) {
  return {.name = Repository<Resource>::Name::FromRecord(message.name()),
          .apply =
              [&mask, &message](Resource& resource) {
                Message merged;
                if (resource.version > 0) merged = ToProto(resource);
                RETURN_IF_ERROR(rpc::MergeMasked(mask, message, merged));
                return Read(merged, resource);
              },
          .etag = message.etag(),
          .allow_missing = allow_missing};
}

}  // namespace

absl::StatusOr<pb::Venue> VenueRpc::CreateVenue(
    const rpc::CallContext& call, const pb::CreateVenueRequest& request) {
  Venue venue;
  venue.name = ChildName<VenueName>(BodyName::FromRecord(request.parent()),
                                    "venues", request.venue_id());
  RETURN_IF_ERROR(Read(request.venue(), venue));
  ASSIGN_OR_RETURN(const Venue created,
                   scheduling::CreateVenue(dependencies_.store, call.caller,
                                           std::move(venue)));
  return ToProto(created);
}

absl::StatusOr<pb::Venue> VenueRpc::GetVenue(
    const rpc::CallContext& call, const pb::GetVenueRequest& request) {
  ASSIGN_OR_RETURN(const Venue found,
                   GetResource<Venue>(dependencies_.store, call.caller,
                                      &SchedulingUnit::venues,
                                      VenueName::FromRecord(request.name())));
  return ToProto(found);
}

absl::StatusOr<pb::ListVenuesResponse> VenueRpc::ListVenues(
    const rpc::CallContext& call, const pb::ListVenuesRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<Venue> found,
      ListResources<Venue>(dependencies_.store, call.caller,
                           &SchedulingUnit::venues, request.parent(), page));
  return PageResponse<pb::ListVenuesResponse>(
      dependencies_, request, found, [](auto& response, const Venue& item) {
        *response.add_venues() = ToProto(item);
      });
}

absl::StatusOr<pb::Venue> VenueRpc::UpdateVenue(
    const rpc::CallContext& call, const pb::UpdateVenueRequest& request) {
  ASSIGN_OR_RETURN(const Venue updated,
                   scheduling::UpdateVenue(
                       dependencies_.store, call.caller,
                       UpdateOf<Venue>(request.update_mask(), request.venue(),
                                       request.allow_missing())));
  return ToProto(updated);
}

absl::StatusOr<pb::Room> VenueRpc::CreateRoom(
    const rpc::CallContext& call, const pb::CreateRoomRequest& request) {
  Room room;
  room.name = ChildName<RoomName>(VenueName::FromRecord(request.parent()),
                                  "rooms", request.room_id());
  RETURN_IF_ERROR(Read(request.room(), room));
  ASSIGN_OR_RETURN(const Room created,
                   scheduling::CreateRoom(dependencies_.store, call.caller,
                                          std::move(room)));
  return ToProto(created);
}

absl::StatusOr<pb::Room> VenueRpc::GetRoom(const rpc::CallContext& call,
                                           const pb::GetRoomRequest& request) {
  ASSIGN_OR_RETURN(const Room found,
                   GetResource<Room>(dependencies_.store, call.caller,
                                     &SchedulingUnit::rooms,
                                     RoomName::FromRecord(request.name())));
  return ToProto(found);
}

absl::StatusOr<pb::ListRoomsResponse> VenueRpc::ListRooms(
    const rpc::CallContext& call, const pb::ListRoomsRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<Room> found,
      ListResources<Room>(dependencies_.store, call.caller,
                          &SchedulingUnit::rooms, request.parent(), page));
  return PageResponse<pb::ListRoomsResponse>(
      dependencies_, request, found, [](auto& response, const Room& item) {
        *response.add_rooms() = ToProto(item);
      });
}

absl::StatusOr<pb::Room> VenueRpc::UpdateRoom(
    const rpc::CallContext& call, const pb::UpdateRoomRequest& request) {
  ASSIGN_OR_RETURN(
      const Room updated,
      scheduling::UpdateRoom(
          dependencies_.store, call.caller,
          UpdateOf<Room>(request.update_mask(), request.room(), false)));
  return ToProto(updated);
}

absl::StatusOr<google::protobuf::Empty> VenueRpc::DeleteRoom(
    const rpc::CallContext& call, const pb::DeleteRoomRequest& request) {
  RETURN_IF_ERROR(scheduling::DeleteRoom(dependencies_.store, call.caller,
                                         RoomName::FromRecord(request.name()),
                                         request.etag()));
  return google::protobuf::Empty();
}

}  // namespace parcours::scheduling
