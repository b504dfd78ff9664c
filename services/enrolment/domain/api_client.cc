#include "services/enrolment/domain/api_client.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/civil_time.h"
#include "common/status/macros.h"
#include "common/text/identifiers.h"
#include "common/text/view.h"

namespace parcours::enrolment {
namespace {

// A thousand calls a second are more than a partner's program ever needs.
constexpr int64_t kMostCallsPerMinute = 60'000;

// One that is used, and one that takes its place. No more are ever stored.
constexpr std::size_t kMostSecrets = 2;

bool Has(const std::vector<Role>& roles, Role role) {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

absl::Status Illegal(const ApiClient& client, ApiClientState state,
                     std::string_view action) {
  return MakeError(Reason::kIllegalTransition,
                   {{"resource", client.name.text()},
                    {"state", std::string(NameOf(state))},
                    {"action", std::string(action)}});
}

void CheckRequired(const std::string& value, std::string_view prefix,
                   std::string_view field, FieldViolations& violations) {
  if (absl::StripAsciiWhitespace(value).empty()) {
    violations.Add(Cat(prefix, field), Reason::kFieldRequired);
  }
}

void CheckRoles(const ApiClient& client, std::string_view prefix,
                FieldViolations& violations) {
  if (client.roles.empty()) {
    violations.Add(Cat(prefix, "roles"), Reason::kFieldRequired);
  }
  for (std::size_t i = 0; i < client.roles.size(); ++i) {
    const std::string field = Cat(prefix, "roles[", i, "]");
    if (!IsForPrograms(client.roles[i])) {
      violations.Add(field, Reason::kFieldMalformed,
                     {{"expected", "a role that programs act by"}});
    }
    const auto here = client.roles.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(client.roles.begin(), here, *here) != here) {
      violations.Add(field, Reason::kFieldMalformed,
                     {{"expected", "named once"}});
    }
  }
}

// What one acts for stands beside the role that acts for it, and nowhere else.
void CheckOwner(const ApiClient& client, Role role, bool given,
                std::string_view prefix, std::string_view field,
                FieldViolations& violations) {
  if (Has(client.roles, role) == given) return;
  if (given) {
    violations.Add(
        Cat(prefix, field), Reason::kFieldMalformed,
        {{"expected", Cat("empty without the role ", NameOf(role))}});
  } else {
    violations.Add(Cat(prefix, field), Reason::kFieldRequired);
  }
}

}  // namespace

bool IsForPrograms(Role role) {
  switch (role) {
    case Role::kCoordinator:
    case Role::kAdmissions:
    case Role::kAccountant:
    case Role::kEmployerContact:
    case Role::kCertifier:
    case Role::kFunder:
    case Role::kSteeringReader:
    case Role::kAuditor:
      return true;
    case Role::kPedagogicalDirector:
    case Role::kTrainer:
    case Role::kTutor:
    case Role::kDisabilityContact:
    case Role::kLearner:
    case Role::kReader:
    case Role::kJuryMember:
    case Role::kService:
    case Role::kAdministrator:
    case Role::kPublic:
    case Role::kFeedReader:
      return false;
  }
  return false;
}

bool IsForAdministrators(Role role) {
  return role == Role::kAccountant || role == Role::kCertifier ||
         role == Role::kAuditor;
}

void Validate(const ApiClient& client, const std::optional<ApiClient>& before,
              std::string_view prefix, absl::Time now,
              FieldViolations& violations) {
  CheckRequired(client.display_name, prefix, "display_name", violations);
  CheckRequired(client.purpose, prefix, "purpose", violations);
  CheckRequired(client.contact_name, prefix, "contact.name", violations);
  CheckRequired(client.contact_email, prefix, "contact.email", violations);
  if (!client.contact_email.empty() && !text::IsEmail(client.contact_email)) {
    violations.Add(Cat(prefix, "contact.email"), Reason::kFieldMalformed,
                   {{"expected", "an e-mail address"}});
  }
  CheckRoles(client, prefix, violations);
  CheckOwner(client, Role::kEmployerContact, !client.organisation.empty(),
             prefix, "organisation", violations);
  CheckOwner(client, Role::kFunder, !client.funder_id.empty(), prefix,
             "funder_id", violations);
  if (client.calls_per_minute < 1 ||
      client.calls_per_minute > kMostCallsPerMinute) {
    violations.Add(Cat(prefix, "calls_per_minute"), Reason::kFieldOutOfRange,
                   {{"minimum", "1"}, {"maximum", Cat(kMostCallsPerMinute)}});
  }
  const bool same_expiry =
      before.has_value() && before->expire_time == client.expire_time;
  if (!same_expiry && client.expire_time <= now) {
    violations.Add(Cat(prefix, "expire_time"), Reason::kDatesOutOfOrder,
                   {{"earlier", "now"}});
  }
}

absl::Status CheckMayGive(ClientGiver giver, const std::vector<Role>& before,
                          const std::vector<Role>& after) {
  if (giver == ClientGiver::kAdministrator) return absl::OkStatus();
  for (const Role role : after) {
    if (IsForAdministrators(role) && !Has(before, role)) {
      return MakeError(Reason::kRoleForAdministrator,
                       {{"role", std::string(NameOf(role))}});
    }
  }
  return absl::OkStatus();
}

ApiClientState StateAt(const ApiClient& client, absl::Time now) {
  if (client.expire_time <= now) return ApiClientState::kExpired;
  return client.disabled ? ApiClientState::kDisabled : ApiClientState::kActive;
}

absl::StatusOr<absl::Time> SecretExpiry(const rules::RuleBook& rules,
                                        std::optional<absl::Time> wanted,
                                        absl::Time now) {
  ASSIGN_OR_RETURN(const rules::DatedRule validity,
                   rules.AsOf("api_client.secret_validity",
                              absl::ToCivilDay(now, absl::UTCTimeZone())));
  const absl::Time latest = now + absl::Hours(24) * validity.value;
  if (!wanted.has_value()) return latest;
  if (*wanted <= now) {
    return MakeFieldError("expire_time", Reason::kDatesOutOfOrder,
                          {{"earlier", "now"}});
  }
  if (*wanted > latest) {
    return MakeFieldError(
        "expire_time", Reason::kFieldOutOfRange,
        {{"minimum", absl::FormatTime(now, absl::UTCTimeZone())},
         {"maximum", absl::FormatTime(latest, absl::UTCTimeZone())}});
  }
  return *wanted;
}

absl::Status AddSecret(ApiClient& client, ClientGiver giver,
                       ClientSecret secret) {
  const absl::Time now = secret.create_time;
  const ApiClientState state = StateAt(client, now);
  if (state != ApiClientState::kActive) {
    return Illegal(client, state, "AddSecret");
  }
  RETURN_IF_ERROR(CheckMayGive(giver, {}, client.roles));
  std::vector<ClientSecret> kept;
  for (const ClientSecret& known : client.secrets) {
    if (now < known.expire_time) kept.push_back(known);
  }
  if (kept.size() >= kMostSecrets) {
    return MakeError(
        Reason::kSecretLimitReached,
        {{"client", client.name.text()}, {"count", Cat(kept.size())}});
  }
  kept.push_back(std::move(secret));
  client.secrets = std::move(kept);
  return absl::OkStatus();
}

absl::Status RevokeSecret(ApiClient& client, std::string_view secret_id) {
  const auto erased =
      std::erase_if(client.secrets, [secret_id](const ClientSecret& secret) {
        return secret.id == secret_id;
      });
  if (erased > 0) return absl::OkStatus();
  return MakeFieldError("secret_id", Reason::kUnknownReference);
}

absl::Status Disable(ApiClient& client, absl::Time now) {
  const ApiClientState state = StateAt(client, now);
  if (state != ApiClientState::kActive) {
    return Illegal(client, state, "Disable");
  }
  client.disabled = true;
  return absl::OkStatus();
}

absl::Status Enable(ApiClient& client, ClientGiver giver, absl::Time now) {
  const ApiClientState state = StateAt(client, now);
  if (state != ApiClientState::kDisabled) {
    return Illegal(client, state, "Enable");
  }
  RETURN_IF_ERROR(CheckMayGive(giver, {}, client.roles));
  client.disabled = false;
  return absl::OkStatus();
}

std::optional<std::string> Authenticate(const std::optional<ApiClient>& client,
                                        std::string_view key,
                                        std::string_view text, absl::Time now) {
  std::array<ClientSecret, kMostSecrets> secrets;
  secrets.fill(NobodysSecret());
  if (client.has_value()) {
    std::copy_n(client->secrets.begin(),
                std::min(client->secrets.size(), secrets.size()),
                secrets.begin());
  }
  std::optional<std::string> good;
  for (const ClientSecret& secret : secrets) {
    if (IsGood(secret, key, text, now)) good = secret.id;
  }
  if (!client.has_value() || StateAt(*client, now) != ApiClientState::kActive) {
    return std::nullopt;
  }
  return good;
}

}  // namespace parcours::enrolment
