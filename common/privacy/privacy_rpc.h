#ifndef PARCOURS_COMMON_PRIVACY_PRIVACY_RPC_H_
#define PARCOURS_COMMON_PRIVACY_PRIVACY_RPC_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/privacy/personal_data.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "common/storage/database.h"
#include "parcours/platform/v1/privacy.grpc.pb.h"

namespace parcours::privacy {

// parcours.platform.v1.PrivacyService over what one service does about persons.
class PrivacyRpc final : public rpc::ServiceOf<platform::v1::PrivacyService> {
 public:
  // All outlive this.
  PrivacyRpc(rpc::Shell& shell, storage::Database& database,
             PersonalData& personal_data)
      : ServiceOf(shell), database_(database), personal_data_(personal_data) {}

  PARCOURS_SERVER_STREAM_RPC(ExportPerson, platform::v1::ExportPersonRequest,
                             platform::v1::ExportPersonResponse)
  PARCOURS_RPC(ListLegalHolds, platform::v1::ListLegalHoldsRequest,
               platform::v1::ListLegalHoldsResponse)
  PARCOURS_RPC(PlanRetention, platform::v1::PlanRetentionRequest,
               platform::v1::RetentionPlan)
  PARCOURS_RPC(ApplyRetention, platform::v1::ApplyRetentionRequest,
               platform::v1::RetentionPlan)

 private:
  absl::StatusOr<
      std::unique_ptr<rpc::PieceSource<platform::v1::ExportPersonResponse>>>
  ExportPerson(const rpc::CallContext& call,
               const platform::v1::ExportPersonRequest& request,
               rpc::WakeStream wake);
  absl::StatusOr<platform::v1::ListLegalHoldsResponse> ListLegalHolds(
      const rpc::CallContext& call,
      const platform::v1::ListLegalHoldsRequest& request);
  absl::StatusOr<platform::v1::RetentionPlan> PlanRetention(
      const rpc::CallContext& call,
      const platform::v1::PlanRetentionRequest& request);
  absl::StatusOr<platform::v1::RetentionPlan> ApplyRetention(
      const rpc::CallContext& call,
      const platform::v1::ApplyRetentionRequest& request);

  storage::Database& database_;
  PersonalData& personal_data_;
};

}  // namespace parcours::privacy

#endif  // PARCOURS_COMMON_PRIVACY_PRIVACY_RPC_H_
