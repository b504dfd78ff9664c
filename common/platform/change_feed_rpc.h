#ifndef PARCOURS_COMMON_PLATFORM_CHANGE_FEED_RPC_H_
#define PARCOURS_COMMON_PLATFORM_CHANGE_FEED_RPC_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "common/storage/database.h"
#include "common/storage/feed_tail.h"
#include "common/telemetry/metrics.h"
#include "parcours/platform/v1/change_feed.grpc.pb.h"

namespace parcours::platform {

// The open streams of one process, woken together. Thread-safe.
class FeedWatchers {
 public:
  explicit FeedWatchers(telemetry::Metrics& metrics);

  // Wakes `wake` from now on until Remove of what is returned.
  int64_t Add(rpc::WakeStream wake);
  void Remove(int64_t id);
  void WakeAll();

 private:
  telemetry::Gauge open_;
  std::mutex mutex_;  // guards what follows
  int64_t last_id_ = 0;
  std::map<int64_t, rpc::WakeStream> wakes_;
};

// parcours.platform.v1.ChangeFeedService over a service's own database. Streams
// read the database until they are level with `tail`, and then what it keeps in
// memory.
class ChangeFeedRpc final : public rpc::ServiceOf<v1::ChangeFeedService> {
 public:
  // All outlive the service; `tail` is not yet started.
  ChangeFeedRpc(rpc::Shell& shell, storage::Database& database,
                storage::FeedTail& tail, telemetry::Metrics& metrics);

  PARCOURS_RPC(ListChanges, v1::ListChangesRequest, v1::ListChangesResponse)
  PARCOURS_SERVER_STREAM_RPC(WatchChanges, v1::WatchChangesRequest,
                             v1::WatchChangesResponse)

 private:
  absl::StatusOr<v1::ListChangesResponse> ListChanges(
      const rpc::CallContext& call, const v1::ListChangesRequest& request);
  absl::StatusOr<std::unique_ptr<rpc::PieceSource<v1::WatchChangesResponse>>>
  WatchChanges(const rpc::CallContext& call,
               const v1::WatchChangesRequest& request, rpc::WakeStream wake);

  storage::Database& database_;
  storage::FeedTail& tail_;
  // Also of the tail, which may tell of changes for longer.
  const std::shared_ptr<FeedWatchers> watchers_;
};

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_CHANGE_FEED_RPC_H_
