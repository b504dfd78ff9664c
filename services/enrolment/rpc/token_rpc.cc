#include "services/enrolment/rpc/token_rpc.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "common/rpc/convert.h"
#include "common/status/macros.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"
#include "google/protobuf/util/json_util.h"
#include "services/enrolment/domain/api_client_use_cases.h"

namespace parcours::enrolment {
namespace {

// The set as a message, whose JSON form it is.
pb::KeySet ReadKeySet(const std::string& json) {
  pb::KeySet set;
  const auto read = google::protobuf::util::JsonStringToMessage(json, &set);
  if (!read.ok()) set.Clear();
  return set;
}

identity::TokenClaims ClaimsOf(const ApiClient& client,
                               const TokenIssuing& issuing, absl::Time now) {
  identity::TokenClaims claims{
      .issuer = issuing.issuer,
      .audience = issuing.audience,
      .subject = client.name.text(),
      .roles = {},
      .body = client.name.body(),
      .person = {},
      .organisation = client.organisation.text(),
      .funder = client.funder_id,
      .client =
          identity::ClientClaims{.name = client.name.text(),
                                 .calls_per_minute = client.calls_per_minute},
      .issue_time = now,
      .expire_time = now + issuing.lifetime};
  for (const Role role : client.roles) {
    claims.roles.push_back(absl::AsciiStrToLower(AbslView(NameOf(role))));
  }
  return claims;
}

}  // namespace

TokenRpc::TokenRpc(rpc::Shell& shell, EnrolmentStore& store,
                   SecretKeeping keeping, TokenIssuing issuing)
    : ServiceOf(shell),
      store_(store),
      keeping_(std::move(keeping)),
      issuing_(std::move(issuing)),
      key_set_(ReadKeySet(issuing_.key.PublicKeySet())) {}

absl::StatusOr<pb::IssueTokenResponse> TokenRpc::IssueToken(
    const rpc::CallContext& call, const pb::IssueTokenRequest& request) {
  // NumericDates are whole seconds.
  const absl::Time now =
      absl::FromUnixSeconds(absl::ToUnixSeconds(keeping_.now()));
  // Who calls is what the secret proves.
  access::Caller caller = call.caller;
  caller.scope = access::Scope::Installation();
  ASSIGN_OR_RETURN(
      const AuthenticClient authentic,
      AuthenticateClient(store_, keeping_.key, caller,
                         ApiClientName::FromRecord(request.client()),
                         request.secret(), now));
  const identity::TokenClaims claims =
      ClaimsOf(authentic.client, issuing_, now);
  pb::IssueTokenResponse response;
  ASSIGN_OR_RETURN(*response.mutable_token(), issuing_.key.Sign(claims));
  *response.mutable_expire_time() = rpc::TimestampOf(claims.expire_time);

  caller.principal.subject = authentic.client.name.text();
  // Nobody is refused a token because a date could not be written.
  if (const absl::Status kept =
          KeepClientUse(store_, caller, authentic, now, issuing_.use_interval);
      !kept.ok()) {
    telemetry::Log(telemetry::LogLevel::kWarning, "use of a client not kept",
                   {{"error", StdView(kept.message())}});
  }
  return response;
}

absl::StatusOr<pb::KeySet> TokenRpc::GetKeySet(const rpc::CallContext&,
                                               const pb::GetKeySetRequest&) {
  return key_set_;
}

}  // namespace parcours::enrolment
