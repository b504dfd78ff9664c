#include "services/evaluation/rpc/scheduling_client.h"

#include "common/rpc/channel.h"
#include "common/status/macros.h"

namespace parcours::evaluation {
namespace {

namespace scheduling_pb = ::parcours::scheduling::v1;

// As many as the contract allows on a page.
constexpr int32_t kPageSize = 500;

// Beyond it the other service counts as unreachable.
constexpr absl::Duration kPatience = absl::Seconds(5);

}  // namespace

SchedulingClient::SchedulingClient(
    const std::shared_ptr<grpc::Channel>& channel)
    : attendance_(scheduling_pb::AttendanceService::NewStub(channel)) {}

absl::StatusOr<std::vector<AttendanceFigures>> SchedulingClient::ListAttendance(
    const access::Caller& caller, const CohortName& cohort) {
  std::vector<AttendanceFigures> figures;
  scheduling_pb::ListAttendanceSummariesRequest request;
  request.set_parent(cohort.text());
  request.set_page_size(kPageSize);
  do {
    grpc::ClientContext context;
    rpc::Propagate({.caller = caller}, kPatience, context);
    scheduling_pb::ListAttendanceSummariesResponse answer;
    RETURN_IF_ERROR(rpc::OwnerStatus(
        attendance_->ListAttendanceSummaries(&context, request, &answer),
        cohort.text()));
    for (const scheduling_pb::AttendanceSummary& summary :
         answer.attendance_summaries()) {
      figures.push_back(
          {.enrolment = EnrolmentName::FromRecord(summary.enrolment()),
           .attended_minutes = summary.attended_minutes(),
           .due_minutes = summary.due_minutes()});
    }
    request.set_page_token(answer.next_page_token());
  } while (!request.page_token().empty());
  return figures;
}

}  // namespace parcours::evaluation
