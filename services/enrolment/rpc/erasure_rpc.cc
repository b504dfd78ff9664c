#include "services/enrolment/rpc/erasure_rpc.h"

#include "common/rpc/convert.h"
#include "common/status/macros.h"
#include "common/types/record.h"
#include "services/enrolment/rpc/convert.h"

namespace parcours::enrolment {

absl::StatusOr<pb::Erasure> ErasureRpc::ErasePerson(
    const rpc::CallContext& call, const pb::ErasePersonRequest& request) {
  ASSIGN_OR_RETURN(
      const Erasure erasure,
      enrolment::ErasePerson(
          dependencies_.store, dependencies_.rules, ports_, call.caller,
          PersonName::FromRecord(request.person()),
          rpc::EnumFromProto<ErasureGround>(request.ground()), request.etag(),
          request.validate_only() ? Mode::kValidateOnly : Mode::kCommit));
  return ToProto(erasure);
}

absl::StatusOr<pb::Erasure> ErasureRpc::GetErasure(
    const rpc::CallContext& call, const pb::GetErasureRequest& request) {
  ASSIGN_OR_RETURN(
      const Erasure erasure,
      GetResource<Erasure>(dependencies_.store, call.caller,
                           &EnrolmentUnit::erasures,
                           ErasureName::FromRecord(request.name())));
  return ToProto(erasure);
}

absl::StatusOr<pb::ListErasuresResponse> ErasureRpc::ListErasures(
    const rpc::CallContext& call, const pb::ListErasuresRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<Erasure> found,
      enrolment::ListErasures(dependencies_.store, call.caller,
                              BodyName::FromRecord(request.parent()), page));
  return PageResponse<pb::ListErasuresResponse>(
      dependencies_, request, found, [](auto& response, const Erasure& item) {
        *response.add_erasures() = ToProto(item);
      });
}

}  // namespace parcours::enrolment
