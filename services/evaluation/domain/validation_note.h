#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_VALIDATION_NOTE_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_VALIDATION_NOTE_H_

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
#include "services/evaluation/domain/note_files.h"
#include "services/evaluation/domain/roster.h"

namespace parcours::evaluation {

// SUBJECT_PROPOSED ⇄ SUBJECT_CHANGES_ASKED → SUBJECT_APPROVED → DRAFT → FINAL;
// a final note may be reopened to DRAFT until its jury sits.
enum class NoteState {
  kSubjectProposed,
  kSubjectChangesAsked,
  kSubjectApproved,
  kDraft,
  kFinal,
};

// What an agreed adaptation changes for one note; nothing of the need.
struct NoteAdaptation {
  int64_t min_pages = 0;
  int64_t max_pages = 0;  // 0: the range of the plan
  std::optional<absl::CivilDay> due_date;
  std::string agreed_by;
};

// What a learner writes for the jury; one for each enrolment.
struct ValidationNote {
  NoteName name;
  EnrolmentName enrolment;
  PersonName person;
  std::string person_display_name;
  NoteState state = NoteState::kSubjectProposed;
  std::string subject;
  std::string subject_remarks;
  std::string subject_decider;
  std::optional<absl::Time> subject_decision_time;
  int64_t version_count = 0;
  int64_t final_version = 0;  // number of the version in force; 0: none
  std::optional<NoteAdaptation> adaptation;
  std::string reopen_reason;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

// One version, as it was received. Never changes, but that its file goes in the
// end.
struct NoteVersion {
  NoteVersionName name;
  bool final = false;
  std::string object_id;  // empty once the file is removed
  std::string sha256;
  int64_t byte_size = 0;
  int64_t page_count = 0;
  bool out_of_range = false;
  bool late = false;
  std::string late_reason;
  std::string late_accepted_by;
  std::vector<std::string> warnings;
  int64_t version = 0;
  absl::Time create_time;  // of the submission
  absl::Time update_time;
};

// A reader of a note, and the report.
struct NoteReader {
  NoteReaderName name;
  PersonName person;
  // Who wrote the note, and whom the comments are about.
  PersonName learner;
  std::string person_display_name;
  bool reported = false;
  std::string comments;
  std::optional<int64_t> mark_hundredths;
  std::optional<absl::Time> report_time;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;

  NoteName note() const { return name.Under<NoteName>(); }
};

// What comes with a file.
struct Submission {
  NoteFile file;
  std::string object_id;
  bool final = false;
  std::string late_reason;
  bool accept_late = false;
  std::string late_accepted_by;
};

// The name of the `number`-th version, 1 the first: its id has three digits,
// so that names are in order.
NoteVersionName VersionOf(const NoteName& note, int64_t number);

// A new note on `subject`. NOT_A_CANDIDATE for an enrolment that has ended.
absl::StatusOr<ValidationNote> StartNote(const RosterEntry& learner,
                                         const std::string& subject);

// ILLEGAL_TRANSITION once the subject is approved.
absl::Status ProposeSubject(ValidationNote& note, const std::string& subject);

// ILLEGAL_TRANSITION unless the subject is proposed.
absl::Status ApproveSubject(ValidationNote& note, const std::string& decider,
                            absl::Time now);

// ILLEGAL_TRANSITION unless the subject is proposed; REASON_REQUIRED.
absl::Status AskSubjectChanges(ValidationNote& note, const std::string& decider,
                               const std::string& reason, absl::Time now);

// Last local day on which the final version is on time.
absl::CivilDay DueDate(const ValidationNote& note, const AssessmentPlan& plan);

// Adds a version. A file out of the page range is accepted with a warning. A
// late final version needs a reason and somebody who agrees: NOTE_LATE.
// ILLEGAL_TRANSITION before the subject is approved and once it is final.
absl::StatusOr<NoteVersion> AddVersion(ValidationNote& note,
                                       const AssessmentPlan& plan,
                                       const Submission& submission,
                                       absl::Time now);

// ILLEGAL_TRANSITION unless the note is final; REASON_REQUIRED.
absl::Status ReopenNote(ValidationNote& note, const std::string& reason);

// ILLEGAL_TRANSITION once the note is final; FIELD_OUT_OF_RANGE.
absl::Status AdaptNote(ValidationNote& note, const NoteAdaptation& adaptation);

// ILLEGAL_TRANSITION for a second report; FIELD_REQUIRED without a mark where
// the programme marks, FIELD_OUT_OF_RANGE with one where it does not.
absl::Status SubmitReport(NoteReader& reader, const AssessmentPlan& plan,
                          const std::string& comments,
                          std::optional<int64_t> mark_hundredths,
                          absl::Time now);

// A mark where the programme marks, and none where it does not.
absl::Status CheckMark(const AssessmentPlan& plan,
                       std::optional<int64_t> mark_hundredths, bool required,
                       std::string_view field);

}  // namespace parcours::evaluation

namespace parcours {

template <>
struct EnumNames<evaluation::NoteState> {
  static constexpr std::string_view values[] = {
      "SUBJECT_PROPOSED", "SUBJECT_CHANGES_ASKED", "SUBJECT_APPROVED", "DRAFT",
      "FINAL"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_VALIDATION_NOTE_H_
