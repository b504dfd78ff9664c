#include "services/enrolment/rpc/peer_client.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "common/rpc/channel.h"
#include "common/rpc/convert.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::enrolment {
namespace {

namespace platform_pb = ::parcours::platform::v1;

constexpr int32_t kPageSize = 500;

// Beyond it the other service counts as unreachable: somebody waits for the
// first, the timer of deadlines for the second.
constexpr absl::Duration kPatience = absl::Seconds(5);
constexpr absl::Duration kPatienceForFeed = absl::Seconds(1);

// The owner is not reached, or not in time: either way it does not say.
absl::Status SilentAsUnavailable(absl::Status status,
                                 const std::string& resource) {
  if (ReasonOf(status) == Reason::kDeadlineExceeded) {
    return MakeError(Reason::kOwnerUnavailable, {{"resource", resource}});
  }
  return status;
}

}  // namespace

std::vector<std::string> PeerClient::Reads() {
  return {"parcours.platform.v1.PrivacyService",
          "parcours.platform.v1.ChangeFeedService"};
}

PeerClient::PeerClient(std::string service,
                       const std::shared_ptr<grpc::Channel>& channel)
    : service_(std::move(service)),
      privacy_(platform_pb::PrivacyService::NewStub(channel)),
      feed_(platform_pb::ChangeFeedService::NewStub(channel)) {}

absl::StatusOr<std::vector<privacy::LegalHold>> PeerClient::LegalHolds(
    const access::Caller& caller, const PersonName& person) {
  platform_pb::ListLegalHoldsRequest request;
  request.set_name(person.text());
  grpc::ClientContext context;
  rpc::Propagate({.caller = caller}, kPatience, context);
  platform_pb::ListLegalHoldsResponse answer;
  const std::string asked = Cat("legal holds of ", service_);
  RETURN_IF_ERROR(SilentAsUnavailable(
      rpc::OwnerStatus(privacy_->ListLegalHolds(&context, request, &answer),
                       asked),
      asked));
  std::vector<privacy::LegalHold> holds;
  for (const platform_pb::LegalHold& said : answer.holds()) {
    privacy::LegalHold& hold =
        holds.emplace_back(privacy::LegalHold{.kind = said.kind(),
                                              .resource = said.resource(),
                                              .rule = said.rule(),
                                              .article = said.article(),
                                              .until = std::nullopt});
    if (said.has_until_date()) hold.until = rpc::CivilDayOf(said.until_date());
  }
  return holds;
}

absl::StatusOr<PeerErasures> PeerClient::ErasuresAfter(
    const access::Caller& caller, const std::string& token) {
  platform_pb::ListChangesRequest request;
  request.set_after_token(token);
  request.set_page_size(kPageSize);
  request.mutable_filter()->add_kinds("erasure");
  grpc::ClientContext context;
  rpc::Propagate({.caller = caller}, kPatienceForFeed, context);
  platform_pb::ListChangesResponse answer;
  const std::string asked = Cat("the change feed of ", service_);
  RETURN_IF_ERROR(SilentAsUnavailable(
      rpc::OwnerStatus(feed_->ListChanges(&context, request, &answer), asked),
      asked));
  PeerErasures erasures;
  for (const platform_pb::Change& change : answer.changes()) {
    const absl::StatusOr<ErasureName> name =
        ErasureName::Parse(change.resource());
    if (name.ok()) erasures.done.push_back(*name);
  }
  erasures.next_token = answer.next_token();
  erasures.more = answer.more();
  return erasures;
}

}  // namespace parcours::enrolment
