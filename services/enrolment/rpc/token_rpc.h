#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_TOKEN_RPC_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_TOKEN_RPC_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/identity/token_signer.h"
#include "common/rpc/call_context.h"
#include "common/rpc/shell.h"
#include "parcours/enrolment/v1/api_client.grpc.pb.h"
#include "services/enrolment/domain/enrolment_store.h"
#include "services/enrolment/rpc/api_client_rpc.h"

namespace parcours::enrolment {

namespace pb = ::parcours::enrolment::v1;

// How tokens of API clients are made.
struct TokenIssuing {
  // Outlives the service.
  const identity::SigningKey& key;
  // `iss` and `aud`, as those who verify are told them.
  std::string issuer;
  std::string audience;
  // How long a token is good: also how long a client that is stopped goes on.
  absl::Duration lifetime;
  // How far apart the uses of a secret are that are recorded.
  absl::Duration use_interval = absl::Hours(1);
};

// parcours.enrolment.v1.TokenService.
class TokenRpc final : public rpc::ServiceOf<pb::TokenService> {
 public:
  // `store` outlives the service.
  TokenRpc(rpc::Shell& shell, EnrolmentStore& store, SecretKeeping keeping,
           TokenIssuing issuing);

  PARCOURS_RPC(IssueToken, pb::IssueTokenRequest, pb::IssueTokenResponse)
  PARCOURS_RPC(GetKeySet, pb::GetKeySetRequest, pb::KeySet)

 private:
  absl::StatusOr<pb::IssueTokenResponse> IssueToken(
      const rpc::CallContext& call, const pb::IssueTokenRequest& request);
  absl::StatusOr<pb::KeySet> GetKeySet(const rpc::CallContext& call,
                                       const pb::GetKeySetRequest& request);

  EnrolmentStore& store_;
  const SecretKeeping keeping_;
  const TokenIssuing issuing_;
  const pb::KeySet key_set_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_TOKEN_RPC_H_
