#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_ASSESSMENT_PLAN_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_ASSESSMENT_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/status/error.h"
#include "common/types/enum_names.h"
#include "services/evaluation/domain/names.h"

namespace parcours::evaluation {

// A day, or with `day` 0 a whole month, as programmes give their dates.
struct PlanDate {
  int64_t year = 0;
  int month = 0;
  int day = 0;

  absl::CivilDay First() const;
  absl::CivilDay Last() const;
  friend bool operator==(const PlanDate&, const PlanDate&) = default;
};

// Who numbers, signs and sends the certificate.
enum class CertificationMode {
  kUndecided,
  // The body, under the certifier's mandate.
  kDelegated,
  // The certifier, from a jury pack.
  kHandover,
};

struct CertificationMandate {
  std::string reference;
  absl::CivilDay effective_from;
  std::optional<absl::CivilDay> effective_until;  // last day, included

  bool InForceOn(absl::CivilDay day) const;
  friend bool operator==(const CertificationMandate&,
                         const CertificationMandate&) = default;
};

// What the certificate gives in a diploma; the programme's own words.
struct CreditWording {
  std::string wording;
  std::string waived_unit;
  int64_t unit_ects = 0;
  std::string diploma_code;
  std::string diploma_title;
  friend bool operator==(const CreditWording&, const CreditWording&) = default;
};

// How one cohort is assessed: what its programme says. All numbers are the
// programme's.
struct AssessmentPlan {
  AssessmentPlanName name;

  bool note_required = false;
  int64_t note_min_pages = 0;
  int64_t note_max_pages = 0;
  bool jury_required = false;
  int64_t jury_quorum = 0;
  std::optional<int64_t> attendance_floor_basis_points;
  bool marked = false;
  std::optional<int64_t> pass_mark_hundredths;
  bool oral = false;
  int64_t readers_per_note = 0;

  std::optional<PlanDate> writing_start;
  std::optional<PlanDate> writing_end;
  std::optional<PlanDate> jury_date;
  std::optional<absl::CivilDay> note_due_date;

  CertificationMode certification_mode = CertificationMode::kUndecided;
  std::optional<CertificationMandate> certification_mandate;
  std::string certificate_title;
  std::string certificate_kind;
  std::optional<CreditWording> credit_wording;
  std::string certifier_display_name;
  std::string body_display_name;
  std::string action_title;

  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;

  CohortName cohort() const { return name.Under<CohortName>(); }
  // Last day on which a final note is on time, before any adaptation.
  absl::CivilDay NoteDueDate() const;

  friend bool operator==(const AssessmentPlan&,
                         const AssessmentPlan&) = default;
};

// Adds what does not fit together, under "assessment_plan.".
void Validate(const AssessmentPlan& plan, FieldViolations& violations);

// OK when the cohort has a jury; NO_JURY otherwise.
absl::Status CheckJuryRequired(const AssessmentPlan& plan);

// OK when learners write notes; NO_JURY or NOTE_NOT_REQUIRED otherwise.
absl::Status CheckNoteRequired(const AssessmentPlan& plan);

}  // namespace parcours::evaluation

namespace parcours {

template <>
struct EnumNames<evaluation::CertificationMode> {
  static constexpr std::string_view values[] = {"UNDECIDED", "DELEGATED",
                                                "HANDOVER"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_ASSESSMENT_PLAN_H_
