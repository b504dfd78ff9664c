#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_EVALUATION_STORE_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_EVALUATION_STORE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/access/caller.h"
#include "common/access/scope.h"
#include "common/documents/upload.h"
#include "common/types/record.h"
#include "common/types/repository.h"
#include "services/evaluation/domain/assessment_plan.h"
#include "services/evaluation/domain/certificate.h"
#include "services/evaluation/domain/jury.h"
#include "services/evaluation/domain/legal_holds.h"
#include "services/evaluation/domain/names.h"
#include "services/evaluation/domain/result.h"
#include "services/evaluation/domain/roster.h"
#include "services/evaluation/domain/validation_note.h"

namespace parcours::evaluation {

// What is numbered without gaps within a body.
enum class Series {
  kMinutes,      // for ever
  kCertificate,  // within a year
};

// The record within one transaction. Everything read is from one moment;
// everything written is committed together, or not at all.
class EvaluationUnit {
 public:
  virtual ~EvaluationUnit() = default;

  virtual Repository<AssessmentPlan>& plans() = 0;
  virtual Repository<ValidationNote>& notes() = 0;
  virtual Repository<NoteVersion>& versions() = 0;
  virtual Repository<NoteReader>& readers() = 0;
  virtual Repository<Conflict>& conflicts() = 0;
  virtual Repository<Jury>& juries() = 0;
  virtual Repository<Decision>& decisions() = 0;
  virtual Repository<Minutes>& minutes() = 0;
  virtual Repository<Result>& results() = 0;
  virtual Repository<Appeal>& appeals() = 0;
  virtual Repository<Certificate>& certificates() = 0;
  virtual Repository<RosterEntry>& roster() = 0;
  virtual Repository<documents::Upload>& uploads() = 0;

  // Pages of lists that hold only what stands so.
  virtual absl::StatusOr<Page<ValidationNote>> ListNotes(
      const access::Scope& scope, const CohortName& cohort,
      std::optional<NoteState> state, const PageRequest& page) = 0;
  virtual absl::StatusOr<Page<Result>> ListResults(
      const access::Scope& scope, const CohortName& cohort,
      std::optional<ResultOutcome> outcome, const PageRequest& page) = 0;
  virtual absl::StatusOr<Page<Certificate>> ListCertificates(
      const access::Scope& scope, const BodyName& body,
      const CohortName& cohort, const PageRequest& page) = 0;

  // Everything of a cohort, a jury or a body, in order of the names; of a body
  // the minutes in order of the chain.
  virtual absl::StatusOr<std::vector<RosterEntry>> RosterOf(
      const access::Scope& scope, const CohortName& cohort) = 0;
  virtual absl::StatusOr<std::vector<Result>> ResultsOf(
      const access::Scope& scope, const CohortName& cohort) = 0;
  virtual absl::StatusOr<std::vector<ValidationNote>> NotesOf(
      const access::Scope& scope, const CohortName& cohort) = 0;
  virtual absl::StatusOr<std::vector<NoteVersion>> VersionsOf(
      const access::Scope& scope, const CohortName& cohort) = 0;
  virtual absl::StatusOr<std::vector<NoteVersion>> VersionsOf(
      const access::Scope& scope, const NoteName& note) = 0;
  virtual absl::StatusOr<std::vector<NoteReader>> ReadersOf(
      const access::Scope& scope, const CohortName& cohort) = 0;
  virtual absl::StatusOr<std::vector<Conflict>> ConflictsOf(
      const access::Scope& scope, const CohortName& cohort) = 0;
  virtual absl::StatusOr<std::vector<Conflict>> ConflictsAbout(
      const access::Scope& scope, const EnrolmentName& enrolment) = 0;
  virtual absl::StatusOr<std::vector<Decision>> DecisionsOf(
      const access::Scope& scope, const JuryName& jury) = 0;
  virtual absl::StatusOr<std::vector<Minutes>> MinutesOfBody(
      const access::Scope& scope, const BodyName& body) = 0;
  virtual absl::StatusOr<std::vector<AssessmentPlan>> AllPlans(
      const access::Scope& scope) = 0;

  // The jury of the cohort that sits.
  virtual absl::StatusOr<std::optional<Jury>> OpenJuryOf(
      const access::Scope& scope, const CohortName& cohort) = 0;

  // The latest minutes of the chain of a body.
  virtual absl::StatusOr<std::optional<Minutes>> LastMinutes(
      const access::Scope& scope, const BodyName& body) = 0;

  // The appeal against the decision that waits for an answer.
  virtual absl::StatusOr<std::optional<Appeal>> OpenAppealAgainst(
      const access::Scope& scope, const DecisionName& decision) = 0;

  // Certificates with that number, of any body in scope.
  virtual absl::StatusOr<std::vector<Certificate>> CertificatesByNumber(
      const access::Scope& scope, const std::string& number) = 0;

  // A finished upload that nothing has taken yet becomes a file of `person`:
  // UNKNOWN_REFERENCE of `field`, UPLOAD_INCOMPLETE, UPLOAD_EXPIRED,
  // PERSON_ERASED.
  virtual absl::StatusOr<documents::Upload> ClaimUpload(
      const access::Scope& scope, const documents::UploadName& name,
      std::string_view field, const PersonName& person) = 0;

  // Everything on `person` within the body in scope; in a change, locked. Of
  // somebody who is not known, nothing.
  virtual absl::StatusOr<PersonRecord> RecordOf(const access::Scope& scope,
                                                const PersonName& person) = 0;

  // Which of `persons` have been erased here. In a change, nobody is until the
  // transaction ends, so that a name that was stated before can be written.
  virtual absl::StatusOr<std::set<PersonName>> ErasedAmong(
      const std::vector<PersonName>& persons) = 0;

  // The files of `versions`, of `person`, are given up: their bytes are removed
  // after the commit.
  virtual absl::Status ExpireFiles(
      const PersonName& person, const std::vector<NoteVersion>& versions) = 0;

  // Takes away what opens the data of `person`, for ever: the key of what is
  // sealed, the files, and what they owned. To be called last.
  virtual absl::Status Forget(const PersonName& person) = 0;

  // Results of the body that were proclaimed before `before` and whose note
  // still has files; appeals that were answered before it and still have texts.
  // By name, at most `limit`.
  virtual absl::StatusOr<std::vector<Result>> ResultsWithNoteFiles(
      const access::Scope& scope, const BodyName& body, absl::Time before,
      int limit) = 0;
  virtual absl::StatusOr<std::vector<Appeal>> AppealsWithTexts(
      const access::Scope& scope, const BodyName& body, absl::Time before,
      int limit) = 0;

  // The bodies of which the roster has somebody, or a cohort a plan.
  virtual absl::StatusOr<std::vector<BodyName>> Bodies() = 0;

  // The next number of a series, from 1; `year` 0 for one that has no years.
  // Nobody else gets a number of it until the transaction ends, and a number
  // whose transaction is not committed is given again.
  virtual absl::StatusOr<int64_t> NextInSeries(const BodyName& body,
                                               Series series, int64_t year) = 0;

  // Position of the change feed at which this unit reads.
  virtual absl::StatusOr<int64_t> FeedPosition() = 0;

  // Up to where the roster follows enrolment's feed; empty at the beginning. In
  // a change, nobody else moves it, or asks who is erased, until the
  // transaction ends.
  virtual absl::StatusOr<std::string> RosterPosition() = 0;
  virtual void SetRosterPosition(const std::string& token) = 0;
};

// The record of evaluation, on whichever engine. Thread-safe.
using EvaluationStore = Record<EvaluationUnit>;

}  // namespace parcours::evaluation

namespace parcours {

template <>
struct EnumNames<evaluation::Series> {
  static constexpr std::string_view values[] = {"MINUTES", "CERTIFICATE"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_EVALUATION_STORE_H_
