#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/types/enum_names.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/names.h"

namespace parcours::enrolment {

// ENROLLED → STARTED | NO_SHOW; STARTED → COMPLETED | DROPPED_OUT | EXCLUDED;
// either → REPLACED | TRANSFERRED | WITHDRAWN (the legal withdrawal; before the
// start also whatever else takes the place away).
enum class EnrolmentState {
  kEnrolled,
  kStarted,
  kCompleted,
  kDroppedOut,
  kExcluded,
  kReplaced,
  kNoShow,
  kTransferred,
  kWithdrawn,
};

// The written commitment of a payer.
enum class CommitmentKind {
  kSignedAgreement,
  kPurchaseOrder,
  kEdofAcceptance,
  kFranceTravailGrant,
};

// A confirmed participation.
struct Enrolment {
  EnrolmentName name;
  CohortName cohort;
  ApplicationName application;
  PersonName person;
  std::string person_display_name;
  EnrolmentState state = EnrolmentState::kEnrolled;
  PayerKind payer_kind = PayerKind::kIndividual;
  OrganisationName organisation;
  std::string funder_id;
  CommitmentKind commitment = CommitmentKind::kSignedAgreement;
  std::string commitment_reference;
  absl::Time enrol_time;
  std::optional<absl::CivilDay> end_date;
  std::string end_reason;
  bool force_majeure = false;
  bool has_measures = false;
  std::vector<ExternalId> external_ids;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

// How a participation ends early: the state, why, and on which last day.
struct EarlyEnd {
  EnrolmentState state = EnrolmentState::kDroppedOut;
  std::string reason;
  bool force_majeure = false;
  absl::CivilDay last_day;
};

// Whether the payer of that kind can be committed by this act.
bool Commits(CommitmentKind commitment, PayerKind payer);

// The learner has started. ILLEGAL_TRANSITION; TOO_EARLY before the first day.
absl::Status Start(Enrolment& enrolment, const Cohort& cohort,
                   absl::CivilDay today);

// The learner has followed the course to its end. ILLEGAL_TRANSITION; TOO_EARLY
// before the last day.
absl::Status Complete(Enrolment& enrolment, const Cohort& cohort,
                      absl::CivilDay today);

// The participation ends early. ILLEGAL_TRANSITION when the state that is asked
// for cannot follow.
absl::Status EndEarly(Enrolment& enrolment, const EarlyEnd& end);

// The place was given up, by whatever decision or deadline: nobody who has not
// started takes part any more (WITHDRAWN), who has started has dropped out.
// Nothing changes for a participation that has ended.
void LosePlace(Enrolment& enrolment, const std::string& reason,
               absl::CivilDay today);

// Whether the learner still takes part.
bool IsActive(const Enrolment& enrolment);

}  // namespace parcours::enrolment

namespace parcours {

template <>
struct EnumNames<enrolment::EnrolmentState> {
  static constexpr std::string_view values[] = {
      "ENROLLED", "STARTED", "COMPLETED",   "DROPPED_OUT", "EXCLUDED",
      "REPLACED", "NO_SHOW", "TRANSFERRED", "WITHDRAWN"};
};
template <>
struct EnumNames<enrolment::CommitmentKind> {
  static constexpr std::string_view values[] = {
      "SIGNED_AGREEMENT", "PURCHASE_ORDER", "EDOF_ACCEPTANCE",
      "FRANCE_TRAVAIL_GRANT"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_H_
