#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_NOTE_USE_CASES_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_NOTE_USE_CASES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "services/evaluation/domain/enrolment_port.h"
#include "services/evaluation/domain/evaluation_store.h"
#include "services/evaluation/domain/note_files.h"

namespace parcours::evaluation {

// The use cases of validation notes. Besides what is named here, each returns
// the errors of EvaluationStore, and those of the transition it makes.

// A note with what is shown beside it.
struct NoteView {
  ValidationNote note;
  std::optional<NoteVersion> latest_version;
  std::optional<NoteVersion> final_version;
  // Absent without a plan.
  std::optional<absl::CivilDay> due_date;
};

absl::StatusOr<NoteView> GetNote(EvaluationStore& store,
                                 const access::Caller& caller,
                                 const NoteName& name);

absl::StatusOr<Page<NoteView>> ListNotes(EvaluationStore& store,
                                         const access::Caller& caller,
                                         const CohortName& cohort,
                                         std::optional<NoteState> state,
                                         const PageRequest& page);

// A learner whom the roster does not show yet is asked for from the owner.
// ALREADY_EXISTS, UNKNOWN_REFERENCE, OWNER_UNAVAILABLE.
absl::StatusOr<ValidationNote> CreateNote(EvaluationStore& store,
                                          EnrolmentPort& enrolments,
                                          const access::Caller& caller,
                                          const EnrolmentName& enrolment,
                                          const std::string& subject);

absl::StatusOr<ValidationNote> ProposeSubject(EvaluationStore& store,
                                              const access::Caller& caller,
                                              const NoteName& name,
                                              const std::string& subject,
                                              const std::string& etag);

absl::StatusOr<ValidationNote> ApproveSubject(EvaluationStore& store,
                                              const access::Caller& caller,
                                              const NoteName& name,
                                              const std::string& decider,
                                              const std::string& etag);

absl::StatusOr<ValidationNote> AskSubjectChanges(EvaluationStore& store,
                                                 const access::Caller& caller,
                                                 const NoteName& name,
                                                 const std::string& decider,
                                                 const std::string& reason,
                                                 const std::string& etag);

struct VersionRequest {
  NoteName note;
  documents::UploadName upload;
  bool final = false;
  std::string sha256;  // empty: not announced
  std::string late_reason;
  bool accept_late = false;
  std::string late_accepted_by;
  std::string etag;
};

// Inspects the file outside the transaction, then takes it and adds the
// version. UNKNOWN_REFERENCE, the errors of NoteFiles, UPLOAD_INCOMPLETE,
// UPLOAD_EXPIRED, UPLOAD_DIGEST_MISMATCH.
absl::StatusOr<NoteVersion> SubmitNoteVersion(EvaluationStore& store,
                                              NoteFiles& files,
                                              const access::Caller& caller,
                                              const VersionRequest& request);

// ILLEGAL_TRANSITION while a jury sits with this candidate and after an award
// or a refusal.
absl::StatusOr<ValidationNote> ReopenNote(EvaluationStore& store,
                                          const access::Caller& caller,
                                          const NoteName& name,
                                          const std::string& reason,
                                          const std::string& etag);

absl::StatusOr<ValidationNote> AdaptNote(EvaluationStore& store,
                                         const access::Caller& caller,
                                         const NoteName& name,
                                         const NoteAdaptation& adaptation,
                                         const std::string& etag);

struct FilePart {
  std::string bytes;
  int64_t next_offset = 0;  // 0 after the last part
};

// FIELD_OUT_OF_RANGE for an offset beyond the end.
absl::StatusOr<FilePart> ReadNoteVersion(EvaluationStore& store,
                                         NoteFiles& files,
                                         const access::Caller& caller,
                                         const NoteVersionName& name,
                                         int64_t offset, int64_t limit);

// ALREADY_EXISTS, CONFLICT_OF_INTEREST, ILLEGAL_TRANSITION before a final
// version.
absl::StatusOr<NoteReader> AssignReader(EvaluationStore& store,
                                        const access::Caller& caller,
                                        const NoteName& note,
                                        const PersonName& person,
                                        const std::string& display_name);

absl::StatusOr<NoteReader> SubmitReaderReport(
    EvaluationStore& store, const access::Caller& caller,
    const NoteReaderName& name, const std::string& comments,
    std::optional<int64_t> mark_hundredths, const std::string& etag);

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_NOTE_USE_CASES_H_
