#ifndef PARCOURS_SERVICES_SCHEDULING_RPC_CALENDAR_RPC_H_
#define PARCOURS_SERVICES_SCHEDULING_RPC_CALENDAR_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/scheduling/v1/calendar.grpc.pb.h"
#include "services/scheduling/rpc/dependencies.h"

namespace parcours::scheduling {

namespace pb = ::parcours::scheduling::v1;

// parcours.scheduling.v1.CalendarService.
class CalendarRpc final : public rpc::ServiceOf<pb::CalendarService> {
 public:
  CalendarRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(GetCalendar, pb::GetCalendarRequest, pb::Calendar)
  PARCOURS_RPC(GetHalfDay, pb::GetHalfDayRequest, pb::HalfDay)
  PARCOURS_RPC(ListHalfDays, pb::ListHalfDaysRequest, pb::ListHalfDaysResponse)
  PARCOURS_RPC(UpdateHalfDay, pb::UpdateHalfDayRequest, pb::HalfDay)
  PARCOURS_RPC(DeleteHalfDay, pb::DeleteHalfDayRequest, google::protobuf::Empty)
  PARCOURS_RPC(PublishCalendar, pb::PublishCalendarRequest, pb::CalendarVersion)
  PARCOURS_RPC(GetCalendarVersion, pb::GetCalendarVersionRequest,
               pb::CalendarVersion)
  PARCOURS_RPC(ListCalendarVersions, pb::ListCalendarVersionsRequest,
               pb::ListCalendarVersionsResponse)
  PARCOURS_RPC(CompareCalendarVersions, pb::CompareCalendarVersionsRequest,
               pb::CompareCalendarVersionsResponse)

 private:
  absl::StatusOr<pb::Calendar> GetCalendar(
      const rpc::CallContext& call, const pb::GetCalendarRequest& request);
  absl::StatusOr<pb::HalfDay> GetHalfDay(const rpc::CallContext& call,
                                         const pb::GetHalfDayRequest& request);
  absl::StatusOr<pb::ListHalfDaysResponse> ListHalfDays(
      const rpc::CallContext& call, const pb::ListHalfDaysRequest& request);
  absl::StatusOr<pb::HalfDay> UpdateHalfDay(
      const rpc::CallContext& call, const pb::UpdateHalfDayRequest& request);
  absl::StatusOr<google::protobuf::Empty> DeleteHalfDay(
      const rpc::CallContext& call, const pb::DeleteHalfDayRequest& request);
  absl::StatusOr<pb::CalendarVersion> PublishCalendar(
      const rpc::CallContext& call, const pb::PublishCalendarRequest& request);
  absl::StatusOr<pb::CalendarVersion> GetCalendarVersion(
      const rpc::CallContext& call,
      const pb::GetCalendarVersionRequest& request);
  absl::StatusOr<pb::ListCalendarVersionsResponse> ListCalendarVersions(
      const rpc::CallContext& call,
      const pb::ListCalendarVersionsRequest& request);
  absl::StatusOr<pb::CompareCalendarVersionsResponse> CompareCalendarVersions(
      const rpc::CallContext& call,
      const pb::CompareCalendarVersionsRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_RPC_CALENDAR_RPC_H_
