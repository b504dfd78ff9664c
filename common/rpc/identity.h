#ifndef PARCOURS_COMMON_RPC_IDENTITY_H_
#define PARCOURS_COMMON_RPC_IDENTITY_H_

#include <functional>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/access/principal.h"
#include "grpcpp/server_context.h"

namespace parcours::rpc {

// Says who calls, from memory only. UNAUTHENTICATED when it is nobody known.
using Identify = std::function<absl::StatusOr<access::Principal>(
    const grpc::CallbackServerContext& context)>;

// Whether `peer`, as gRPC writes it ("ipv4:127.0.0.1:4711"), is on this very
// machine: 127.0.0.0/8, also mapped into IPv6, ::1, or a Unix socket.
bool IsLoopbackPeer(std::string_view peer);

// Whoever calls from this machine is the administrator "local-administrator";
// nobody else is anybody. No header is looked at.
absl::StatusOr<access::Principal> LocalAdministrator(
    const grpc::CallbackServerContext& context);

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_IDENTITY_H_
