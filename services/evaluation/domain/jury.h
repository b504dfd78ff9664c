#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_JURY_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_JURY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/types/enum_names.h"
#include "services/evaluation/domain/assessment_plan.h"
#include "services/evaluation/domain/names.h"
#include "services/evaluation/domain/roster.h"

namespace parcours::evaluation {

// CONVENED → OPEN → CLOSED, for ever.
enum class JuryState { kConvened, kOpen, kClosed };

enum class MemberRole { kPresident, kMember };

enum class ConflictCategory {
  kFamily,
  kEmployment,
  kAcademic,
  kFinancial,
  kOther,
};

enum class DecisionOutcome { kAwarded, kDeferred, kRefused };

// A declared conflict of interest; only its category is kept.
struct Conflict {
  ConflictName name;
  PersonName person;
  EnrolmentName enrolment;
  ConflictCategory category = ConflictCategory::kOther;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

struct JuryMember {
  PersonName person;
  std::string display_name;
  MemberRole role = MemberRole::kMember;
  std::string quality;
  bool present = false;

  friend bool operator==(const JuryMember&, const JuryMember&) = default;
};

struct Jury {
  JuryName name;
  absl::CivilDay session_date;
  std::string place;
  std::vector<JuryMember> members;
  JuryState state = JuryState::kConvened;
  int64_t quorum = 0;                     // from the plan, at the opening
  std::vector<EnrolmentName> candidates;  // fixed at the opening
  std::optional<absl::Time> open_time;
  std::optional<absl::Time> close_time;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;

  CohortName cohort() const { return name.Under<CohortName>(); }
};

// What a jury decided on one candidate. Revised until the minutes are closed;
// afterwards only `corrected_by` may be set.
struct Decision {
  DecisionName name;
  EnrolmentName enrolment;
  // The candidate, whose the reason is.
  PersonName person;
  DecisionOutcome outcome = DecisionOutcome::kDeferred;
  std::string reason;
  // Salt of the commitment to `reason` in the minutes' digest.
  std::string reason_salt;
  // That commitment, once reason and salt are erased; empty before.
  std::string reason_commitment;
  std::optional<int64_t> mark_hundredths;
  std::vector<PersonName> deciding_members;
  DecisionName corrects;      // empty: a first decision or a resit
  DecisionName corrected_by;  // empty: in force
  absl::Time decide_time;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;

  JuryName jury() const { return name.Under<JuryName>(); }
};

// The minutes of a closed session, one link of the chain of its body. Never
// change.
struct Minutes {
  MinutesName name;
  int64_t position = 0;
  std::string text;
  std::string text_salt;
  std::string digest;
  std::string previous_digest;
  int64_t awarded_count = 0;
  int64_t deferred_count = 0;
  int64_t refused_count = 0;
  std::vector<EnrolmentName> departed;
  absl::Time close_time;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;

  JuryName jury() const { return name.Under<JuryName>(); }
};

// Adds what is wrong with the members, under "jury.": exactly one president,
// nobody twice. QUORUM_NOT_MET for fewer than the plan's quorum is separate.
absl::Status CheckMembers(const Jury& jury, const AssessmentPlan& plan);

// ILLEGAL_TRANSITION unless the jury is convened.
absl::Status CheckConvened(const Jury& jury, std::string_view action);

// Opens the session. ILLEGAL_TRANSITION, TOO_EARLY, UNKNOWN_REFERENCE for
// somebody who is no member, QUORUM_NOT_MET.
absl::Status OpenSession(Jury& jury, const AssessmentPlan& plan,
                         const std::vector<PersonName>& present,
                         std::vector<EnrolmentName> candidates, absl::Time now);

// OK while decisions may be recorded; MINUTES_CLOSED or ILLEGAL_TRANSITION.
absl::Status CheckSits(const Jury& jury, std::string_view action);

// Settles who decides: those named, or all present without a conflict. Errors:
// UNKNOWN_REFERENCE for somebody who is not present, CONFLICT_OF_INTEREST,
// QUORUM_NOT_MET. `conflicts` are those declared about the candidate.
absl::Status SettleDecidingMembers(const Jury& jury,
                                   const std::vector<Conflict>& conflicts,
                                   Decision& decision);

// REASON_REQUIRED but for an award, and the mark where the programme marks.
absl::Status CheckDecision(const Decision& decision,
                           const AssessmentPlan& plan);

// A candidate as the minutes name it.
struct MinutesCandidate {
  EnrolmentName enrolment;
  std::string display_name;
  int64_t page_count = 0;  // 0: no note
  bool out_of_range = false;
  bool late = false;
};

struct Closing {
  const AssessmentPlan& plan;
  const std::vector<Decision>& decisions;  // in order of the enrolments
  const std::vector<MinutesCandidate>& candidates;
  // Undecided candidates who have left since the opening.
  const std::vector<EnrolmentName>& departed;
  int64_t position = 0;
  std::string previous_digest;
  absl::Time now;
};

// The commitment to the reason of `decision`, erased or not, that the digest of
// its minutes covers.
std::string ReasonCommitment(const Decision& decision);

// Closes the session and draws up its minutes. MINUTES_CLOSED,
// ILLEGAL_TRANSITION, DECISIONS_MISSING.
absl::StatusOr<Minutes> CloseSession(Jury& jury, const Closing& closing);

// The digest of `minutes` over `decisions`: names, outcomes, marks and
// commitments, never clear personal data, so that erasure leaves it valid.
std::string DigestOf(const Minutes& minutes,
                     const std::vector<Decision>& decisions);

}  // namespace parcours::evaluation

namespace parcours {

template <>
struct EnumNames<evaluation::JuryState> {
  static constexpr std::string_view values[] = {"CONVENED", "OPEN", "CLOSED"};
};

template <>
struct EnumNames<evaluation::MemberRole> {
  static constexpr std::string_view values[] = {"PRESIDENT", "MEMBER"};
};

template <>
struct EnumNames<evaluation::ConflictCategory> {
  static constexpr std::string_view values[] = {
      "FAMILY", "EMPLOYMENT", "ACADEMIC", "FINANCIAL", "OTHER"};
};

template <>
struct EnumNames<evaluation::DecisionOutcome> {
  static constexpr std::string_view values[] = {"AWARDED", "DEFERRED",
                                                "REFUSED"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_JURY_H_
