#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_COHORT_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_COHORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/rules/rule_book.h"
#include "common/status/error.h"
#include "common/types/enum_names.h"
#include "services/enrolment/domain/names.h"

namespace parcours::enrolment {

// Who pays: it decides the kind of agreement and the price.
enum class PayerKind {
  kIndividual,
  kEmployer,
  kPublicEmployer,
  kOpco,
  kCpf,
  kFranceTravail,
  kTransitionsPro,
  kSelfEmployedFund,
  kElectedOfficial,
};

// A document of an application file.
enum class PieceKind {
  kCv,
  kLetter,
  kDiploma,
  kExperienceProof,
  kDerogationProof,
  kOther,
};

// What gives an application its rank.
enum class RankEvent { kPreRegistration, kCompleteFile, kCommitment };

// Who may enter: one of the two thresholds is enough; absent, it is not asked.
struct AccessConditions {
  std::optional<int64_t> years_after_bac;
  std::optional<int64_t> experience_years;
  friend bool operator==(const AccessConditions&,
                         const AccessConditions&) = default;
};

// What is taught, to whom, under which conditions. `content` is what is printed
// and never decided on, in the contract's encoding.
struct Programme {
  ProgrammeName name;
  std::string display_name;
  AccessConditions access_conditions;
  RankEvent rank_event = RankEvent::kCompleteFile;
  std::vector<PieceKind> required_pieces;
  std::string content;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
  friend bool operator==(const Programme&, const Programme&) = default;
};

// A price for a kind of payer; without an amount, the programme gives none.
struct PriceLine {
  PayerKind payer_kind = PayerKind::kIndividual;
  std::optional<int64_t> amount_cents;
  friend bool operator==(const PriceLine&, const PriceLine&) = default;
};

// Who may fund, and the rule that says how long before the start it must be
// asked; empty: no such time.
struct Funder {
  std::string id;
  PayerKind payer_kind = PayerKind::kOpco;
  std::string lead_time_rule;
  friend bool operator==(const Funder&, const Funder&) = default;
};

enum class CohortState {
  kDraft,
  kOpen,
  kConfirmed,
  kUnderWay,
  kEnded,
  kPostponed,
  kCancelled,
};

enum class GoDecision {
  kUndecided,
  kGo,
  kGoBelowMinimum,
  kPostpone,
  kCancel,
};

// A programme given once. `content` as in Programme.
struct Cohort {
  CohortName name;
  ProgrammeName programme;
  std::string display_name;
  int64_t capacity = 0;
  int64_t minimum = 0;
  std::string time_zone;
  absl::CivilDay application_open_date;
  absl::CivilDay application_close_date;
  absl::CivilDay start_date;
  absl::CivilDay end_date;
  absl::CivilDay entry_cutoff_date;
  std::optional<int64_t> commitment_deadline_days;
  std::optional<int64_t> offer_validity_hours;
  std::vector<PriceLine> prices;
  std::vector<Funder> funders;
  CohortState state = CohortState::kDraft;
  GoDecision go_decision = GoDecision::kUndecided;
  absl::Time go_decision_time;
  std::string go_decider;
  std::string go_reason;
  std::string content;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
  friend bool operator==(const Cohort&, const Cohort&) = default;
};

// How many places stand in each state.
struct PlaceCounts {
  int64_t held = 0;
  int64_t offered = 0;
  int64_t confirmed = 0;
  int64_t at_risk = 0;
  int64_t waitlisted = 0;

  // What counts against the capacity.
  int64_t taken() const { return held + offered + confirmed + at_risk; }
};

// The counts on which a person decides whether the course takes place.
struct GoNoGoCounts {
  int64_t binding = 0;
  int64_t in_withdrawal_period = 0;
  int64_t at_risk = 0;

  int64_t confirmed() const { return binding + in_withdrawal_period; }
};

// A decision is taken by a named person, with its reason (GDPR, article 22).
struct Decision {
  std::string decider;
  std::string reason;
};

// Adds DECIDER_NOT_A_PERSON and REASON_REQUIRED.
void Validate(const Decision& decision, bool reason_required,
              FieldViolations& violations);

void Validate(const Programme& programme, std::string_view prefix,
              FieldViolations& violations);
void Validate(const Cohort& cohort, std::string_view prefix,
              FieldViolations& violations);

// Whether places move: published, and neither put off, given up nor over.
bool Runs(const Cohort& cohort);

// COHORT_NOT_OPEN unless the cohort runs.
absl::Status CheckRuns(const Cohort& cohort);

// OK when the cohort receives applications at `now`; COHORT_NOT_OPEN,
// WINDOW_NOT_OPEN or WINDOW_CLOSED otherwise. Days are local to the cohort.
absl::Status CheckReceivesApplications(const Cohort& cohort, absl::Time now);

// The local day at `now`.
absl::CivilDay LocalDay(const Cohort& cohort, absl::Time now);

// The instant at which the local `day` ends.
absl::Time EndOfDay(const Cohort& cohort, absl::CivilDay day);

// Whether somebody may still enter at `now`.
bool EntryIsOpen(const Cohort& cohort, absl::Time now);

// The price for `payer`: its own line; for an OPCO or a public employer without
// one, that of an employer. PRICE_UNKNOWN when there is no line at all; no
// amount when the line gives none, which is legal.
absl::StatusOr<std::optional<int64_t>> PriceFor(const Cohort& cohort,
                                                PayerKind payer);

// The funder of that id, or nothing.
const Funder* FindFunder(const Cohort& cohort, std::string_view id);

// Publishes a cohort in preparation. ILLEGAL_TRANSITION.
absl::Status Open(Cohort& cohort);

// Records whether the course takes place. Falling below the minimum after a GO
// changes nothing here. ILLEGAL_TRANSITION, BELOW_MINIMUM.
absl::Status Decide(Cohort& cohort, GoDecision decision,
                    const Decision& decided, const GoNoGoCounts& counts,
                    absl::Time now);

// When time moves the cohort on: at the beginning of its first day once a
// person has decided that it takes place, at the end of its last day once it is
// under way. Absent in every other state: those are for people.
std::optional<absl::Time> NextStepTime(const Cohort& cohort);

// CONFIRMED → UNDER_WAY → ENDED. REQUIRES: NextStepTime has been reached.
void StepOn(Cohort& cohort);

// CAPACITY_BELOW_HELD naming `holders`, or as many of the first as fit into an
// error, when `capacity` is below what is taken.
absl::Status CheckCapacity(int64_t capacity, const PlaceCounts& counts,
                           const std::vector<std::string>& holders);

}  // namespace parcours::enrolment

namespace parcours {

template <>
struct EnumNames<enrolment::PayerKind> {
  static constexpr std::string_view values[] = {"INDIVIDUAL",
                                                "EMPLOYER",
                                                "PUBLIC_EMPLOYER",
                                                "OPCO",
                                                "CPF",
                                                "FRANCE_TRAVAIL",
                                                "TRANSITIONS_PRO",
                                                "SELF_EMPLOYED_FUND",
                                                "ELECTED_OFFICIAL"};
};
template <>
struct EnumNames<enrolment::PieceKind> {
  static constexpr std::string_view values[] = {
      "CV",   "LETTER", "DIPLOMA", "EXPERIENCE_PROOF", "DEROGATION_PROOF",
      "OTHER"};
};
template <>
struct EnumNames<enrolment::RankEvent> {
  static constexpr std::string_view values[] = {"PRE_REGISTRATION",
                                                "COMPLETE_FILE", "COMMITMENT"};
};
template <>
struct EnumNames<enrolment::CohortState> {
  static constexpr std::string_view values[] = {
      "DRAFT", "OPEN",      "CONFIRMED", "UNDER_WAY",
      "ENDED", "POSTPONED", "CANCELLED"};
};
template <>
struct EnumNames<enrolment::GoDecision> {
  static constexpr std::string_view values[] = {
      "UNDECIDED", "GO", "GO_BELOW_MINIMUM", "POSTPONE", "CANCEL"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_COHORT_H_
