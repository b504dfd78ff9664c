#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_EVALUATION_STORE_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_EVALUATION_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/access/scope.h"
#include "common/documents/upload.h"
#include "common/types/record.h"
#include "common/types/repository.h"
#include "services/evaluation/domain/assessment_plan.h"
#include "services/evaluation/domain/certificate.h"
#include "services/evaluation/domain/jury.h"
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

  // The next number of a series, from 1; `year` 0 for one that has no years.
  // Nobody else gets a number of it until the transaction ends, and a number
  // whose transaction is not committed is given again.
  virtual absl::StatusOr<int64_t> NextInSeries(const BodyName& body,
                                               Series series, int64_t year) = 0;

  // Position of the change feed at which this unit reads.
  virtual absl::StatusOr<int64_t> FeedPosition() = 0;

  // Up to where the roster follows enrolment's feed; empty at the beginning. In
  // a change, nobody else moves it until the transaction ends.
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
