#include "services/scheduling/rpc/completion_rpc.h"

#include "common/status/error.h"
#include "common/status/macros.h"
#include "services/scheduling/domain/completion_use_cases.h"
#include "services/scheduling/rpc/convert.h"

namespace parcours::scheduling {

absl::StatusOr<pb::CompletionRecord> CompletionRpc::CreateCompletionRecord(
    const rpc::CallContext& call,
    const pb::CreateCompletionRecordRequest& request) {
  const EnrolmentName enrolment =
      EnrolmentName::FromRecord(request.completion_record().enrolment());
  if (enrolment.Under<CohortName>().text() != request.parent()) {
    return MakeFieldError("completion_record.enrolment",
                          Reason::kUnknownReference);
  }
  ASSIGN_OR_RETURN(const CompletionRecord record,
                   scheduling::CreateCompletionRecord(dependencies_.store,
                                                      dependencies_.enrolment,
                                                      call.caller, enrolment));
  return ToProto(record);
}

absl::StatusOr<pb::CompletionRecord> CompletionRpc::GetCompletionRecord(
    const rpc::CallContext& call,
    const pb::GetCompletionRecordRequest& request) {
  ASSIGN_OR_RETURN(
      const CompletionRecord found,
      GetResource<CompletionRecord>(
          dependencies_.store, call.caller, &SchedulingUnit::completion_records,
          CompletionRecordName::FromRecord(request.name())));
  return ToProto(found);
}

absl::StatusOr<pb::ListCompletionRecordsResponse>
CompletionRpc::ListCompletionRecords(
    const rpc::CallContext& call,
    const pb::ListCompletionRecordsRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<CompletionRecord> found,
      ListResources<CompletionRecord>(dependencies_.store, call.caller,
                                      &SchedulingUnit::completion_records,
                                      request.parent(), page));
  return PageResponse<pb::ListCompletionRecordsResponse>(
      dependencies_, request, found,
      [](auto& response, const CompletionRecord& item) {
        *response.add_completion_records() = ToProto(item);
      });
}

}  // namespace parcours::scheduling
