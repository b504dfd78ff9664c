#ifndef PARCOURS_SERVICES_SCHEDULING_RPC_COMPLETION_RPC_H_
#define PARCOURS_SERVICES_SCHEDULING_RPC_COMPLETION_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/scheduling/v1/completion.grpc.pb.h"
#include "services/scheduling/rpc/dependencies.h"

namespace parcours::scheduling {

namespace pb = ::parcours::scheduling::v1;

// parcours.scheduling.v1.CompletionService.
class CompletionRpc final : public rpc::ServiceOf<pb::CompletionService> {
 public:
  CompletionRpc(rpc::Shell& shell, Dependencies dependencies)
      : ServiceOf(shell), dependencies_(std::move(dependencies)) {}

  PARCOURS_RPC(CreateCompletionRecord, pb::CreateCompletionRecordRequest,
               pb::CompletionRecord)
  PARCOURS_RPC(GetCompletionRecord, pb::GetCompletionRecordRequest,
               pb::CompletionRecord)
  PARCOURS_RPC(ListCompletionRecords, pb::ListCompletionRecordsRequest,
               pb::ListCompletionRecordsResponse)

 private:
  absl::StatusOr<pb::CompletionRecord> CreateCompletionRecord(
      const rpc::CallContext& call,
      const pb::CreateCompletionRecordRequest& request);
  absl::StatusOr<pb::CompletionRecord> GetCompletionRecord(
      const rpc::CallContext& call,
      const pb::GetCompletionRecordRequest& request);
  absl::StatusOr<pb::ListCompletionRecordsResponse> ListCompletionRecords(
      const rpc::CallContext& call,
      const pb::ListCompletionRecordsRequest& request);

  const Dependencies dependencies_;
};

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_RPC_COMPLETION_RPC_H_
