#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_ENROLMENT_PORT_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_ENROLMENT_PORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "services/scheduling/domain/names.h"
#include "services/scheduling/domain/roster.h"

namespace parcours::scheduling {

// What enrolment says of a cohort and of its programme.
struct CohortFacts {
  CohortName name;
  std::string display_name;
  std::string time_zone;
  ProgrammeName programme;
  std::vector<std::string> module_ids;
  int64_t programme_minutes = 0;
};

// What is printed on a completion record beside the figures.
struct ActionFacts {
  // Title of the certificate, or of the programme without one.
  std::string title;
  std::string body_display_name;
  // Empty: no employer.
  std::string organisation_display_name;
};

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

  virtual absl::StatusOr<CohortFacts> GetCohort(const access::Caller& caller,
                                                const CohortName& name) = 0;

  // The name by which a person is called; empty for one whom it has erased.
  virtual absl::StatusOr<std::string> GetPersonDisplayName(
      const access::Caller& caller, const PersonName& name) = 0;

  virtual absl::StatusOr<EnrolmentFacts> GetEnrolment(
      const access::Caller& caller, const EnrolmentName& name) = 0;

  // All enrolments of a cohort, those that ended included.
  virtual absl::StatusOr<std::vector<EnrolmentFacts>> ListEnrolments(
      const access::Caller& caller, const CohortName& cohort) = 0;

  virtual absl::StatusOr<ActionFacts> GetAction(
      const access::Caller& caller, const EnrolmentFacts& enrolment) = 0;

  // Whom it has ever erased, in every body.
  virtual absl::StatusOr<std::vector<PersonName>> ListErasures(
      const access::Caller& caller) = 0;

  // The changes after `token`; empty: from the oldest that is kept. Also
  // FEED_TRIMMED and FEED_INCARNATION_CHANGED.
  virtual absl::StatusOr<EnrolmentChanges> ListChanges(
      const access::Caller& caller, const std::string& token) = 0;
};

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_ENROLMENT_PORT_H_
