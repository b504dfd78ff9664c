#include "services/scheduling/rpc/calendar_rpc.h"

#include <string>
#include <vector>

#include "common/rpc/update_mask.h"
#include "common/status/macros.h"
#include "services/scheduling/domain/calendar_use_cases.h"
#include "services/scheduling/rpc/convert.h"

namespace parcours::scheduling {

absl::StatusOr<pb::Calendar> CalendarRpc::GetCalendar(
    const rpc::CallContext& call, const pb::GetCalendarRequest& request) {
  ASSIGN_OR_RETURN(
      const CalendarView view,
      scheduling::GetCalendar(dependencies_.store, call.caller,
                              CalendarName::FromRecord(request.name())));
  return ToProto(view);
}

absl::StatusOr<pb::HalfDay> CalendarRpc::GetHalfDay(
    const rpc::CallContext& call, const pb::GetHalfDayRequest& request) {
  ASSIGN_OR_RETURN(
      const HalfDay found,
      GetResource<HalfDay>(dependencies_.store, call.caller,
                           &SchedulingUnit::half_days,
                           HalfDayName::FromRecord(request.name())));
  return ToProto(found);
}

absl::StatusOr<pb::ListHalfDaysResponse> CalendarRpc::ListHalfDays(
    const rpc::CallContext& call, const pb::ListHalfDaysRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(const Page<HalfDay> found,
                   ListResources<HalfDay>(dependencies_.store, call.caller,
                                          &SchedulingUnit::half_days,
                                          request.parent(), page));
  return PageResponse<pb::ListHalfDaysResponse>(
      dependencies_, request, found, [](auto& response, const HalfDay& item) {
        *response.add_half_days() = ToProto(item);
      });
}

absl::StatusOr<pb::HalfDay> CalendarRpc::UpdateHalfDay(
    const rpc::CallContext& call, const pb::UpdateHalfDayRequest& request) {
  const pb::HalfDay& message = request.half_day();
  const Update<HalfDay> update{.name = HalfDayName::FromRecord(message.name()),
                               .apply = [&](HalfDay& half_day) -> absl::Status {
                                 pb::HalfDay merged;
                                 if (half_day.version > 0)
                                   merged = ToProto(half_day);
                                 RETURN_IF_ERROR(rpc::MergeMasked(
                                     request.update_mask(), message, merged));
                                 return Read(merged, half_day);
                               },
                               .etag = message.etag(),
                               .allow_missing = request.allow_missing()};
  ASSIGN_OR_RETURN(
      const HalfDay updated,
      scheduling::UpdateHalfDay(dependencies_.store, dependencies_.enrolment,
                                call.caller, update));
  return ToProto(updated);
}

absl::StatusOr<google::protobuf::Empty> CalendarRpc::DeleteHalfDay(
    const rpc::CallContext& call, const pb::DeleteHalfDayRequest& request) {
  RETURN_IF_ERROR(scheduling::DeleteHalfDay(
      dependencies_.store, call.caller, HalfDayName::FromRecord(request.name()),
      request.etag()));
  return google::protobuf::Empty();
}

absl::StatusOr<pb::CalendarVersion> CalendarRpc::PublishCalendar(
    const rpc::CallContext& call, const pb::PublishCalendarRequest& request) {
  ASSIGN_OR_RETURN(
      const CalendarVersion version,
      scheduling::PublishCalendar(dependencies_.store, call.caller,
                                  CalendarName::FromRecord(request.name()),
                                  request.reason(), request.etag()));
  ASSIGN_OR_RETURN(const VersionView view,
                   scheduling::GetCalendarVersion(dependencies_.store,
                                                  call.caller, version.name));
  return ToProto(view);
}

absl::StatusOr<pb::CalendarVersion> CalendarRpc::GetCalendarVersion(
    const rpc::CallContext& call,
    const pb::GetCalendarVersionRequest& request) {
  ASSIGN_OR_RETURN(const VersionView view,
                   scheduling::GetCalendarVersion(
                       dependencies_.store, call.caller,
                       CalendarVersionName::FromRecord(request.name())));
  return ToProto(view);
}

absl::StatusOr<pb::ListCalendarVersionsResponse>
CalendarRpc::ListCalendarVersions(
    const rpc::CallContext& call,
    const pb::ListCalendarVersionsRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(const Page<CalendarVersion> found,
                   scheduling::ListCalendarVersions(
                       dependencies_.store, call.caller,
                       CohortName::FromRecord(request.parent()), page));
  return PageResponse<pb::ListCalendarVersionsResponse>(
      dependencies_, request, found,
      [](auto& response, const CalendarVersion& item) {
        *response.add_calendar_versions() = ToProto(item);
      });
}

absl::StatusOr<pb::CompareCalendarVersionsResponse>
CalendarRpc::CompareCalendarVersions(
    const rpc::CallContext& call,
    const pb::CompareCalendarVersionsRequest& request) {
  ASSIGN_OR_RETURN(const std::vector<CalendarChange> changes,
                   scheduling::CompareCalendarVersions(
                       dependencies_.store, call.caller,
                       CalendarName::FromRecord(request.name()),
                       request.base_version(), request.head_version()));
  pb::CompareCalendarVersionsResponse response;
  for (const CalendarChange& change : changes) {
    *response.add_changes() = ToProto(change);
  }
  return response;
}

}  // namespace parcours::scheduling
