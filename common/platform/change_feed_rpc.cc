#include "common/platform/change_feed_rpc.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "common/rpc/convert.h"
#include "common/status/macros.h"
#include "common/storage/feed.h"

namespace parcours::platform {
namespace {

constexpr int kDefaultSize = 100;
constexpr int kMaxSize = 1000;

}  // namespace

absl::StatusOr<v1::ListChangesResponse> ChangeFeedRpc::ListChanges(
    const rpc::CallContext& call, const v1::ListChangesRequest& request) {
  ASSIGN_OR_RETURN(
      const std::optional<int64_t> after,
      storage::DecodeFeedToken(request.after_token(), database_.incarnation()));
  ASSIGN_OR_RETURN(
      const storage::FeedPage page,
      storage::ReadChanges(
          database_, {.scope = call.caller.scope,
                      .after = after,
                      .limit = request.page_size() == 0
                                   ? kDefaultSize
                                   : std::min(request.page_size(), kMaxSize),
                      .deadline = call.caller.deadline}));
  v1::ListChangesResponse response;
  for (const storage::PositionedChange& positioned : page.changes) {
    v1::Change& change = *response.add_changes();
    change.set_position(positioned.position);
    change.set_kind(positioned.change.kind);
    change.set_resource(positioned.change.name);
    change.set_version(positioned.change.version);
    change.set_cause(positioned.change.cause);
    *change.mutable_change_time() = rpc::TimestampOf(positioned.commit_time);
    change.set_removed(positioned.removed);
  }
  response.set_next_token(
      storage::EncodeFeedToken(database_.incarnation(), page.next_position));
  response.set_more(page.more);
  return response;
}

}  // namespace parcours::platform
