#ifndef PARCOURS_COMMON_ACCESS_CALLER_H_
#define PARCOURS_COMMON_ACCESS_CALLER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/access/principal.h"
#include "common/access/scope.h"

namespace parcours::access {

// Under what a job runs that only one replica may do at a time. Transactions of
// a caller with one are refused once a later holder has the lease.
struct JobLease {
  std::string job;
  // Grows with each new holder.
  int64_t fencing = 0;
};

// One call as the domain and the store see it: who, within what, until when,
// and under which request id.
struct Caller {
  Principal principal;
  Scope scope;
  // By which of their roles they may call the method.
  RoleSet acting_roles;
  // Full name of the method: "parcours.enrolment.v1.EnrolmentService/…".
  std::string method;
  // The UUID under which a change is made once (https://google.aip.dev/155),
  // and a keyed digest of the request; both empty when the caller gave none.
  std::string request_id;
  std::string request_digest;
  // 32 hexadecimal digits: the trace id of W3C Trace Context; empty for a
  // service's own work.
  std::string trace_id;
  // Position of this service's change feed that the caller knows: no answer is
  // from before it.
  std::optional<int64_t> known_position;
  // For a service's own work that one replica does.
  std::optional<JobLease> lease;
  // Real time after which nobody waits for the answer.
  absl::Time deadline = absl::InfiniteFuture();
  // Business time at which the call arrived.
  absl::Time now;
};

}  // namespace parcours::access

#endif  // PARCOURS_COMMON_ACCESS_CALLER_H_
