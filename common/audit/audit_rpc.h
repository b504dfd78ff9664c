#ifndef PARCOURS_COMMON_AUDIT_AUDIT_RPC_H_
#define PARCOURS_COMMON_AUDIT_AUDIT_RPC_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/page_token.h"
#include "common/rpc/read_journal.h"
#include "common/rpc/shell.h"
#include "common/storage/database.h"
#include "parcours/platform/v1/audit.grpc.pb.h"

namespace parcours::audit {

// parcours.platform.v1.AuditService over a service's own database. Whoever
// begins to list entries stands in the trail themselves, with the resource they
// asked for.
class AuditRpc final : public rpc::ServiceOf<platform::v1::AuditService> {
 public:
  // All outlive this. `service` is its name, "enrolment".
  AuditRpc(rpc::Shell& shell, storage::Database& database,
           const rpc::PageTokens& page_tokens, rpc::ReadJournal& journal,
           std::string service)
      : ServiceOf(shell),
        database_(database),
        page_tokens_(page_tokens),
        journal_(journal),
        service_(std::move(service)) {}

  PARCOURS_RPC(ListAuditEntries, platform::v1::ListAuditEntriesRequest,
               platform::v1::ListAuditEntriesResponse)
  PARCOURS_RPC(GetAuditHead, platform::v1::GetAuditHeadRequest,
               platform::v1::AuditHead)
  PARCOURS_RPC(ListAuditWitnesses, platform::v1::ListAuditWitnessesRequest,
               platform::v1::ListAuditWitnessesResponse)

 private:
  absl::StatusOr<platform::v1::ListAuditEntriesResponse> ListAuditEntries(
      const rpc::CallContext& call,
      const platform::v1::ListAuditEntriesRequest& request);
  absl::StatusOr<platform::v1::AuditHead> GetAuditHead(
      const rpc::CallContext& call,
      const platform::v1::GetAuditHeadRequest& request);
  absl::StatusOr<platform::v1::ListAuditWitnessesResponse> ListAuditWitnesses(
      const rpc::CallContext& call,
      const platform::v1::ListAuditWitnessesRequest& request);

  storage::Database& database_;
  const rpc::PageTokens& page_tokens_;
  rpc::ReadJournal& journal_;
  const std::string service_;
};

}  // namespace parcours::audit

#endif  // PARCOURS_COMMON_AUDIT_AUDIT_RPC_H_
