#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_API_CLIENT_USE_CASES_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_API_CLIENT_USE_CASES_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/access/caller.h"
#include "common/rules/rule_book.h"
#include "common/types/record.h"
#include "services/enrolment/domain/api_client.h"
#include "services/enrolment/domain/enrolment_store.h"

namespace parcours::enrolment {

// The use cases of API clients. Besides what is named here, each returns the
// errors of EnrolmentStore. Whatever concerns credentials goes by real time.

// By whom, and when, something is decided about a client.
struct ClientDecision {
  ClientGiver giver = ClientGiver::kCoordinator;
  // Real time.
  absl::Time now;
};

// A client together with the last use of each of its secrets, by id; those of
// secrets that are gone count for the client.
struct ApiClientView {
  ApiClient client;
  std::map<std::string, absl::Time> last_uses;
};

// All violations at once; NOT_FOUND of the body, ALREADY_EXISTS,
// ROLE_FOR_ADMINISTRATOR. An organisation that is not in the body is
// UNKNOWN_REFERENCE.
absl::StatusOr<ApiClientView> CreateApiClient(EnrolmentStore& store,
                                              const access::Caller& caller,
                                              const ClientDecision& decision,
                                              ApiClient client, Mode mode);
absl::StatusOr<ApiClientView> UpdateApiClient(EnrolmentStore& store,
                                              const access::Caller& caller,
                                              const ClientDecision& decision,
                                              const Update<ApiClient>& update);

absl::StatusOr<ApiClientView> GetApiClient(EnrolmentStore& store,
                                           const access::Caller& caller,
                                           const ApiClientName& name);
absl::StatusOr<Page<ApiClientView>> ListApiClients(EnrolmentStore& store,
                                                   const access::Caller& caller,
                                                   const BodyName& body,
                                                   const PageRequest& page);

struct AddedSecret {
  ApiClientView view;
  std::string secret_id;
  // Empty for a call that repeats an earlier one.
  std::string text;
};

// Makes a secret under `key`: see AddSecret and SecretExpiry.
absl::StatusOr<AddedSecret> AddApiClientSecret(
    EnrolmentStore& store, const rules::RuleBook& rules, std::string_view key,
    const access::Caller& caller, const ClientDecision& decision,
    const ApiClientName& name, std::optional<absl::Time> expire_time,
    const std::string& etag);

// See RevokeSecret, Disable and Enable.
absl::StatusOr<ApiClientView> RevokeApiClientSecret(
    EnrolmentStore& store, const access::Caller& caller,
    const ApiClientName& name, const std::string& secret_id,
    const std::string& etag);
absl::StatusOr<ApiClientView> DisableApiClient(EnrolmentStore& store,
                                               const access::Caller& caller,
                                               const ClientDecision& decision,
                                               const ApiClientName& name,
                                               const std::string& etag);
absl::StatusOr<ApiClientView> EnableApiClient(EnrolmentStore& store,
                                              const access::Caller& caller,
                                              const ClientDecision& decision,
                                              const ApiClientName& name,
                                              const std::string& etag);

// A client that has shown a good secret.
struct AuthenticClient {
  ApiClient client;
  std::string secret_id;
  // When a token was last issued for that secret, as far as it is recorded.
  absl::Time last_use_time = absl::InfinitePast();
};

// The client whose secret under `key` is `text` at `now`, in real time;
// UNAUTHENTICATED in all other cases, which look alike. `caller` is anybody,
// with the scope of the installation.
absl::StatusOr<AuthenticClient> AuthenticateClient(
    EnrolmentStore& store, std::string_view key, const access::Caller& caller,
    const ApiClientName& name, std::string_view text, absl::Time now);

// Records that the secret was used at `now`, unless a use less than `interval`
// ago is recorded: then nothing is written.
absl::Status KeepClientUse(EnrolmentStore& store, const access::Caller& caller,
                           const AuthenticClient& authentic, absl::Time now,
                           absl::Duration interval);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_API_CLIENT_USE_CASES_H_
