#include "services/enrolment/rpc/api_client_rpc.h"

#include <optional>
#include <utility>

#include "common/rpc/update_mask.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/types/record.h"
#include "parcours/type/v1/access.pb.h"
#include "services/enrolment/domain/api_client_use_cases.h"
#include "services/enrolment/rpc/convert.h"

namespace parcours::enrolment {
namespace {

Mode ModeOf(bool validate_only) {
  return validate_only ? Mode::kValidateOnly : Mode::kCommit;
}

ClientDecision DecisionOf(const rpc::CallContext& call,
                          const SecretKeeping& keeping) {
  const bool administrator =
      call.caller.acting_roles.Has(type::v1::ROLE_ADMINISTRATOR);
  return {.giver = administrator ? ClientGiver::kAdministrator
                                 : ClientGiver::kCoordinator,
          .now = absl::FromUnixSeconds(absl::ToUnixSeconds(keeping.now()))};
}

// The unspecified role is none, also in a list.
absl::Status CheckRolesAreNamed(const pb::ApiClient& client) {
  FieldViolations violations;
  for (int i = 0; i < client.roles_size(); ++i) {
    if (client.roles(i) == type::v1::ROLE_UNSPECIFIED) {
      violations.Add(Cat("api_client.roles[", i, "]"),
                     Reason::kUnknownEnumValue);
    }
  }
  return violations.ToStatus();
}

absl::StatusOr<pb::ApiClient> Answer(
    const absl::StatusOr<ApiClientView>& view) {
  if (!view.ok()) return view.status();
  return ToProto(*view);
}

}  // namespace

absl::StatusOr<pb::ApiClient> ApiClientRpc::CreateApiClient(
    const rpc::CallContext& call, const pb::CreateApiClientRequest& request) {
  RETURN_IF_ERROR(CheckRolesAreNamed(request.api_client()));
  ApiClient client;
  ASSIGN_OR_RETURN(client.name, ApiClientName::Parse(
                                    ChildName<ApiClientName>(
                                        BodyName::FromRecord(request.parent()),
                                        "apiClients", request.api_client_id())
                                        .text(),
                                    "api_client_id"));
  Read(request.api_client(), client);
  return Answer(enrolment::CreateApiClient(
      dependencies_.store, call.caller, DecisionOf(call, keeping_),
      std::move(client), ModeOf(request.validate_only())));
}

absl::StatusOr<pb::ApiClient> ApiClientRpc::GetApiClient(
    const rpc::CallContext& call, const pb::GetApiClientRequest& request) {
  return Answer(
      enrolment::GetApiClient(dependencies_.store, call.caller,
                              ApiClientName::FromRecord(request.name())));
}

absl::StatusOr<pb::ListApiClientsResponse> ApiClientRpc::ListApiClients(
    const rpc::CallContext& call, const pb::ListApiClientsRequest& request) {
  ASSIGN_OR_RETURN(const PageRequest page,
                   dependencies_.page_tokens.Read(request));
  ASSIGN_OR_RETURN(
      const Page<ApiClientView> found,
      enrolment::ListApiClients(dependencies_.store, call.caller,
                                BodyName::FromRecord(request.parent()), page));
  return PageResponse<pb::ListApiClientsResponse>(
      dependencies_, request, found,
      [](auto& response, const ApiClientView& view) {
        *response.add_api_clients() = ToProto(view);
      });
}

absl::StatusOr<pb::ApiClient> ApiClientRpc::UpdateApiClient(
    const rpc::CallContext& call, const pb::UpdateApiClientRequest& request) {
  const pb::ApiClient& message = request.api_client();
  RETURN_IF_ERROR(CheckRolesAreNamed(message));
  const Update<ApiClient> update{
      .name = ApiClientName::FromRecord(message.name()),
      .apply =
          [&request, &message](ApiClient& client) {
            pb::ApiClient merged;
            if (client.version > 0) {
              merged =
                  ToProto(ApiClientView{.client = client, .last_uses = {}});
            }
            RETURN_IF_ERROR(
                rpc::MergeMasked(request.update_mask(), message, merged));
            Read(merged, client);
            return absl::OkStatus();
          },
      .etag = message.etag(),
      .allow_missing = request.allow_missing(),
      .mode = ModeOf(request.validate_only())};
  return Answer(enrolment::UpdateApiClient(dependencies_.store, call.caller,
                                           DecisionOf(call, keeping_), update));
}

absl::StatusOr<pb::AddApiClientSecretResponse> ApiClientRpc::AddApiClientSecret(
    const rpc::CallContext& call,
    const pb::AddApiClientSecretRequest& request) {
  std::optional<absl::Time> expire_time;
  if (request.has_expire_time()) {
    expire_time = absl::FromUnixSeconds(request.expire_time().seconds());
  }
  ASSIGN_OR_RETURN(
      AddedSecret added,
      enrolment::AddApiClientSecret(
          dependencies_.store, dependencies_.rules, keeping_.key, call.caller,
          DecisionOf(call, keeping_), ApiClientName::FromRecord(request.name()),
          expire_time, request.etag()));
  pb::AddApiClientSecretResponse response;
  *response.mutable_api_client() = ToProto(added.view);
  response.set_secret_id(added.secret_id);
  response.set_secret(std::move(added.text));
  return response;
}

absl::StatusOr<pb::ApiClient> ApiClientRpc::RevokeApiClientSecret(
    const rpc::CallContext& call,
    const pb::RevokeApiClientSecretRequest& request) {
  return Answer(enrolment::RevokeApiClientSecret(
      dependencies_.store, call.caller,
      ApiClientName::FromRecord(request.name()), request.secret_id(),
      request.etag()));
}

absl::StatusOr<pb::ApiClient> ApiClientRpc::DisableApiClient(
    const rpc::CallContext& call, const pb::DisableApiClientRequest& request) {
  return Answer(enrolment::DisableApiClient(
      dependencies_.store, call.caller, DecisionOf(call, keeping_),
      ApiClientName::FromRecord(request.name()), request.etag()));
}

absl::StatusOr<pb::ApiClient> ApiClientRpc::EnableApiClient(
    const rpc::CallContext& call, const pb::EnableApiClientRequest& request) {
  return Answer(enrolment::EnableApiClient(
      dependencies_.store, call.caller, DecisionOf(call, keeping_),
      ApiClientName::FromRecord(request.name()), request.etag()));
}

}  // namespace parcours::enrolment
