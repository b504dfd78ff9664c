#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_PEER_PORT_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_PEER_PORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/privacy/legal_hold.h"
#include "services/enrolment/domain/names.h"

namespace parcours::enrolment {

// Some of what another service says in its feed of the persons it has erased.
struct PeerErasures {
  // In the order of the feed; the same may come again.
  std::vector<ErasureName> done;
  // Where to go on.
  std::string next_token;
  bool more = false;
};

// Another service that keeps something on persons. Every call asks it at that
// moment, within the deadline of `caller` and a limit of its own. Thread-safe.
//
// Errors: OWNER_UNAVAILABLE when it does not answer, or DEADLINE_EXCEEDED.
class PeerPort {
 public:
  virtual ~PeerPort() = default;

  // "scheduling".
  virtual const std::string& service() const = 0;

  // Why it cannot let `person` be erased at its business time.
  virtual absl::StatusOr<std::vector<privacy::LegalHold>> LegalHolds(
      const access::Caller& caller, const PersonName& person) = 0;

  // The erasures that it has said to be done after `token`; empty: from the
  // oldest change that is kept. Also FEED_TRIMMED, FEED_INCARNATION_CHANGED.
  virtual absl::StatusOr<PeerErasures> ErasuresAfter(
      const access::Caller& caller, const std::string& token) = 0;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_PEER_PORT_H_
