#include "services/enrolment/domain/api_client_use_cases.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"

namespace parcours::enrolment {
namespace {

constexpr std::string_view kPrefix = "api_client.";

absl::StatusOr<std::map<std::string, absl::Time>> UsesOf(
    EnrolmentUnit& unit, const ApiClientName& name) {
  ASSIGN_OR_RETURN(const std::vector<SecretUse> uses,
                   unit.SecretUses(name, name));
  std::map<std::string, absl::Time> last_uses;
  for (const SecretUse& use : uses) {
    last_uses.emplace(use.secret_id, use.last_use_time);
  }
  return last_uses;
}

absl::StatusOr<ApiClientView> WithUses(EnrolmentStore& store,
                                       const access::Caller& caller,
                                       absl::StatusOr<ApiClient> client) {
  if (!client.ok()) return client.status();
  ApiClientView view{.client = *std::move(client), .last_uses = {}};
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(view.last_uses, UsesOf(unit, view.client.name));
    return absl::OkStatus();
  }));
  return view;
}

// Everything that is asked of a client as it is to be stored.
absl::Status Check(EnrolmentUnit& unit, const access::Caller& caller,
                   const ClientDecision& decision,
                   const std::optional<ApiClient>& before,
                   const ApiClient& after) {
  if (!before.has_value()) {
    RETURN_IF_ERROR(
        unit.bodies().Get(caller.scope, after.name.Under<BodyName>()).status());
  }
  FieldViolations violations;
  Validate(after, before, kPrefix, decision.now, violations);
  if (!after.organisation.empty()) {
    std::optional<Organisation> organisation;
    if (after.organisation.body() == after.name.body()) {
      ASSIGN_OR_RETURN(organisation, unit.organisations().Find(
                                         caller.scope, after.organisation));
    }
    if (!organisation.has_value()) {
      violations.Add(Cat(kPrefix, "organisation"), Reason::kUnknownReference);
    }
  }
  RETURN_IF_ERROR(violations.ToStatus());
  return CheckMayGive(decision.giver,
                      before.has_value() ? before->roles : std::vector<Role>(),
                      after.roles);
}

absl::StatusOr<ApiClientView> Transition(
    EnrolmentStore& store, const access::Caller& caller,
    const ApiClientName& name, const std::string& etag,
    absl::FunctionRef<absl::Status(ApiClient&)> transition) {
  return WithUses(store, caller,
                  ApplyTransition<ApiClient>(
                      store, caller, &EnrolmentUnit::api_clients, name, etag,
                      [&](EnrolmentUnit&, ApiClient& client) {
                        return transition(client);
                      }));
}

// What a change that adds a secret is remembered by.
std::string OutcomeOf(const ApiClientName& client, std::string_view secret_id) {
  return Cat(client.text(), "/secrets/", secret_id);
}

std::string SecretOf(std::string_view outcome) {
  return std::string(outcome.substr(outcome.rfind('/') + 1));
}

}  // namespace

absl::StatusOr<ApiClientView> CreateApiClient(EnrolmentStore& store,
                                              const access::Caller& caller,
                                              const ClientDecision& decision,
                                              ApiClient client, Mode mode) {
  return WithUses(
      store, caller,
      CreateResource<ApiClient>(
          store, caller, &EnrolmentUnit::api_clients, std::move(client), mode,
          [&](EnrolmentUnit& unit, const ApiClient& created) {
            return Check(unit, caller, decision, std::nullopt, created);
          }));
}

absl::StatusOr<ApiClientView> UpdateApiClient(EnrolmentStore& store,
                                              const access::Caller& caller,
                                              const ClientDecision& decision,
                                              const Update<ApiClient>& update) {
  return WithUses(
      store, caller,
      UpdateResource<ApiClient>(
          store, caller, &EnrolmentUnit::api_clients, update,
          [&](EnrolmentUnit& unit, const std::optional<ApiClient>& before,
              ApiClient& after) {
            return Check(unit, caller, decision, before, after);
          }));
}

absl::StatusOr<ApiClientView> GetApiClient(EnrolmentStore& store,
                                           const access::Caller& caller,
                                           const ApiClientName& name) {
  ApiClientView view;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(view.client, unit.api_clients().Get(caller.scope, name));
    ASSIGN_OR_RETURN(view.last_uses, UsesOf(unit, name));
    return absl::OkStatus();
  }));
  return view;
}

absl::StatusOr<Page<ApiClientView>> ListApiClients(EnrolmentStore& store,
                                                   const access::Caller& caller,
                                                   const BodyName& body,
                                                   const PageRequest& request) {
  Page<ApiClientView> views;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    views.items.clear();
    RETURN_IF_ERROR(unit.bodies().Get(caller.scope, body).status());
    Page<ApiClient> page;
    RETURN_IF_ERROR(ReadPage<ApiClient>(unit, page, [&] {
      return unit.api_clients().List(caller.scope, body.text(), request);
    }));
    views.next_key = page.next_key;
    views.feed_position = page.feed_position;
    if (page.items.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(
        const std::vector<SecretUse> uses,
        unit.SecretUses(page.items.front().name, page.items.back().name));
    for (const ApiClient& client : page.items) {
      views.items.push_back({.client = client, .last_uses = {}});
    }
    for (const SecretUse& use : uses) {
      const auto of = std::lower_bound(
          views.items.begin(), views.items.end(), use.client,
          [](const ApiClientView& view, const ApiClientName& name) {
            return view.client.name < name;
          });
      if (of != views.items.end() && of->client.name == use.client) {
        of->last_uses.emplace(use.secret_id, use.last_use_time);
      }
    }
    return absl::OkStatus();
  }));
  return views;
}

absl::StatusOr<AddedSecret> AddApiClientSecret(
    EnrolmentStore& store, const rules::RuleBook& rules, std::string_view key,
    const access::Caller& caller, const ClientDecision& decision,
    const ApiClientName& name, std::optional<absl::Time> expire_time,
    const std::string& etag) {
  // Made once, although the transaction may run several times: whichever run
  // is committed, this is the secret.
  const std::string text = NewSecretText();
  const ClientSecret secret =
      RecordOfSecret(key, text, NewUuidV7(decision.now), decision.now,
                     /*expire_time=*/decision.now);
  AddedSecret added;
  ASSIGN_OR_RETURN(
      const ChangeOutcome outcome,
      store.Change(
          caller, [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
            ASSIGN_OR_RETURN(ApiClient client,
                             unit.api_clients().Lock(caller.scope, name));
            RETURN_IF_ERROR(CheckEtag(etag, name.text(), client.version));
            ClientSecret made = secret;
            ASSIGN_OR_RETURN(made.expire_time,
                             SecretExpiry(rules, expire_time, decision.now));
            RETURN_IF_ERROR(AddSecret(client, decision.giver, made));
            unit.api_clients().Update(client);
            return OutcomeOf(name, secret.id);
          }));
  ASSIGN_OR_RETURN(added.view, GetApiClient(store, caller, name));
  added.secret_id = SecretOf(outcome.name);
  // Another id was made by an earlier call, whose answer had the secret.
  if (added.secret_id == secret.id) added.text = text;
  return added;
}

absl::StatusOr<ApiClientView> RevokeApiClientSecret(
    EnrolmentStore& store, const access::Caller& caller,
    const ApiClientName& name, const std::string& secret_id,
    const std::string& etag) {
  return Transition(store, caller, name, etag, [&](ApiClient& client) {
    return RevokeSecret(client, secret_id);
  });
}

absl::StatusOr<ApiClientView> DisableApiClient(EnrolmentStore& store,
                                               const access::Caller& caller,
                                               const ClientDecision& decision,
                                               const ApiClientName& name,
                                               const std::string& etag) {
  return Transition(store, caller, name, etag, [&](ApiClient& client) {
    return Disable(client, decision.now);
  });
}

absl::StatusOr<ApiClientView> EnableApiClient(EnrolmentStore& store,
                                              const access::Caller& caller,
                                              const ClientDecision& decision,
                                              const ApiClientName& name,
                                              const std::string& etag) {
  return Transition(store, caller, name, etag, [&](ApiClient& client) {
    return Enable(client, decision.giver, decision.now);
  });
}

absl::StatusOr<AuthenticClient> AuthenticateClient(
    EnrolmentStore& store, std::string_view key, const access::Caller& caller,
    const ApiClientName& name, std::string_view text, absl::Time now) {
  std::optional<ApiClient> client;
  std::map<std::string, absl::Time> last_uses;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(client, unit.api_clients().Find(caller.scope, name));
    // Also where there is no client: one reads as much as the other.
    ASSIGN_OR_RETURN(last_uses, UsesOf(unit, name));
    return absl::OkStatus();
  }));
  const std::optional<std::string> secret_id =
      Authenticate(client, key, text, now);
  if (!secret_id.has_value()) return MakeError(Reason::kUnauthenticated);
  AuthenticClient authentic{.client = *std::move(client),
                            .secret_id = *secret_id};
  if (const auto used = last_uses.find(*secret_id); used != last_uses.end()) {
    authentic.last_use_time = used->second;
  }
  return authentic;
}

absl::Status KeepClientUse(EnrolmentStore& store, const access::Caller& caller,
                           const AuthenticClient& authentic, absl::Time now,
                           absl::Duration interval) {
  if (now < authentic.last_use_time + interval) return absl::OkStatus();
  return store
      .Change(caller,
              [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
                unit.KeepSecretUse({.client = authentic.client.name,
                                    .secret_id = authentic.secret_id,
                                    .last_use_time = now});
                return authentic.client.name.text();
              })
      .status();
}

}  // namespace parcours::enrolment
