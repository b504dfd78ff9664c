#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_API_CLIENT_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_API_CLIENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rules/rule_book.h"
#include "common/status/error.h"
#include "common/types/enum_names.h"
#include "services/enrolment/domain/client_secret.h"
#include "services/enrolment/domain/names.h"

namespace parcours::enrolment {

// Every role of the contract, of which a program may act by some.
enum class Role {
  kCoordinator,
  kAdmissions,
  kAccountant,
  kPedagogicalDirector,
  kTrainer,
  kTutor,
  kDisabilityContact,
  kLearner,
  kEmployerContact,
  kReader,
  kJuryMember,
  kCertifier,
  kFunder,
  kSteeringReader,
  kAuditor,
  kService,
  kAdministrator,
  kPublic,
  kFeedReader,
};

// ACTIVE ⇄ DISABLED by decision; EXPIRED by time, whatever was decided.
enum class ApiClientState { kActive, kDisabled, kExpired };

// A program that calls in the name of a partner, or of the body itself.
struct ApiClient {
  ApiClientName name;
  std::string display_name;
  std::string purpose;
  std::string contact_name;
  std::string contact_email;
  // None twice.
  std::vector<Role> roles;
  // Whose own it acts for: with EMPLOYER_CONTACT, and with FUNDER.
  OrganisationName organisation;
  std::string funder_id;
  int64_t calls_per_minute = 0;
  // Real time.
  absl::Time expire_time;
  bool disabled = false;
  // The oldest first.
  std::vector<ClientSecret> secrets;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
  friend bool operator==(const ApiClient&, const ApiClient&) = default;
};

// Who decides about clients: some roles are given by administrators only.
enum class ClientGiver { kCoordinator, kAdministrator };

// Whether a program may act by `role`: what an institution does through its
// programs, not what a person does by themselves, nor what the installation
// keeps for its own.
bool IsForPrograms(Role role);

// Whether only an administrator gives `role`: those that look upon the work of
// the coordinator from outside. A coordinator who could give themselves the
// secret of such a program would have the role.
bool IsForAdministrators(Role role);

// Adds what is wrong with the client, under `prefix` + field name. What it
// refers to is not looked at. `now` is real; an `expire_time` that is as it was
// `before` may have passed.
void Validate(const ApiClient& client, const std::optional<ApiClient>& before,
              std::string_view prefix, absl::Time now,
              FieldViolations& violations);

// ROLE_FOR_ADMINISTRATOR when a coordinator gives a role that `before` has not
// and that is not theirs to give.
absl::Status CheckMayGive(ClientGiver giver, const std::vector<Role>& before,
                          const std::vector<Role>& after);

// Where the client stands at `now`, in real time.
ApiClientState StateAt(const ApiClient& client, absl::Time now);

// The last instant at which a secret made at `now`, in real time, is good:
// `wanted`, or as long as the rule api_client.secret_validity allows.
// DATES_OUT_OF_ORDER or FIELD_OUT_OF_RANGE of expire_time.
absl::StatusOr<absl::Time> SecretExpiry(const rules::RuleBook& rules,
                                        std::optional<absl::Time> wanted,
                                        absl::Time now);

// Adds a secret and forgets those that have expired by its create_time.
// ILLEGAL_TRANSITION unless the client is ACTIVE; SECRET_LIMIT_REACHED when two
// have not expired; ROLE_FOR_ADMINISTRATOR.
absl::Status AddSecret(ApiClient& client, ClientGiver giver,
                       ClientSecret secret);

// UNKNOWN_REFERENCE of secret_id.
absl::Status RevokeSecret(ApiClient& client, std::string_view secret_id);

// ILLEGAL_TRANSITION unless it is ACTIVE, or DISABLED. An expired client is
// neither.
absl::Status Disable(ApiClient& client, absl::Time now);
// Also ROLE_FOR_ADMINISTRATOR.
absl::Status Enable(ApiClient& client, ClientGiver giver, absl::Time now);

// The id of the client's secret that `text` is; nothing unless that secret is
// good and the client ACTIVE. An absent client takes as long as any other: the
// same number of digests is made whatever there is.
std::optional<std::string> Authenticate(const std::optional<ApiClient>& client,
                                        std::string_view key,
                                        std::string_view text, absl::Time now);

}  // namespace parcours::enrolment

namespace parcours {

template <>
struct EnumNames<enrolment::Role> {
  static constexpr std::string_view values[] = {"COORDINATOR",
                                                "ADMISSIONS",
                                                "ACCOUNTANT",
                                                "PEDAGOGICAL_DIRECTOR",
                                                "TRAINER",
                                                "TUTOR",
                                                "DISABILITY_CONTACT",
                                                "LEARNER",
                                                "EMPLOYER_CONTACT",
                                                "READER",
                                                "JURY_MEMBER",
                                                "CERTIFIER",
                                                "FUNDER",
                                                "STEERING_READER",
                                                "AUDITOR",
                                                "SERVICE",
                                                "ADMINISTRATOR",
                                                "PUBLIC",
                                                "FEED_READER"};
};

template <>
struct EnumNames<enrolment::ApiClientState> {
  static constexpr std::string_view values[] = {"ACTIVE", "DISABLED",
                                                "EXPIRED"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_API_CLIENT_H_
