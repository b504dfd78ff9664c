#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_ERASURE_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_ERASURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/types/enum_names.h"
#include "services/enrolment/domain/agreement.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/enrolment.h"
#include "services/enrolment/domain/names.h"
#include "services/enrolment/domain/people.h"

namespace parcours::enrolment {

// Why somebody is erased: they asked for it (GDPR, article 17), or what was
// kept is no longer needed (article 5(1)(e)).
enum class ErasureGround { kRequested, kRetention };

// RUNNING until every service has done it.
enum class ErasureState { kRunning, kComplete };

// That a service has erased somebody.
struct ErasureAcknowledgement {
  std::string service;
  absl::Time acknowledge_time;
  friend bool operator==(const ErasureAcknowledgement&,
                         const ErasureAcknowledgement&) = default;
};

// That a person was erased: it says nothing of who it was.
struct Erasure {
  ErasureName name;
  PersonName person;
  ErasureGround ground = ErasureGround::kRequested;
  ErasureState state = ErasureState::kRunning;
  // In the order in which they came, each service once.
  std::vector<ErasureAcknowledgement> acknowledgements;
  absl::Time erase_time;
  std::optional<absl::Time> complete_time;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

// This service, as it acknowledges.
inline constexpr std::string_view kThisService = "enrolment";

// "bodies/opale/erasures/p" of "bodies/opale/persons/p", and the other way.
ErasureName ErasureOf(const PersonName& person);
PersonName PersonOf(const ErasureName& erasure);

// The erasure of `person`, which nobody has done yet.
Erasure BeginErasure(const PersonName& person, ErasureGround ground,
                     absl::Time now);

// `service` says that it is done there; the last one completes the erasure.
// False, and nothing changes, when it has said so before or is none that keeps
// persons.
bool Acknowledge(Erasure& erasure, std::string_view service, absl::Time now);

// The services that have not said so yet, in the order of the process.
std::vector<std::string> AwaitedServices(const Erasure& erasure);

// Takes out what says who it is or was, and what was said of them. What is
// counted stays: rank, place, review, qualification, amounts, dates.
void Erase(Person& person, absl::Time now);
void Erase(Application& application);
// An agreement with an organisation keeps its signatory and its identifiers:
// they are the organisation's.
void Erase(Agreement& agreement);
void Erase(Enrolment& enrolment);

// PERSON_ERASED when this is what is left of somebody who was erased.
absl::Status CheckNotErased(const Person& person);
absl::Status CheckNotErased(const Application& application);
absl::Status CheckNotErased(const Enrolment& enrolment);

}  // namespace parcours::enrolment

namespace parcours {

template <>
struct EnumNames<enrolment::ErasureGround> {
  static constexpr std::string_view values[] = {"REQUESTED", "RETENTION"};
};
template <>
struct EnumNames<enrolment::ErasureState> {
  static constexpr std::string_view values[] = {"RUNNING", "COMPLETE"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_ERASURE_H_
