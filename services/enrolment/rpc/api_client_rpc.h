#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_API_CLIENT_RPC_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_API_CLIENT_RPC_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/enrolment/v1/api_client.grpc.pb.h"
#include "services/enrolment/rpc/dependencies.h"

namespace parcours::enrolment {

namespace pb = ::parcours::enrolment::v1;

// How secrets of API clients are kept.
struct SecretKeeping {
  // Under which their digests are made: 32 bytes, the same after a restart.
  std::string key;
  // Real time.
  std::function<absl::Time()> now = absl::Now;
};

// parcours.enrolment.v1.ApiClientService.
class ApiClientRpc final : public rpc::ServiceOf<pb::ApiClientService> {
 public:
  ApiClientRpc(rpc::Shell& shell, Dependencies dependencies,
               SecretKeeping keeping)
      : ServiceOf(shell),
        dependencies_(std::move(dependencies)),
        keeping_(std::move(keeping)) {}

  PARCOURS_RPC(CreateApiClient, pb::CreateApiClientRequest, pb::ApiClient)
  PARCOURS_RPC(GetApiClient, pb::GetApiClientRequest, pb::ApiClient)
  PARCOURS_RPC(ListApiClients, pb::ListApiClientsRequest,
               pb::ListApiClientsResponse)
  PARCOURS_RPC(UpdateApiClient, pb::UpdateApiClientRequest, pb::ApiClient)
  PARCOURS_RPC(AddApiClientSecret, pb::AddApiClientSecretRequest,
               pb::AddApiClientSecretResponse)
  PARCOURS_RPC(RevokeApiClientSecret, pb::RevokeApiClientSecretRequest,
               pb::ApiClient)
  PARCOURS_RPC(DisableApiClient, pb::DisableApiClientRequest, pb::ApiClient)
  PARCOURS_RPC(EnableApiClient, pb::EnableApiClientRequest, pb::ApiClient)

 private:
  absl::StatusOr<pb::ApiClient> CreateApiClient(
      const rpc::CallContext& call, const pb::CreateApiClientRequest& request);
  absl::StatusOr<pb::ApiClient> GetApiClient(
      const rpc::CallContext& call, const pb::GetApiClientRequest& request);
  absl::StatusOr<pb::ListApiClientsResponse> ListApiClients(
      const rpc::CallContext& call, const pb::ListApiClientsRequest& request);
  absl::StatusOr<pb::ApiClient> UpdateApiClient(
      const rpc::CallContext& call, const pb::UpdateApiClientRequest& request);
  absl::StatusOr<pb::AddApiClientSecretResponse> AddApiClientSecret(
      const rpc::CallContext& call,
      const pb::AddApiClientSecretRequest& request);
  absl::StatusOr<pb::ApiClient> RevokeApiClientSecret(
      const rpc::CallContext& call,
      const pb::RevokeApiClientSecretRequest& request);
  absl::StatusOr<pb::ApiClient> DisableApiClient(
      const rpc::CallContext& call, const pb::DisableApiClientRequest& request);
  absl::StatusOr<pb::ApiClient> EnableApiClient(
      const rpc::CallContext& call, const pb::EnableApiClientRequest& request);

  const Dependencies dependencies_;
  const SecretKeeping keeping_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_API_CLIENT_RPC_H_
