#include "common/rpc/identity.h"

#include "common/status/error.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::rpc {

bool IsLoopbackPeer(std::string_view peer) {
  if (peer.starts_with("unix:") || peer.starts_with("unix-abstract:")) {
    return true;
  }
  if (peer.starts_with("ipv4:")) return peer.substr(5).starts_with("127.");
  if (!peer.starts_with("ipv6:")) return false;
  // The brackets come percent-encoded.
  std::string_view host = peer.substr(5);
  for (const std::string_view open : {"%5B", "%5b", "["}) {
    if (host.starts_with(open)) {
      host.remove_prefix(open.size());
      break;
    }
  }
  for (const std::string_view close : {"%5D", "%5d", "]"}) {
    host = host.substr(0, host.find(close));
  }
  return host == "::1" || host.starts_with("::ffff:127.");
}

absl::StatusOr<access::Principal> LocalAdministrator(
    const grpc::CallbackServerContext& context) {
  if (!IsLoopbackPeer(context.peer())) {
    return MakeError(Reason::kUnauthenticated);
  }
  access::Principal principal;
  principal.subject = "local-administrator";
  principal.roles.Add(type::v1::ROLE_ADMINISTRATOR);
  return principal;
}

}  // namespace parcours::rpc
