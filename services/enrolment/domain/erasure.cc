#include "services/enrolment/domain/erasure.h"

#include <algorithm>
#include <cstddef>

#include "common/crypto/digest.h"
#include "common/status/error.h"

namespace parcours::enrolment {
namespace {

// Every service that keeps something on persons.
constexpr std::string_view kServices[] = {kThisService, "scheduling",
                                          "evaluation"};

constexpr std::size_t kCandidateKeyBytes = 32;

bool Says(const Erasure& erasure, std::string_view service) {
  return std::any_of(erasure.acknowledgements.begin(),
                     erasure.acknowledgements.end(),
                     [service](const ErasureAcknowledgement& said) {
                       return said.service == service;
                     });
}

absl::Status ErasedIf(bool erased) {
  return erased ? MakeError(Reason::kPersonErased) : absl::OkStatus();
}

}  // namespace

ErasureName ErasureOf(const PersonName& person) {
  return ChildName<ErasureName>(BodyName::FromRecord(person.body()), "erasures",
                                person.id());
}

PersonName PersonOf(const ErasureName& erasure) {
  return ChildName<PersonName>(BodyName::FromRecord(erasure.body()), "persons",
                               erasure.id());
}

Erasure BeginErasure(const PersonName& person, ErasureGround ground,
                     absl::Time now) {
  Erasure erasure;
  erasure.name = ErasureOf(person);
  erasure.person = person;
  erasure.ground = ground;
  erasure.erase_time = now;
  return erasure;
}

bool Acknowledge(Erasure& erasure, std::string_view service, absl::Time now) {
  if (std::find(std::begin(kServices), std::end(kServices), service) ==
          std::end(kServices) ||
      Says(erasure, service)) {
    return false;
  }
  erasure.acknowledgements.push_back(
      {.service = std::string(service), .acknowledge_time = now});
  if (AwaitedServices(erasure).empty()) {
    erasure.state = ErasureState::kComplete;
    erasure.complete_time = now;
  }
  return true;
}

std::vector<std::string> AwaitedServices(const Erasure& erasure) {
  std::vector<std::string> awaited;
  for (const std::string_view service : kServices) {
    if (!Says(erasure, service)) awaited.emplace_back(service);
  }
  return awaited;
}

void Erase(Person& person, absl::Time now) {
  person.given_name.clear();
  person.family_name.clear();
  person.birth_name.clear();
  person.email.clear();
  person.phone.clear();
  person.external_ids.clear();
  person.erase_time = now;
}

void Erase(Application& application) {
  application.given_name.clear();
  application.family_name.clear();
  application.email.clear();
  application.phone.clear();
  // Unique like any other, and nobody's.
  application.candidate_key = crypto::RandomHex(kCandidateKeyBytes);
  application.pieces.clear();
  application.decision.reason.clear();
  application.decision.derogation_proof.clear();
  application.account.clear();
}

void Erase(Agreement& agreement) {
  agreement.end_reason.clear();
  // Signed for an organisation, by somebody of theirs.
  if (!agreement.organisation.empty()) return;
  agreement.signatory.clear();
  agreement.external_ids.clear();
}

void Erase(Enrolment& enrolment) {
  enrolment.person_display_name.clear();
  enrolment.commitment_reference.clear();
  enrolment.end_reason.clear();
  enrolment.has_measures = false;
  enrolment.external_ids.clear();
}

absl::Status CheckNotErased(const Person& person) {
  return ErasedIf(person.erase_time.has_value());
}

// Nobody else is without an address: it is required.
absl::Status CheckNotErased(const Application& application) {
  return ErasedIf(application.email.empty());
}

absl::Status CheckNotErased(const Enrolment& enrolment) {
  return ErasedIf(enrolment.person_display_name.empty());
}

}  // namespace parcours::enrolment
