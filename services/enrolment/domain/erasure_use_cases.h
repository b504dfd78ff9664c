#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_ERASURE_USE_CASES_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_ERASURE_USE_CASES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/privacy/erasure_log.h"
#include "common/privacy/legal_hold.h"
#include "common/rules/rule_book.h"
#include "common/types/record.h"
#include "services/enrolment/domain/enrolment_store.h"
#include "services/enrolment/domain/erasure.h"
#include "services/enrolment/domain/legal_holds.h"
#include "services/enrolment/domain/peer_port.h"

namespace parcours::enrolment {

// The right to be forgotten. Besides what is named here, each returns the
// errors of EnrolmentStore, NOT_FOUND and PERMISSION_DENIED.

// What erasing needs beside the record. All outlive the calls.
struct ErasurePorts {
  // The other services that keep something on persons.
  std::vector<PeerPort*> peers;
  privacy::ErasureLog& log;
};

// Erases `person` for ever, in this record at once; the other services follow.
// A person who is erased is not erased again: the erasure is answered as it is,
// and nobody is asked. ETAG_MISMATCH of the person; PERSON_UNDER_WAY,
// LEGAL_HOLD, of any service; OWNER_UNAVAILABLE when one does not say;
// DATABASE_UNAVAILABLE when the log cannot be written.
absl::StatusOr<Erasure> ErasePerson(EnrolmentStore& store,
                                    const rules::RuleBook& rules,
                                    const ErasurePorts& ports,
                                    const access::Caller& caller,
                                    const PersonName& person,
                                    ErasureGround ground,
                                    const std::string& etag, Mode mode);

// Erases again somebody whom a restored copy brought back. Nobody is asked and
// nothing noted: that was done then. Who had a place or waited for one gives it
// up. REQUIRES: `caller` serves the installation.
absl::Status EraseAgain(EnrolmentStore& store, const rules::RuleBook& rules,
                        const access::Caller& caller, const PersonName& person);

// Notes `person` in the log, before the transaction that erases them commits.
// DATABASE_UNAVAILABLE.
absl::Status NoteErasure(privacy::ErasureLog& log, const PersonName& person,
                         absl::Time now);

// Within a transaction that has looked at the holds: erases the person of
// `record`, which was read there, and adds the erasure.
absl::StatusOr<Erasure> EraseWithin(EnrolmentUnit& unit,
                                    const rules::RuleBook& rules,
                                    const access::Caller& caller,
                                    PersonRecord record, ErasureGround ground);

// The holds of the other services on `person`.
absl::StatusOr<std::vector<privacy::LegalHold>> HoldsOfPeers(
    const std::vector<PeerPort*>& peers, const access::Caller& caller,
    const PersonName& person);

// Those of this one.
absl::StatusOr<std::vector<privacy::LegalHold>> HoldsOn(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const PersonName& person);

// `service` has erased whom `erasures` name: those of whom that was said
// before, and those that nobody here knows of, are passed over. With `position`
// the place in its feed is kept in the same transaction.
absl::Status AcknowledgeErasures(EnrolmentStore& store,
                                 const access::Caller& caller,
                                 const std::string& service,
                                 const std::vector<ErasureName>& erasures,
                                 const std::string* position = nullptr);

// Says of this service's own what is done to the end, files included.
absl::Status AcknowledgeOwnErasures(EnrolmentStore& store,
                                    const access::Caller& caller);

// Whether an erasure waits for `service`.
absl::StatusOr<bool> AwaitsErasures(EnrolmentStore& store,
                                    const access::Caller& caller,
                                    std::string_view service);

// Follows the feed of `peer` to its end, as long as an erasure waits for it.
// After a trimmed or restored feed it begins again from the oldest change that
// is kept. Errors of PeerPort.
absl::Status FollowErasures(EnrolmentStore& store, PeerPort& peer,
                            const access::Caller& caller);

absl::StatusOr<Page<Erasure>> ListErasures(EnrolmentStore& store,
                                           const access::Caller& caller,
                                           const BodyName& body,
                                           const PageRequest& request);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_ERASURE_USE_CASES_H_
