#include "services/evaluation/domain/assessment_plan.h"

#include "common/text/view.h"

namespace parcours::evaluation {
namespace {

void ValidateNote(const AssessmentPlan& plan, FieldViolations& violations) {
  if (!plan.note_required) return;
  if (plan.note_max_pages <= 0) {
    violations.Add("assessment_plan.options.note_max_pages",
                   Reason::kFieldRequired);
  } else if (plan.note_min_pages < 0 ||
             plan.note_min_pages > plan.note_max_pages) {
    violations.Add("assessment_plan.options.note_min_pages",
                   Reason::kFieldOutOfRange,
                   {{"minimum", "0"}, {"maximum", Cat(plan.note_max_pages)}});
  }
  if (!plan.writing_end.has_value()) {
    violations.Add("assessment_plan.calendar.writing_end_date",
                   Reason::kFieldRequired);
  }
}

void ValidateJury(const AssessmentPlan& plan, FieldViolations& violations) {
  if (plan.jury_required && plan.jury_quorum <= 0) {
    violations.Add("assessment_plan.options.jury_quorum",
                   Reason::kFieldRequired);
  }
  if (!plan.jury_required && plan.jury_quorum != 0) {
    violations.Add("assessment_plan.options.jury_required",
                   Reason::kFieldRequired);
  }
  if (plan.jury_required && !plan.jury_date.has_value()) {
    violations.Add("assessment_plan.calendar.jury_date",
                   Reason::kFieldRequired);
  }
  if (plan.pass_mark_hundredths.has_value() && !plan.marked) {
    violations.Add("assessment_plan.options.marked", Reason::kFieldRequired);
  }
}

void ValidateDates(const AssessmentPlan& plan, FieldViolations& violations) {
  if (plan.writing_start.has_value() && plan.writing_end.has_value() &&
      plan.writing_end->Last() < plan.writing_start->First()) {
    violations.Add(
        "assessment_plan.calendar.writing_end_date", Reason::kDatesOutOfOrder,
        {{"earlier", "assessment_plan.calendar.writing_start_date"}});
  }
  if (plan.writing_end.has_value() && plan.jury_date.has_value() &&
      plan.jury_date->Last() < plan.writing_end->First()) {
    violations.Add("assessment_plan.calendar.jury_date",
                   Reason::kDatesOutOfOrder,
                   {{"earlier", "assessment_plan.calendar.writing_end_date"}});
  }
  if (plan.note_due_date.has_value() && plan.writing_start.has_value() &&
      *plan.note_due_date < plan.writing_start->First()) {
    violations.Add(
        "assessment_plan.note_due_date", Reason::kDatesOutOfOrder,
        {{"earlier", "assessment_plan.calendar.writing_start_date"}});
  }
  if (plan.note_due_date.has_value() && plan.jury_date.has_value() &&
      plan.jury_date->Last() < *plan.note_due_date) {
    violations.Add("assessment_plan.calendar.jury_date",
                   Reason::kDatesOutOfOrder,
                   {{"earlier", "assessment_plan.note_due_date"}});
  }
}

void ValidateCertification(const AssessmentPlan& plan,
                           FieldViolations& violations) {
  const std::optional<CertificationMandate>& mandate =
      plan.certification_mandate;
  if (mandate.has_value() && mandate->effective_until.has_value() &&
      *mandate->effective_until < mandate->effective_from) {
    violations.Add(
        "assessment_plan.certification_mandate.effective_until",
        Reason::kDatesOutOfOrder,
        {{"earlier", "assessment_plan.certification_mandate.effective_from"}});
  }
  if (plan.certification_mode != CertificationMode::kDelegated) return;
  if (!mandate.has_value()) {
    violations.Add("assessment_plan.certification_mandate",
                   Reason::kFieldRequired);
  }
  if (plan.certificate_title.empty()) {
    violations.Add("assessment_plan.certificate_title", Reason::kFieldRequired);
  }
}

}  // namespace

absl::CivilDay PlanDate::First() const {
  return absl::CivilDay(year, month, day == 0 ? 1 : day);
}

absl::CivilDay PlanDate::Last() const {
  if (day != 0) return absl::CivilDay(year, month, day);
  return absl::CivilDay(absl::CivilMonth(year, month) + 1) - 1;
}

bool CertificationMandate::InForceOn(absl::CivilDay day) const {
  return effective_from <= day &&
         (!effective_until.has_value() || day <= *effective_until);
}

absl::CivilDay AssessmentPlan::NoteDueDate() const {
  if (note_due_date.has_value()) return *note_due_date;
  return writing_end.value_or(PlanDate{}).Last();
}

void Validate(const AssessmentPlan& plan, FieldViolations& violations) {
  ValidateNote(plan, violations);
  ValidateJury(plan, violations);
  ValidateDates(plan, violations);
  ValidateCertification(plan, violations);
}

absl::Status CheckJuryRequired(const AssessmentPlan& plan) {
  return plan.jury_required ? absl::OkStatus() : MakeError(Reason::kNoJury);
}

absl::Status CheckNoteRequired(const AssessmentPlan& plan) {
  if (plan.note_required) return absl::OkStatus();
  return MakeError(plan.jury_required ? Reason::kNoteNotRequired
                                      : Reason::kNoJury);
}

}  // namespace parcours::evaluation
