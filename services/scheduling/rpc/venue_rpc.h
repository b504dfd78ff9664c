#ifndef PARCOURS_SERVICES_SCHEDULING_RPC_VENUE_RPC_H_
#define PARCOURS_SERVICES_SCHEDULING_RPC_VENUE_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/scheduling/v1/venue.grpc.pb.h"
#include "services/scheduling/rpc/dependencies.h"

namespace parcours::scheduling {

namespace pb = ::parcours::scheduling::v1;

// parcours.scheduling.v1.VenueService.
class VenueRpc final : public rpc::ServiceOf<pb::VenueService> {
 public:
  VenueRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(CreateVenue, pb::CreateVenueRequest, pb::Venue)
  PARCOURS_RPC(GetVenue, pb::GetVenueRequest, pb::Venue)
  PARCOURS_RPC(ListVenues, pb::ListVenuesRequest, pb::ListVenuesResponse)
  PARCOURS_RPC(UpdateVenue, pb::UpdateVenueRequest, pb::Venue)
  PARCOURS_RPC(CreateRoom, pb::CreateRoomRequest, pb::Room)
  PARCOURS_RPC(GetRoom, pb::GetRoomRequest, pb::Room)
  PARCOURS_RPC(ListRooms, pb::ListRoomsRequest, pb::ListRoomsResponse)
  PARCOURS_RPC(UpdateRoom, pb::UpdateRoomRequest, pb::Room)
  PARCOURS_RPC(DeleteRoom, pb::DeleteRoomRequest, google::protobuf::Empty)

 private:
  absl::StatusOr<pb::Venue> CreateVenue(const rpc::CallContext& call,
                                        const pb::CreateVenueRequest& request);
  absl::StatusOr<pb::Venue> GetVenue(const rpc::CallContext& call,
                                     const pb::GetVenueRequest& request);
  absl::StatusOr<pb::ListVenuesResponse> ListVenues(
      const rpc::CallContext& call, const pb::ListVenuesRequest& request);
  absl::StatusOr<pb::Venue> UpdateVenue(const rpc::CallContext& call,
                                        const pb::UpdateVenueRequest& request);
  absl::StatusOr<pb::Room> CreateRoom(const rpc::CallContext& call,
                                      const pb::CreateRoomRequest& request);
  absl::StatusOr<pb::Room> GetRoom(const rpc::CallContext& call,
                                   const pb::GetRoomRequest& request);
  absl::StatusOr<pb::ListRoomsResponse> ListRooms(
      const rpc::CallContext& call, const pb::ListRoomsRequest& request);
  absl::StatusOr<pb::Room> UpdateRoom(const rpc::CallContext& call,
                                      const pb::UpdateRoomRequest& request);
  absl::StatusOr<google::protobuf::Empty> DeleteRoom(
      const rpc::CallContext& call, const pb::DeleteRoomRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_RPC_VENUE_RPC_H_
