#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_ENROLMENT_PORT_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_ENROLMENT_PORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "services/evaluation/domain/names.h"
#include "services/evaluation/domain/roster.h"

namespace parcours::evaluation {

// One row of enrolment's change feed.
struct EnrolmentChange {
  std::string kind;
  std::string resource;
};

struct EnrolmentChanges {
  std::vector<EnrolmentChange> changes;
  std::string next_token;
  bool more = false;
};

// The service that owns people, cohorts and enrolments. Every call asks it at
// that moment, on behalf of `caller` and within its deadline. Thread-safe.
//
// Errors: NOT_FOUND for what does not exist there; OWNER_UNAVAILABLE when it
// does not answer.
class EnrolmentPort {
 public:
  virtual ~EnrolmentPort() = default;

  virtual absl::StatusOr<EnrolmentFacts> GetEnrolment(
      const access::Caller& caller, const EnrolmentName& name) = 0;

  // All enrolments of a cohort, those that ended included.
  virtual absl::StatusOr<std::vector<EnrolmentFacts>> ListEnrolments(
      const access::Caller& caller, const CohortName& cohort) = 0;

  // Whom the body has erased, all of them.
  virtual absl::StatusOr<std::vector<PersonName>> ListErasures(
      const access::Caller& caller, const BodyName& body) = 0;

  // The changes after `token`; empty: from the oldest that is kept. Also
  // FEED_TRIMMED and FEED_INCARNATION_CHANGED.
  virtual absl::StatusOr<EnrolmentChanges> ListChanges(
      const access::Caller& caller, const std::string& token) = 0;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_ENROLMENT_PORT_H_
