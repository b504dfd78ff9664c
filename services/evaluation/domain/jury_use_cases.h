#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_JURY_USE_CASES_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_JURY_USE_CASES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "services/evaluation/domain/enrolment_port.h"
#include "services/evaluation/domain/evaluation_store.h"
#include "services/evaluation/domain/scheduling_port.h"

namespace parcours::evaluation {

// The use cases of juries. Besides what is named here, each returns the errors
// of EvaluationStore, and those of the transition it makes.

// UNKNOWN_REFERENCE, ALREADY_EXISTS.
absl::StatusOr<Conflict> DeclareConflict(EvaluationStore& store,
                                         const access::Caller& caller,
                                         const CohortName& cohort,
                                         Conflict conflict);

// Convenes `jury`, whose name is settled. NO_JURY, ALREADY_EXISTS.
absl::StatusOr<Jury> CreateJury(EvaluationStore& store,
                                const access::Caller& caller, Jury jury);

// `apply` writes the fields of the mask into the stored jury.
absl::StatusOr<Jury> UpdateJury(EvaluationStore& store,
                                const access::Caller& caller,
                                const JuryName& name,
                                const std::function<absl::Status(Jury&)>& apply,
                                const std::string& etag);

// Opens the session; the candidates are those whom the owner names now.
// OWNER_UNAVAILABLE.
absl::StatusOr<Jury> OpenJury(EvaluationStore& store, EnrolmentPort& enrolments,
                              const access::Caller& caller,
                              const JuryName& name,
                              const std::vector<PersonName>& present,
                              const std::string& etag);

// Somebody before a jury, with what the jury may look at.
struct JuryCandidate {
  RosterEntry learner;
  std::optional<ValidationNote> note;
  std::optional<NoteVersion> final_version;
  int64_t report_count = 0;
  std::optional<AttendanceFigures> attendance;
  bool below_attendance_floor = false;
  std::vector<PersonName> conflicted_members;
  DecisionName earlier_decision;  // of a deferral; empty: none
  DecisionName decision;          // of this session; empty: none yet
};

// By enrolment. `scheduling` may be null; attendance is shown when it answers.
// ILLEGAL_TRANSITION before the session.
absl::StatusOr<Page<JuryCandidate>> ListJuryCandidates(
    EvaluationStore& store, SchedulingPort* scheduling,
    const access::Caller& caller, const JuryName& name,
    const PageRequest& page);

// Records or replaces a decision; for an award, asks the owner now. `decision`
// has enrolment, outcome, reason, mark, members and what it corrects.
// NOT_A_CANDIDATE, UNKNOWN_REFERENCE, OWNER_UNAVAILABLE.
absl::StatusOr<Decision> RecordDecision(EvaluationStore& store,
                                        EnrolmentPort& enrolments,
                                        const access::Caller& caller,
                                        const JuryName& jury,
                                        Decision decision);

// Closes the minutes: results, corrections and certificates in the same
// transaction. NOT_A_CANDIDATE, NOT_MANDATED, OWNER_UNAVAILABLE.
absl::StatusOr<Minutes> CloseMinutes(EvaluationStore& store,
                                     EnrolmentPort& enrolments,
                                     const access::Caller& caller,
                                     const JuryName& name,
                                     const std::string& etag);

struct MinutesVerification {
  bool intact = true;
  int64_t length = 0;
  int64_t first_broken_position = 0;  // 0: none
};

// Computes the chain again. `position` and `digest` are what the caller kept;
// position 0: nothing.
absl::StatusOr<MinutesVerification> VerifyMinutes(EvaluationStore& store,
                                                  const access::Caller& caller,
                                                  const BodyName& body,
                                                  int64_t position,
                                                  const std::string& digest);

struct JuryPackEntry {
  Decision decision;
  Result result;
  std::optional<Certificate> certificate;
  std::string note_sha256;
};

struct JuryPack {
  Minutes minutes;
  std::vector<JuryPackEntry> entries;
};

// The awards of a closed session that are in force. ILLEGAL_TRANSITION before
// the minutes are closed.
absl::StatusOr<JuryPack> GetJuryPack(EvaluationStore& store,
                                     const access::Caller& caller,
                                     const JuryName& name);

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_JURY_USE_CASES_H_
