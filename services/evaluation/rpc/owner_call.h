#ifndef PARCOURS_SERVICES_EVALUATION_RPC_OWNER_CALL_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_OWNER_CALL_H_

#include <string_view>

#include "absl/status/status.h"
#include "common/access/caller.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"

namespace parcours::evaluation {

// Prepares a call to another service on behalf of `caller`: within its
// deadline, and never longer than a few seconds.
void Prepare(const access::Caller& caller, grpc::ClientContext& context);

// The outcome of such a call. What the owner answered passes as it is; that it
// did not answer, or was too busy to, is OWNER_UNAVAILABLE of `resource`.
absl::Status FromOwner(const grpc::Status& status, std::string_view resource);

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_OWNER_CALL_H_
