#include "common/identity/token_verifier.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "common/identity/strict_json.h"
#include "common/status/error.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"

namespace parcours::identity {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxTokenBytes = 6 << 10;
constexpr std::size_t kMaxSubjectBytes = 255;
constexpr std::size_t kMaxRoles = 64;
// 9999-12-31T23:59:59Z; beyond, a number is a mistake.
constexpr double kLastSecond = 253'402'300'799.0;

constexpr std::string_view kOutcomes[] = {
    "known",           "verified",        "too_large", "malformed",
    "of_another_kind", "unknown_issuer",  "no_keys",   "unknown_key",
    "wrong_algorithm", "wrong_signature", "expired",   "not_yet_valid",
    "wrong_audience",  "wrong_claims"};

// Policies of the readings; those of a URL come from its issuer.
constexpr RefreshPolicy kFilePolicy = {.interval = absl::Seconds(1),
                                       .unknown_key_interval = absl::Seconds(1),
                                       .first_pause = absl::Seconds(1),
                                       .longest_pause = absl::Seconds(5)};

double SystemChance() {
  thread_local std::minstd_rand source{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(source);
}

std::unique_ptr<KeySource> OpenSource(const Issuer& issuer) {
  if (!issuer.jwks_file.empty()) {
    return std::make_unique<FileKeySource>(issuer.jwks_file);
  }
  return std::make_unique<UrlKeySource>(
      UrlKeySourceOptions{.url = issuer.jwks_url, .ca_file = issuer.ca_file});
}

struct Parts {
  json header;
  std::string payload_bytes;
  json payload;
  std::size_t signature_bytes = 0;
};

std::optional<Parts> Split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto header = DecodeBase64Url(token.substr(0, first));
  auto payload = DecodeBase64Url(token.substr(first + 1, second - first - 1));
  // A third dot is of no base64url.
  const auto signature = DecodeBase64Url(token.substr(second + 1));
  if (!header.has_value() || !payload.has_value() || !signature.has_value()) {
    return std::nullopt;
  }
  auto parsed_header = ParseStrictObject(*header);
  auto parsed_payload = ParseStrictObject(*payload);
  if (!parsed_header.has_value() || !parsed_payload.has_value()) {
    return std::nullopt;
  }
  return Parts{*std::move(parsed_header), *std::move(payload),
               *std::move(parsed_payload), signature->size()};
}

// The member as a text that is not empty; nothing when it is missing or
// another thing.
std::optional<std::string> TextOf(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  std::string text = found->get<std::string>();
  if (text.empty()) return std::nullopt;
  return text;
}

// RFC 8725, 3.11: a token of one kind is not taken for another's.
bool IsAccessToken(const json& header) {
  const auto type = header.find("typ");
  if (type == header.end()) return true;
  if (!type->is_string()) return false;
  std::string name = absl::AsciiStrToLower(type->get<std::string>());
  constexpr std::string_view kApplication = "application/";
  if (name.starts_with(kApplication)) name.erase(0, kApplication.size());
  return name == "jwt" || name == "at+jwt";
}

// A NumericDate (RFC 7519, 2). False when there is something else.
bool ReadTime(const json& claims, const char* member,
              std::optional<absl::Time>& time) {
  const auto found = claims.find(member);
  if (found == claims.end()) return true;
  if (!found->is_number()) return false;
  const double seconds = found->get<double>();
  if (!(seconds >= 0) || seconds > kLastSecond) return false;
  time = absl::UnixEpoch() + absl::Seconds(seconds);
  return true;
}

bool IsFor(const std::string& audience, const json& claims) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  const json wanted = audience;
  if (found->is_string()) return *found == wanted;
  return found->is_array() &&
         std::find(found->begin(), found->end(), wanted) != found->end();
}

bool IsPrintable(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

// Takes a claim that is a name of `pattern`. False when it is something else.
bool ReadName(const json& claims, const char* member, std::string_view pattern,
              std::string& name) {
  const auto found = claims.find(member);
  if (found == claims.end()) return true;
  if (!found->is_string()) return false;
  name = found->get<std::string>();
  return MatchesNamePattern(pattern, name);
}

bool IsUnder(const std::string& body, const std::string& name) {
  return name.empty() ||
         (!body.empty() && absl::StartsWith(name, Cat(body, "/")));
}

// Takes which API client the bearer is. False when it is not said.
bool ReadClient(const json& claims, access::Principal& principal) {
  const auto calls = claims.find("parcours_calls_per_minute");
  if (calls == claims.end() || !calls->is_number_integer() ||
      !ReadName(claims, "parcours_client", "bodies/*/apiClients/*",
                principal.client)) {
    return false;
  }
  principal.calls_per_minute = calls->get<int64_t>();
  return !principal.client.empty() && principal.calls_per_minute > 0;
}

// Who bears the token, as far as its issuer may say so.
std::optional<access::Principal> PrincipalOf(const Issuer& issuer,
                                             const json& claims) {
  access::Principal principal;
  const auto subject = TextOf(claims, "sub");
  if (!subject.has_value() || subject->size() > kMaxSubjectBytes ||
      !IsPrintable(*subject)) {
    return std::nullopt;
  }
  principal.subject = Cat(issuer.id, "|", *subject);

  const auto roles = claims.find("parcours_roles");
  if (roles != claims.end()) {
    if (!roles->is_array() || roles->size() > kMaxRoles) return std::nullopt;
    for (const json& name : *roles) {
      if (!name.is_string()) return std::nullopt;
      const std::optional<int> role = RoleOf(name.get<std::string>());
      if (role.has_value() && issuer.allowed_roles.Has(*role)) {
        principal.roles.Add(*role);
      }
    }
  }

  if (!ReadName(claims, "parcours_body", "bodies/*", principal.body) ||
      !ReadName(claims, "parcours_person", "bodies/*/persons/*",
                principal.person) ||
      !ReadName(claims, "parcours_organisation", "bodies/*/organisations/*",
                principal.organisation) ||
      !ReadName(claims, "parcours_funder", "*", principal.funder)) {
    return std::nullopt;
  }
  if (!issuer.body.empty()) {
    if (principal.body.empty()) principal.body = issuer.body;
    if (principal.body != issuer.body) return std::nullopt;
  }
  if (principal.body.empty() && !issuer.installation_wide) return std::nullopt;
  if (!IsUnder(principal.body, principal.person) ||
      !IsUnder(principal.body, principal.organisation)) {
    return std::nullopt;
  }
  if (issuer.api_clients && (!ReadClient(claims, principal) ||
                             !IsUnder(principal.body, principal.client))) {
    return std::nullopt;
  }
  return principal;
}

}  // namespace

std::string_view TokenOutcomeName(TokenOutcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

absl::StatusOr<std::unique_ptr<TokenVerifier>> TokenVerifier::Create(
    std::vector<Issuer> issuers, TokenVerifierOptions options,
    telemetry::Metrics& metrics) {
  if (!options.chance) options.chance = SystemChance;
  if (!options.open_source) options.open_source = OpenSource;
  auto verifier =
      std::unique_ptr<TokenVerifier>(new TokenVerifier(std::move(options)));
  for (const std::string_view outcome : kOutcomes) {
    verifier->counters_.push_back(metrics.MakeCounter(
        "parcours_identity_tokens_total", "Bearer tokens that came with calls.",
        "outcome", std::string(outcome)));
  }
  std::vector<std::string> problems;
  std::vector<IssuerKeys*> all_keys;
  for (Issuer& issuer : issuers) {
    const bool from_file = !issuer.jwks_file.empty();
    RefreshPolicy policy;
    if (from_file) policy = kFilePolicy;
    if (!from_file) policy.interval = issuer.refresh_interval;
    policy.maximum_age = issuer.maximum_key_age;
    auto keys = std::make_unique<IssuerKeys>(
        issuer.id, verifier->options_.open_source(issuer), policy,
        verifier->options_.chance, metrics);
    if (from_file) {
      const absl::Status read = keys->ReadIfDue(verifier->options_.now());
      if (!read.ok()) {
        problems.push_back(
            Cat("keys of issuer ", issuer.id, ": ", StdView(read.message())));
      }
    }
    all_keys.push_back(keys.get());
    verifier->by_name_.emplace(issuer.issuer, verifier->issuers_.size());
    verifier->issuers_.push_back({std::move(issuer), std::move(keys)});
  }
  if (!problems.empty()) {
    return absl::FailedPreconditionError(absl::StrJoin(problems, "\n"));
  }
  if (verifier->options_.refresh_on_a_thread && !all_keys.empty()) {
    verifier->refresher_ = std::make_unique<KeyRefresher>(
        std::move(all_keys), verifier->options_.now);
  }
  return verifier;
}

void TokenVerifier::ReadKeysIfDue() {
  for (KnownIssuer& known : issuers_) {
    // What failed has been logged, and is tried again when it is due.
    known.keys->ReadIfDue(options_.now()).IgnoreError();
  }
}

bool TokenVerifier::StillHolds(const VerifiedToken& token,
                               absl::Time now) const {
  if (now < token.not_before || now >= token.expires) return false;
  const auto keys = issuers_[token.issuer].keys->At(now);
  if (keys == nullptr) return false;
  const auto key = keys->Find(token.key->kid());
  return key == token.key ||
         (key != nullptr && key->public_part() == token.key->public_part());
}

TokenOutcome TokenVerifier::VerifyAnew(std::string_view token, absl::Time now,
                                       VerifiedToken& verified,
                                       std::string_view& issuer_id) {
  const std::optional<Parts> parts = Split(token);
  if (!parts.has_value()) return TokenOutcome::kMalformed;
  const auto algorithm = TextOf(parts->header, "alg");
  const auto kid = TextOf(parts->header, "kid");
  const auto issuer_name = TextOf(parts->payload, "iss");
  if (!algorithm.has_value() || !kid.has_value() || !issuer_name.has_value()) {
    return TokenOutcome::kMalformed;
  }
  if (!IsAccessToken(parts->header) || parts->header.contains("crit")) {
    return TokenOutcome::kOfAnotherKind;
  }
  const auto found = by_name_.find(*issuer_name);
  if (found == by_name_.end()) return TokenOutcome::kUnknownIssuer;
  const KnownIssuer& known = issuers_[found->second];
  const Issuer& issuer = known.issuer;
  issuer_id = issuer.id;

  const auto keys = known.keys->At(now);
  if (keys == nullptr) return TokenOutcome::kNoKeys;
  const auto key = keys->Find(*kid);
  if (key == nullptr) {
    if (known.keys->MissedAt(now) && refresher_ != nullptr) refresher_->Wake();
    return TokenOutcome::kUnknownKey;
  }
  if (key->algorithm() != *algorithm) return TokenOutcome::kWrongAlgorithm;
  if (key->Verify(token, parts->signature_bytes) != parts->payload_bytes) {
    return TokenOutcome::kWrongSignature;
  }

  const json& claims = parts->payload;
  std::optional<absl::Time> expires, not_before, issued;
  if (!ReadTime(claims, "exp", expires) || !expires.has_value() ||
      !ReadTime(claims, "nbf", not_before) ||
      !ReadTime(claims, "iat", issued)) {
    return TokenOutcome::kWrongClaims;
  }
  verified.expires = *expires + issuer.clock_skew;
  verified.not_before = std::max(not_before.value_or(absl::InfinitePast()),
                                 issued.value_or(absl::InfinitePast())) -
                        issuer.clock_skew;
  if (now >= verified.expires) return TokenOutcome::kExpired;
  if (now < verified.not_before) return TokenOutcome::kNotYetValid;
  if (!IsFor(issuer.audience, claims)) return TokenOutcome::kWrongAudience;
  auto principal = PrincipalOf(issuer, claims);
  if (!principal.has_value()) return TokenOutcome::kWrongClaims;
  verified.principal = *std::move(principal);
  verified.issuer = found->second;
  verified.key = key;
  return TokenOutcome::kVerified;
}

void TokenVerifier::Count(TokenOutcome outcome) {
  counters_[static_cast<std::size_t>(outcome)].Increment();
}

absl::StatusOr<access::Principal> TokenVerifier::Verify(
    std::string_view token) {
  std::string_view issuer_id;
  TokenOutcome outcome = TokenOutcome::kTooLarge;
  if (token.size() <= kMaxTokenBytes) {
    const absl::Time now = options_.now();
    const TokenDigest digest = DigestOf(token);
    if (const auto kept = cache_.Find(digest)) {
      if (StillHolds(*kept, now)) {
        Count(TokenOutcome::kKnown);
        return kept->principal;
      }
      cache_.Erase(digest);
    }
    auto verified = std::make_shared<VerifiedToken>();
    outcome = VerifyAnew(token, now, *verified, issuer_id);
    if (outcome == TokenOutcome::kVerified) {
      Count(outcome);
      access::Principal principal = verified->principal;
      cache_.Put(digest, std::move(verified));
      return principal;
    }
  }
  Count(outcome);
  telemetry::Log(telemetry::LogLevel::kDebug, "token refused",
                 {{"why", TokenOutcomeName(outcome)}, {"issuer", issuer_id}});
  return MakeError(Reason::kUnauthenticated);
}

}  // namespace parcours::identity
