#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_DUE_WORK_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_DUE_WORK_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/access/caller.h"
#include "common/rules/rule_book.h"
#include "services/enrolment/domain/enrolment_store.h"

namespace parcours::enrolment {

// Lets time decide on everything that is due at caller.now: places lapse and
// are offered on, cohorts that take place begin and end. Returns how many
// decisions it took. Each is a transaction of its own, so that a fault loses
// none. REQUIRES: the scope of `caller` is the installation.
absl::StatusOr<int> DecideDue(EnrolmentStore& store,
                              const rules::RuleBook& rules,
                              const access::Caller& caller);

// The earliest instant, not after `until`, at which something falls due;
// InfiniteFuture when there is none.
absl::StatusOr<absl::Time> NextDueTime(EnrolmentStore& store,
                                       const access::Caller& caller,
                                       absl::Time until);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_DUE_WORK_H_
