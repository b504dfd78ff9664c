#ifndef PARCOURS_SERVICES_SCHEDULING_RPC_ATTENDANCE_RPC_H_
#define PARCOURS_SERVICES_SCHEDULING_RPC_ATTENDANCE_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/scheduling/v1/attendance.grpc.pb.h"
#include "services/scheduling/rpc/dependencies.h"

namespace parcours::scheduling {

namespace pb = ::parcours::scheduling::v1;

// parcours.scheduling.v1.AttendanceService.
class AttendanceRpc final : public rpc::ServiceOf<pb::AttendanceService> {
 public:
  AttendanceRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(GetAttendanceSheet, pb::GetAttendanceSheetRequest,
               pb::AttendanceSheet)
  PARCOURS_RPC(CreateAttendanceEntry, pb::CreateAttendanceEntryRequest,
               pb::AttendanceEntry)
  PARCOURS_RPC(GetAttendanceEntry, pb::GetAttendanceEntryRequest,
               pb::AttendanceEntry)
  PARCOURS_RPC(ListAttendanceEntries, pb::ListAttendanceEntriesRequest,
               pb::ListAttendanceEntriesResponse)
  PARCOURS_RPC(CorrectAttendanceEntry, pb::CorrectAttendanceEntryRequest,
               pb::AttendanceEntry)
  PARCOURS_RPC(AttestAttendanceEntry, pb::AttestAttendanceEntryRequest,
               pb::AttendanceEntry)
  PARCOURS_RPC(ReconcileAttendanceEntry, pb::ReconcileAttendanceEntryRequest,
               pb::AttendanceEntry)
  PARCOURS_RPC(CloseAttendanceSheet, pb::CloseAttendanceSheetRequest,
               pb::AttendanceSheet)
  PARCOURS_RPC(ListReceipts, pb::ListReceiptsRequest, pb::ListReceiptsResponse)
  PARCOURS_RPC(VerifyAttendanceSheet, pb::VerifyAttendanceSheetRequest,
               pb::VerifyAttendanceSheetResponse)
  PARCOURS_RPC(GetAttendanceSummary, pb::GetAttendanceSummaryRequest,
               pb::AttendanceSummary)
  PARCOURS_RPC(ListAttendanceSummaries, pb::ListAttendanceSummariesRequest,
               pb::ListAttendanceSummariesResponse)

 private:
  absl::StatusOr<pb::AttendanceSheet> GetAttendanceSheet(
      const rpc::CallContext& call,
      const pb::GetAttendanceSheetRequest& request);
  absl::StatusOr<pb::AttendanceEntry> CreateAttendanceEntry(
      const rpc::CallContext& call,
      const pb::CreateAttendanceEntryRequest& request);
  absl::StatusOr<pb::AttendanceEntry> GetAttendanceEntry(
      const rpc::CallContext& call,
      const pb::GetAttendanceEntryRequest& request);
  absl::StatusOr<pb::ListAttendanceEntriesResponse> ListAttendanceEntries(
      const rpc::CallContext& call,
      const pb::ListAttendanceEntriesRequest& request);
  absl::StatusOr<pb::AttendanceEntry> CorrectAttendanceEntry(
      const rpc::CallContext& call,
      const pb::CorrectAttendanceEntryRequest& request);
  absl::StatusOr<pb::AttendanceEntry> AttestAttendanceEntry(
      const rpc::CallContext& call,
      const pb::AttestAttendanceEntryRequest& request);
  absl::StatusOr<pb::AttendanceEntry> ReconcileAttendanceEntry(
      const rpc::CallContext& call,
      const pb::ReconcileAttendanceEntryRequest& request);
  absl::StatusOr<pb::AttendanceSheet> CloseAttendanceSheet(
      const rpc::CallContext& call,
      const pb::CloseAttendanceSheetRequest& request);
  absl::StatusOr<pb::ListReceiptsResponse> ListReceipts(
      const rpc::CallContext& call, const pb::ListReceiptsRequest& request);
  absl::StatusOr<pb::VerifyAttendanceSheetResponse> VerifyAttendanceSheet(
      const rpc::CallContext& call,
      const pb::VerifyAttendanceSheetRequest& request);
  absl::StatusOr<pb::AttendanceSummary> GetAttendanceSummary(
      const rpc::CallContext& call,
      const pb::GetAttendanceSummaryRequest& request);
  absl::StatusOr<pb::ListAttendanceSummariesResponse> ListAttendanceSummaries(
      const rpc::CallContext& call,
      const pb::ListAttendanceSummariesRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_RPC_ATTENDANCE_RPC_H_
