#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_STORE_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/access/scope.h"
#include "common/types/repository.h"
#include "services/enrolment/domain/agreement.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/enrolment.h"
#include "services/enrolment/domain/names.h"
#include "services/enrolment/domain/people.h"
#include "services/enrolment/domain/place_history.h"
#include "services/enrolment/domain/upload.h"

namespace parcours::enrolment {

// The record within one transaction. Everything read is from one moment;
// everything written is committed together, or not at all.
class EnrolmentUnit {
 public:
  virtual ~EnrolmentUnit() = default;

  virtual Repository<Body>& bodies() = 0;
  virtual Repository<Programme>& programmes() = 0;
  virtual Repository<Cohort>& cohorts() = 0;
  virtual Repository<Person>& persons() = 0;
  virtual Repository<Organisation>& organisations() = 0;
  virtual Repository<Upload>& uploads() = 0;
  virtual Repository<Application>& applications() = 0;
  virtual Repository<Agreement>& agreements() = 0;
  virtual Repository<Enrolment>& enrolments() = 0;

  // How many places of the cohort stand in each state. REQUIRES: the cohort is
  // locked when the answer decides on a place.
  virtual absl::StatusOr<PlaceCounts> CountPlaces(const CohortName& cohort) = 0;

  // The highest rank given in the cohort; 0 before the first.
  virtual absl::StatusOr<int64_t> LastRank(const CohortName& cohort) = 0;

  // Applications of the cohort with a place in one of `states`, by rank.
  virtual absl::StatusOr<std::vector<Application>> ApplicationsByPlace(
      const access::Scope& scope, const CohortName& cohort,
      const std::vector<PlaceState>& states) = 0;

  // The application of the cohort, not withdrawn, whose candidate has this
  // identity key (see CandidateKey).
  virtual absl::StatusOr<std::optional<ApplicationName>> FindApplicationOf(
      const CohortName& cohort, const std::string& candidate_key) = 0;

  // Applications of any body whose place is due for a decision at `now`: an
  // offer that has expired, a held place past its commitment deadline. By
  // cohort, then rank; at most `limit`.
  virtual absl::StatusOr<std::vector<Application>> PlacesDue(absl::Time now,
                                                             int limit) = 0;

  virtual absl::StatusOr<std::vector<Agreement>> AgreementsOf(
      const access::Scope& scope, const ApplicationName& application) = 0;

  virtual absl::StatusOr<std::optional<Enrolment>> EnrolmentOf(
      const access::Scope& scope, const ApplicationName& application) = 0;

  // The story of the places of one application, oldest first.
  virtual absl::StatusOr<std::vector<PlaceEvent>> PlaceEvents(
      const access::Scope& scope, const ApplicationName& application) = 0;
  virtual void Append(const PlaceEvent& event) = 0;
};

// The record of enrolment, on whichever engine. Thread-safe.
//
// Both calls return what the body returns, or OVERLOADED, DEADLINE_EXCEEDED,
// DATABASE_UNAVAILABLE, CONFLICT, COMMIT_IN_DOUBT or INTERNAL.
class EnrolmentStore {
 public:
  virtual ~EnrolmentStore() = default;

  // Reads within one snapshot.
  virtual absl::Status View(
      const access::Caller& caller,
      absl::FunctionRef<absl::Status(EnrolmentUnit&)> body) = 0;

  // Changes in one transaction, once for each request id: a repeated call does
  // not run `body` and returns the name that the first one returned. `body`
  // may run several times and must have no effect but through the unit.
  virtual absl::StatusOr<std::string> Change(
      const access::Caller& caller,
      absl::FunctionRef<absl::StatusOr<std::string>(EnrolmentUnit&)> body) = 0;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_STORE_H_
