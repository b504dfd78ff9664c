#include "common/audit/audit_rpc.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "common/audit/chain.h"
#include "common/audit/message.h"
#include "common/audit/trail.h"
#include "common/rpc/convert.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::audit {
namespace {

namespace pb = ::parcours::platform::v1;

pb::AuditHead HeadMessage(const std::string& service, const Head& head,
                          absl::Time read_time) {
  pb::AuditHead message;
  message.set_service(service);
  message.set_incarnation(head.incarnation);
  message.set_position(head.position);
  message.set_hash(head.hash);
  *message.mutable_read_time() = rpc::TimestampOf(read_time);
  return message;
}

// Keys of page tokens are numbers that this service has sealed.
int64_t NumberOf(const std::string& key) {
  int64_t number = 0;
  return absl::SimpleAtoi(key, &number) ? number : 0;
}

std::string KeyOf(const std::optional<int64_t>& after) {
  return after.has_value() ? Cat(*after) : "";
}

}  // namespace

absl::StatusOr<pb::ListAuditEntriesResponse> AuditRpc::ListAuditEntries(
    const rpc::CallContext& call, const pb::ListAuditEntriesRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page, page_tokens_.Read(request));
  TrailQuery query{.scope = call.caller.scope,
                   .after = NumberOf(page.after_key),
                   .limit = page.size,
                   .resource = request.resource(),
                   .subject = request.subject(),
                   .deadline = call.caller.deadline};
  if (request.action() != pb::AuditRecord::ACTION_UNSPECIFIED) {
    query.action = rpc::EnumFromProto<Action>(request.action());
  }
  if (request.has_start_time()) {
    query.start_time = rpc::TimeOf(request.start_time());
  }
  if (request.has_end_time()) query.end_time = rpc::TimeOf(request.end_time());
  ASSIGN_OR_RETURN(const TrailPage found, ReadTrail(database_, query));
  if (request.page_token().empty()) {
    std::vector<std::string> asked;
    if (!request.resource().empty()) asked.push_back(request.resource());
    RETURN_IF_ERROR(journal_.Record(call.caller, asked,
                                    /*before_answer=*/false));
  }
  pb::ListAuditEntriesResponse response;
  for (const ChainedEntry& entry : found.entries) {
    *response.add_entries() = ToProto(entry);
  }
  response.set_next_page_token(
      page_tokens_.Make(request, KeyOf(found.next_after)));
  return response;
}

absl::StatusOr<pb::AuditHead> AuditRpc::GetAuditHead(
    const rpc::CallContext& call, const pb::GetAuditHeadRequest&) {
  Head head;
  RETURN_IF_ERROR(
      database_.View(TrailCaller(call.caller.deadline),
                     [&](storage::Transaction& transaction) -> absl::Status {
                       ASSIGN_OR_RETURN(head, ReadHead(transaction));
                       return absl::OkStatus();
                     }));
  return HeadMessage(service_, head, absl::Now());
}

absl::StatusOr<pb::ListAuditWitnessesResponse> AuditRpc::ListAuditWitnesses(
    const rpc::CallContext& call,
    const pb::ListAuditWitnessesRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page, page_tokens_.Read(request));
  ASSIGN_OR_RETURN(
      const WitnessPage found,
      ReadWitnesses(database_, request.service(), NumberOf(page.after_key),
                    page.size, call.caller.deadline));
  pb::ListAuditWitnessesResponse response;
  for (const WitnessedHead& kept : found.heads) {
    *response.add_heads() =
        HeadMessage(kept.service, kept.head, kept.observe_time);
  }
  response.set_next_page_token(
      page_tokens_.Make(request, KeyOf(found.next_after)));
  return response;
}

}  // namespace parcours::audit
