#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_ERASURE_RPC_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_ERASURE_RPC_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/enrolment/v1/erasure.grpc.pb.h"
#include "services/enrolment/domain/erasure_use_cases.h"
#include "services/enrolment/rpc/dependencies.h"

namespace parcours::enrolment {

namespace pb = ::parcours::enrolment::v1;

// parcours.enrolment.v1.ErasureService.
class ErasureRpc final : public rpc::ServiceOf<pb::ErasureService> {
 public:
  ErasureRpc(rpc::Shell& shell, Dependencies dependencies, ErasurePorts ports)
      : ServiceOf(shell),
        dependencies_(std::move(dependencies)),
        ports_(std::move(ports)) {}

  PARCOURS_RPC(ErasePerson, pb::ErasePersonRequest, pb::Erasure)
  PARCOURS_RPC(GetErasure, pb::GetErasureRequest, pb::Erasure)
  PARCOURS_RPC(ListErasures, pb::ListErasuresRequest, pb::ListErasuresResponse)

 private:
  absl::StatusOr<pb::Erasure> ErasePerson(
      const rpc::CallContext& call, const pb::ErasePersonRequest& request);
  absl::StatusOr<pb::Erasure> GetErasure(const rpc::CallContext& call,
                                         const pb::GetErasureRequest& request);
  absl::StatusOr<pb::ListErasuresResponse> ListErasures(
      const rpc::CallContext& call, const pb::ListErasuresRequest& request);

  const Dependencies dependencies_;
  const ErasurePorts ports_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_ERASURE_RPC_H_
