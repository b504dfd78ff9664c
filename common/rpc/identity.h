#ifndef PARCOURS_COMMON_RPC_IDENTITY_H_
#define PARCOURS_COMMON_RPC_IDENTITY_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/access/principal.h"
#include "grpcpp/server_context.h"

namespace parcours::rpc {

// Says who calls, from memory only. Who shows no credential at all is the
// subject "public" with ROLE_PUBLIC alone; a credential that is not good is
// UNAUTHENTICATED.
using Identify = std::function<absl::StatusOr<access::Principal>(
    const grpc::CallbackServerContext& context)>;

// The bearer of a token, or UNAUTHENTICATED.
using VerifyToken =
    std::function<absl::StatusOr<access::Principal>(std::string_view token)>;

// Who calls, by the transport and the call:
//
// A connection whose certificate carries the URI of a service (tls.h) is that
// service, "service:enrolment", with ROLE_SERVICE and no body. A bearer token
// on it is refused: a service speaks for itself. One that carries the URI
// "spiffe://parcours/feed-reader/gateway" is "feed-reader:gateway" with
// ROLE_FEED_READER, in the same way.
//
// On any other connection, plain or with another certificate (a proxy's, a
// client's), the call is its token's bearer, by "authorization: Bearer". The
// certificate gives nothing by itself.
//
// `verify` may be empty: then every token is refused.
Identify IdentifyCallers(VerifyToken verify);

// The service that a URI of ServiceUri names; empty for any other.
std::string_view ServiceOfUri(std::string_view uri);
// The same for one who follows feeds.
std::string_view FeedReaderOfUri(std::string_view uri);

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_IDENTITY_H_
