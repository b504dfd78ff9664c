#ifndef PARCOURS_COMMON_PLATFORM_CALLER_RPC_H_
#define PARCOURS_COMMON_PLATFORM_CALLER_RPC_H_

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/platform/v1/caller.grpc.pb.h"

namespace parcours::platform {

// parcours.platform.v1.CallerService.
class CallerRpc final : public rpc::ServiceOf<v1::CallerService> {
 public:
  explicit CallerRpc(rpc::Shell& shell) : ServiceOf(shell) {}

  PARCOURS_RPC(GetCaller, v1::GetCallerRequest, v1::GetCallerResponse)

 private:
  absl::StatusOr<v1::GetCallerResponse> GetCaller(
      const rpc::CallContext& call, const v1::GetCallerRequest& request);
};

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_CALLER_RPC_H_
