#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_SCHEDULING_PORT_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_SCHEDULING_PORT_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "services/evaluation/domain/names.h"

namespace parcours::evaluation {

// Attendance of one learner, in whole minutes.
struct AttendanceFigures {
  EnrolmentName enrolment;
  int64_t attended_minutes = 0;
  int64_t due_minutes = 0;
};

// The service that owns attendance. Its figures are shown and decide nothing,
// so that its absence stops nothing. Thread-safe.
class SchedulingPort {
 public:
  virtual ~SchedulingPort() = default;

  // OWNER_UNAVAILABLE when it does not answer.
  virtual absl::StatusOr<std::vector<AttendanceFigures>> ListAttendance(
      const access::Caller& caller, const CohortName& cohort) = 0;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_SCHEDULING_PORT_H_
