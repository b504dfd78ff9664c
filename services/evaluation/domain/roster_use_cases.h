#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_ROSTER_USE_CASES_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_ROSTER_USE_CASES_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/privacy/erasure_log.h"
#include "services/evaluation/domain/enrolment_port.h"
#include "services/evaluation/domain/evaluation_store.h"

namespace parcours::evaluation {

struct RosterProgress {
  int64_t applied_count = 0;
  std::string feed_token;
};

// Applies what enrolment has changed since the last time, until nothing is
// left, and erases whom it has erased. After a trimmed or restored feed, the
// cohorts and the erasures are read whole again.
// Any number may run at the same time. OWNER_UNAVAILABLE and the errors of
// EvaluationStore. REQUIRES: `caller` has the scope of the installation.
absl::StatusOr<RosterProgress> SynchroniseRoster(EvaluationStore& store,
                                                 EnrolmentPort& enrolments,
                                                 privacy::ErasureLog& log,
                                                 const access::Caller& caller);

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_ROSTER_USE_CASES_H_
