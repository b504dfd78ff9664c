#include "services/scheduling/rpc/attendance_rpc.h"

#include <optional>
#include <string>
#include <vector>

#include "common/status/macros.h"
#include "services/scheduling/domain/attendance_use_cases.h"
#include "services/scheduling/domain/completion_use_cases.h"
#include "services/scheduling/rpc/convert.h"

namespace parcours::scheduling {

absl::StatusOr<pb::AttendanceSheet> AttendanceRpc::GetAttendanceSheet(
    const rpc::CallContext& call,
    const pb::GetAttendanceSheetRequest& request) {
  ASSIGN_OR_RETURN(const SheetView view,
                   GetSheet(dependencies_.store, call.caller,
                            SheetName::FromRecord(request.name())));
  return ToProto(view);
}

absl::StatusOr<pb::AttendanceEntry> AttendanceRpc::CreateAttendanceEntry(
    const rpc::CallContext& call,
    const pb::CreateAttendanceEntryRequest& request) {
  ASSIGN_OR_RETURN(
      const AttendanceEntry entry,
      SignAttendance(dependencies_.store, dependencies_.rules, call.caller,
                     HalfDayName::FromRecord(request.parent()),
                     SignatureFrom(request.attendance_entry())));
  return ToProto(entry);
}

absl::StatusOr<pb::AttendanceEntry> AttendanceRpc::GetAttendanceEntry(
    const rpc::CallContext& call,
    const pb::GetAttendanceEntryRequest& request) {
  ASSIGN_OR_RETURN(
      const AttendanceEntry found,
      GetResource<AttendanceEntry>(dependencies_.store, call.caller,
                                   &SchedulingUnit::entries,
                                   EntryName::FromRecord(request.name())));
  return ToProto(found);
}

absl::StatusOr<pb::ListAttendanceEntriesResponse>
AttendanceRpc::ListAttendanceEntries(
    const rpc::CallContext& call,
    const pb::ListAttendanceEntriesRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<AttendanceEntry> found,
      ListEntries(dependencies_.store, call.caller,
                  HalfDayName::FromRecord(request.parent()), page));
  return PageResponse<pb::ListAttendanceEntriesResponse>(
      dependencies_, request, found,
      [](auto& response, const AttendanceEntry& item) {
        *response.add_attendance_entries() = ToProto(item);
      });
}

absl::StatusOr<pb::AttendanceEntry> AttendanceRpc::CorrectAttendanceEntry(
    const rpc::CallContext& call,
    const pb::CorrectAttendanceEntryRequest& request) {
  ASSIGN_OR_RETURN(const AttendanceEntry entry,
                   CorrectAttendance(dependencies_.store, call.caller,
                                     EntryName::FromRecord(request.name()),
                                     ClaimFrom(request), request.reason()));
  return ToProto(entry);
}

absl::StatusOr<pb::AttendanceEntry> AttendanceRpc::AttestAttendanceEntry(
    const rpc::CallContext& call,
    const pb::AttestAttendanceEntryRequest& request) {
  ASSIGN_OR_RETURN(
      const AttendanceEntry entry,
      AttestAttendance(dependencies_.store, dependencies_.rules, call.caller,
                       EntryName::FromRecord(request.name()),
                       PersonName::FromRecord(request.trainer())));
  return ToProto(entry);
}

absl::StatusOr<pb::AttendanceEntry> AttendanceRpc::ReconcileAttendanceEntry(
    const rpc::CallContext& call,
    const pb::ReconcileAttendanceEntryRequest& request) {
  ASSIGN_OR_RETURN(
      const AttendanceEntry entry,
      ReconcileAttendance(
          dependencies_.store, call.caller,
          EntryName::FromRecord(request.name()), request.accepted(),
          EnrolmentName::FromRecord(request.enrolment()), request.reason()));
  return ToProto(entry);
}

absl::StatusOr<pb::AttendanceSheet> AttendanceRpc::CloseAttendanceSheet(
    const rpc::CallContext& call,
    const pb::CloseAttendanceSheetRequest& request) {
  ASSIGN_OR_RETURN(
      const SheetView view,
      CloseSheet(dependencies_.store, dependencies_.rules, call.caller,
                 SheetName::FromRecord(request.name()),
                 {.mark_missing_absent = request.mark_missing_absent(),
                  .reason = request.reason(),
                  .etag = request.etag()}));
  return ToProto(view);
}

absl::StatusOr<pb::ListReceiptsResponse> AttendanceRpc::ListReceipts(
    const rpc::CallContext& call, const pb::ListReceiptsRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<Receipt> found,
      scheduling::ListReceipts(dependencies_.store, call.caller,
                               SheetName::FromRecord(request.parent()), page));
  return PageResponse<pb::ListReceiptsResponse>(
      dependencies_, request, found, [](auto& response, const Receipt& item) {
        *response.add_receipts() = ToProto(item);
      });
}

absl::StatusOr<pb::VerifyAttendanceSheetResponse>
AttendanceRpc::VerifyAttendanceSheet(
    const rpc::CallContext& call,
    const pb::VerifyAttendanceSheetRequest& request) {
  std::optional<Receipt> receipt;
  if (request.has_receipt()) receipt = FromProto(request.receipt());
  ASSIGN_OR_RETURN(const Verification verification,
                   VerifySheet(dependencies_.store, call.caller,
                               SheetName::FromRecord(request.name()), receipt));
  return ToProto(verification);
}

absl::StatusOr<pb::AttendanceSummary> AttendanceRpc::GetAttendanceSummary(
    const rpc::CallContext& call,
    const pb::GetAttendanceSummaryRequest& request) {
  ASSIGN_OR_RETURN(
      const AttendanceSummary summary,
      GetSummary(
          dependencies_.store, call.caller,
          SummaryName::FromRecord(request.name()).Under<EnrolmentName>()));
  return ToProto(summary);
}

absl::StatusOr<pb::ListAttendanceSummariesResponse>
AttendanceRpc::ListAttendanceSummaries(
    const rpc::CallContext& call,
    const pb::ListAttendanceSummariesRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<AttendanceSummary> found,
      ListSummaries(dependencies_.store, call.caller,
                    CohortName::FromRecord(request.parent()), page));
  return PageResponse<pb::ListAttendanceSummariesResponse>(
      dependencies_, request, found,
      [](auto& response, const AttendanceSummary& item) {
        *response.add_attendance_summaries() = ToProto(item);
      });
}

}  // namespace parcours::scheduling
