#include "common/platform/caller_rpc.h"

#include "parcours/type/v1/access.pb.h"

namespace parcours::platform {

absl::StatusOr<v1::GetCallerResponse> CallerRpc::GetCaller(
    const rpc::CallContext& call, const v1::GetCallerRequest&) {
  const access::Principal& principal = call.caller.principal;
  v1::GetCallerResponse response;
  response.set_subject(principal.subject);
  for (int role = type::v1::Role_MIN; role <= type::v1::Role_MAX; ++role) {
    if (type::v1::Role_IsValid(role) && principal.roles.Has(role)) {
      response.add_roles(static_cast<type::v1::Role>(role));
    }
  }
  response.set_body(principal.body);
  response.set_person(principal.person);
  response.set_organisation(principal.organisation);
  response.set_funder(principal.funder);
  response.set_api_client(principal.client);
  return response;
}

}  // namespace parcours::platform
