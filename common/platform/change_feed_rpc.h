#ifndef PARCOURS_COMMON_PLATFORM_CHANGE_FEED_RPC_H_
#define PARCOURS_COMMON_PLATFORM_CHANGE_FEED_RPC_H_

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "common/storage/database.h"
#include "parcours/platform/v1/change_feed.grpc.pb.h"

namespace parcours::platform {

// parcours.platform.v1.ChangeFeedService over a service's own database.
class ChangeFeedRpc final : public rpc::ServiceOf<v1::ChangeFeedService> {
 public:
  // `database` outlives the service.
  ChangeFeedRpc(rpc::Shell& shell, storage::Database& database)
      : ServiceOf(shell), database_(database) {}

  PARCOURS_RPC(ListChanges, v1::ListChangesRequest, v1::ListChangesResponse)

 private:
  absl::StatusOr<v1::ListChangesResponse> ListChanges(
      const rpc::CallContext& call, const v1::ListChangesRequest& request);

  storage::Database& database_;
};

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_CHANGE_FEED_RPC_H_
