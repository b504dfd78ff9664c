#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_APPLICATION_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_APPLICATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/rules/rule_book.h"
#include "common/status/error.h"
#include "common/types/enum_names.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/names.h"
#include "services/enrolment/domain/people.h"

namespace parcours::enrolment {

// Where the review stands. AWAITING_PIECES → RECEIVED → ADMITTED | REFUSED;
// a piece may be asked again, a refusal may be reopened, the candidate may
// withdraw.
enum class ReviewState {
  kAwaitingPieces,
  kReceived,
  kAdmitted,
  kRefused,
  kWithdrawn,
};

// Where the place stands. NONE → HELD or WAITLISTED → OFFERED → HELD →
// CONFIRMED; AT_RISK when a funder fails; RELEASED.
enum class PlaceState {
  kNone,
  kHeld,
  kWaitlisted,
  kOffered,
  kConfirmed,
  kAtRisk,
  kReleased,
};

enum class Channel { kOnline, kPost, kEmail, kEdof, kKairos };

// What the candidate declares; only what the review needs (C. trav. L6353-9).
struct Qualification {
  int64_t years_after_bac = 0;
  int64_t experience_years = 0;
  int64_t volunteering_years = 0;
};

struct Piece {
  PieceKind kind = PieceKind::kOther;
  UploadName upload;
  std::string sha256;
  absl::Time attach_time;
  bool unreadable = false;
};

struct Payer {
  PayerKind kind = PayerKind::kIndividual;
  OrganisationName organisation;  // empty: none
  std::string funder_id;          // empty: not known yet
};

struct AdmissionDecision {
  std::string decider;  // empty: not decided
  std::string reason;
  absl::Time decision_time;
  bool derogation = false;
  std::string derogation_proof;
};

struct Application {
  ApplicationName name;
  CohortName cohort;
  PersonName person;
  // The candidate as declared; the person may change later.
  std::string given_name;
  std::string family_name;
  std::string email;
  std::string phone;
  Qualification qualification;
  // See CandidateKey; the record keeps a digest in its place.
  std::string candidate_key;
  Payer payer;
  Channel channel = Channel::kOnline;
  std::optional<absl::Time> declared_time;
  std::vector<Piece> pieces;
  std::optional<absl::Time> pieces_due_time;
  ReviewState review_state = ReviewState::kAwaitingPieces;
  bool meets_access_conditions = false;
  AdmissionDecision decision;
  int64_t rank = 0;  // 0: none
  PlaceState place_state = PlaceState::kNone;
  std::optional<absl::Time> place_expire_time;
  absl::Time submit_time;
  std::optional<absl::Time> rank_time;
  // The subject of the account that sent it; empty when the body entered it.
  std::string account;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

// What makes two applications to one cohort the same person's: e-mail address
// and names, whatever their case and spacing. Persons are never merged on it.
std::string CandidateKey(const Application& application);

// Whether both mean an agreement with the same party at the same tariff; who
// funds that party may differ.
bool IsSameParty(const Payer& one, const Payer& other);

// What is wrong with `payer` for the cohort, under `prefix`: an organisation is
// required when it or its OPCO pays, a funder must be one of the cohort's.
absl::Status CheckPayer(const Payer& payer, const Cohort& cohort,
                        std::string_view prefix);

// Adds what is wrong with the declaration, under "application.".
void Validate(const Application& application, const Cohort& cohort,
              FieldViolations& violations);

// Whether the declaration reaches the access conditions; `volunteering_counts`
// is the rule admission.volunteering_counts. An indication: a person decides.
bool MeetsAccessConditions(const Qualification& qualification,
                           const AccessConditions& conditions,
                           const rules::DatedRule& volunteering_counts);

// The required pieces that are absent or cannot be read.
std::vector<PieceKind> MissingPieces(const Application& application,
                                     const Programme& programme);

// Adds a piece, replacing one of its kind, and moves the review on when the
// file is complete. ILLEGAL_TRANSITION once decided.
absl::Status AttachPiece(Application& application, const Programme& programme,
                         Piece piece);

// Marks a piece as unreadable: the review awaits it again; a rank is kept until
// the end of the `grace`-th working day. ILLEGAL_TRANSITION when there is no
// such piece or the application is decided.
absl::Status RequestPiece(Application& application, const Cohort& cohort,
                          PieceKind kind, const rules::DatedRule& grace,
                          absl::Time now);

// A named person admits. Without the access conditions a derogation with its
// proof is needed. ILLEGAL_TRANSITION, FILE_INCOMPLETE,
// ACCESS_CONDITIONS_NOT_MET.
absl::Status Admit(Application& application, const Programme& programme,
                   const Decision& decision,
                   const std::string& derogation_proof, absl::Time now);

// A named person refuses; the place, if any, is to be released.
// ILLEGAL_TRANSITION.
absl::Status Refuse(Application& application, const Decision& decision,
                    absl::Time now);

// Takes a refusal back: the review goes on. ILLEGAL_TRANSITION.
absl::Status Reopen(Application& application);

// The candidate gives up before a confirmed place. ILLEGAL_TRANSITION.
absl::Status Withdraw(Application& application);

// ILLEGAL_TRANSITION for `action` on `application` in its review state.
absl::Status IllegalReview(const Application& application,
                           std::string_view action);

}  // namespace parcours::enrolment

namespace parcours {

template <>
struct EnumNames<enrolment::ReviewState> {
  static constexpr std::string_view values[] = {
      "AWAITING_PIECES", "RECEIVED", "ADMITTED", "REFUSED", "WITHDRAWN"};
};
template <>
struct EnumNames<enrolment::PlaceState> {
  static constexpr std::string_view values[] = {
      "NONE",      "HELD",    "WAITLISTED", "OFFERED",
      "CONFIRMED", "AT_RISK", "RELEASED"};
};
template <>
struct EnumNames<enrolment::Channel> {
  static constexpr std::string_view values[] = {"ONLINE", "POST", "EMAIL",
                                                "EDOF", "KAIROS"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_APPLICATION_H_
