#include "services/evaluation/domain/validation_note.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/time/clock.h"

namespace parcours::evaluation {
namespace {

absl::Status Illegal(const ValidationNote& note, std::string_view action) {
  return MakeError(Reason::kIllegalTransition,
                   {{"resource", note.name.text()},
                    {"state", std::string(NameOf(note.state))},
                    {"action", std::string(action)}});
}

struct PageRange {
  int64_t min = 0;
  int64_t max = 0;
  bool Holds(int64_t pages) const { return min <= pages && pages <= max; }
};

PageRange RangeOf(const ValidationNote& note, const AssessmentPlan& plan) {
  if (note.adaptation.has_value() && note.adaptation->max_pages > 0) {
    return {note.adaptation->min_pages, note.adaptation->max_pages};
  }
  return {plan.note_min_pages, plan.note_max_pages};
}

std::string DayText(absl::CivilDay day) {
  return absl::StrFormat("%02d/%02d/%d", day.day(), day.month(), day.year());
}

}  // namespace

NoteVersionName VersionOf(const NoteName& note, int64_t number) {
  return ChildName<NoteVersionName>(note, "versions",
                                    absl::StrFormat("%03d", number));
}

absl::StatusOr<ValidationNote> StartNote(const RosterEntry& learner,
                                         const std::string& subject) {
  if (HasLeft(learner.state)) {
    return MakeError(Reason::kNotACandidate,
                     {{"candidate", learner.enrolment.text()},
                      {"cause", std::string(NameOf(learner.state))}});
  }
  ValidationNote note;
  note.name = NoteOf(learner.enrolment);
  note.enrolment = learner.enrolment;
  note.person = learner.person;
  note.person_display_name = learner.display_name;
  note.subject = subject;
  return note;
}

absl::Status ProposeSubject(ValidationNote& note, const std::string& subject) {
  if (note.state != NoteState::kSubjectProposed &&
      note.state != NoteState::kSubjectChangesAsked) {
    return Illegal(note, "ProposeSubject");
  }
  note.state = NoteState::kSubjectProposed;
  note.subject = subject;
  return absl::OkStatus();
}

absl::Status ApproveSubject(ValidationNote& note, const std::string& decider,
                            absl::Time now) {
  if (note.state != NoteState::kSubjectProposed) {
    return Illegal(note, "ApproveSubject");
  }
  note.state = NoteState::kSubjectApproved;
  note.subject_remarks.clear();
  note.subject_decider = decider;
  note.subject_decision_time = now;
  return absl::OkStatus();
}

absl::Status AskSubjectChanges(ValidationNote& note, const std::string& decider,
                               const std::string& reason, absl::Time now) {
  if (note.state != NoteState::kSubjectProposed) {
    return Illegal(note, "AskSubjectChanges");
  }
  if (reason.empty()) {
    return MakeFieldError("reason", Reason::kReasonRequired);
  }
  note.state = NoteState::kSubjectChangesAsked;
  note.subject_remarks = reason;
  note.subject_decider = decider;
  note.subject_decision_time = now;
  return absl::OkStatus();
}

absl::CivilDay DueDate(const ValidationNote& note, const AssessmentPlan& plan) {
  if (note.adaptation.has_value() && note.adaptation->due_date.has_value()) {
    return *note.adaptation->due_date;
  }
  return plan.NoteDueDate();
}

absl::StatusOr<NoteVersion> AddVersion(ValidationNote& note,
                                       const AssessmentPlan& plan,
                                       const Submission& submission,
                                       absl::Time now) {
  if (note.state != NoteState::kSubjectApproved &&
      note.state != NoteState::kDraft) {
    return Illegal(note, "SubmitNoteVersion");
  }
  NoteVersion added;
  added.name = VersionOf(note.name, note.version_count + 1);
  added.final = submission.final;
  added.object_id = submission.object_id;
  added.sha256 = submission.file.sha256;
  added.byte_size = submission.file.byte_size;
  added.page_count = submission.file.page_count;

  const absl::CivilDay due = DueDate(note, plan);
  if (submission.final && ParisDay(now) > due) {
    if (submission.late_reason.empty() || !submission.accept_late ||
        submission.late_accepted_by.empty()) {
      return MakeError(Reason::kNoteLate,
                       {{"due", absl::FormatCivilTime(due)}});
    }
    added.late = true;
    added.late_reason = submission.late_reason;
    added.late_accepted_by = submission.late_accepted_by;
    added.warnings.push_back(
        Cat("La note était attendue le ", DayText(due),
            " ; elle est enregistrée comme remise en retard."));
  }
  const PageRange range = RangeOf(note, plan);
  if (!range.Holds(added.page_count)) {
    added.out_of_range = true;
    added.warnings.push_back(
        Cat("La note compte ", added.page_count, " pages ; de ", range.min,
            " à ", range.max,
            " pages sont demandées. Elle est acceptée et le jury apprécie."));
  }

  note.version_count += 1;
  note.state = submission.final ? NoteState::kFinal : NoteState::kDraft;
  if (submission.final) note.final_version = note.version_count;
  return added;
}

absl::Status ReopenNote(ValidationNote& note, const std::string& reason) {
  if (note.state != NoteState::kFinal) return Illegal(note, "ReopenNote");
  if (reason.empty()) {
    return MakeFieldError("reason", Reason::kReasonRequired);
  }
  note.state = NoteState::kDraft;
  note.final_version = 0;
  note.reopen_reason = reason;
  return absl::OkStatus();
}

absl::Status AdaptNote(ValidationNote& note, const NoteAdaptation& adaptation) {
  if (note.state == NoteState::kFinal) return Illegal(note, "AdaptNote");
  if (adaptation.max_pages > 0 && adaptation.min_pages > adaptation.max_pages) {
    return MakeFieldError(
        "adaptation.min_pages", Reason::kFieldOutOfRange,
        {{"minimum", "0"}, {"maximum", Cat(adaptation.max_pages)}});
  }
  note.adaptation = adaptation;
  return absl::OkStatus();
}

absl::Status CheckMark(const AssessmentPlan& plan,
                       std::optional<int64_t> mark_hundredths, bool required,
                       std::string_view field) {
  if (plan.marked && required && !mark_hundredths.has_value()) {
    return MakeFieldError(field, Reason::kFieldRequired);
  }
  if (!plan.marked && mark_hundredths.has_value()) {
    return MakeFieldError(field, Reason::kFieldOutOfRange,
                          {{"minimum", "none"}, {"maximum", "none"}});
  }
  return absl::OkStatus();
}

absl::Status SubmitReport(NoteReader& reader, const AssessmentPlan& plan,
                          const std::string& comments,
                          std::optional<int64_t> mark_hundredths,
                          absl::Time now) {
  if (reader.reported) {
    return MakeError(Reason::kIllegalTransition,
                     {{"resource", reader.name.text()},
                      {"state", "REPORTED"},
                      {"action", "SubmitReaderReport"}});
  }
  RETURN_IF_ERROR(
      CheckMark(plan, mark_hundredths, /*required=*/true, "mark_hundredths"));
  reader.reported = true;
  reader.comments = comments;
  reader.mark_hundredths = mark_hundredths;
  reader.report_time = now;
  return absl::OkStatus();
}

}  // namespace parcours::evaluation
