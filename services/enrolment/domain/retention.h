#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_RETENTION_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_RETENTION_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/access/caller.h"
#include "common/privacy/legal_hold.h"
#include "common/rules/rule_book.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/enrolment_store.h"
#include "services/enrolment/domain/erasure_use_cases.h"
#include "services/enrolment/domain/names.h"

namespace parcours::enrolment {

// The local day from which the files of an application that did not succeed are
// counted: that of the decision; of the withdrawal; else the last of the
// cohort.
absl::CivilDay EndOfApplication(const Application& application,
                                const Cohort& cohort);

// What of `body` is no longer needed at caller.now, by the rule
// retention.refused_application: "application_pieces", the files of
// applications that did not succeed; "person", those who applied, of whom
// nothing newer is known and whom no service must keep. At most 500 and 200 at
// a time: the rest is due the next time. Errors of PeerPort.
absl::StatusOr<std::vector<privacy::RetentionClass>> DueIn(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const std::vector<PeerPort*>& peers, const access::Caller& caller,
    const BodyName& body);

// Removes what is due, in one transaction, once `check` agreed to it; answers
// what that was. Persons are erased, ground RETENTION. Errors of `check`.
absl::StatusOr<std::vector<privacy::RetentionClass>> RemoveDue(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const ErasurePorts& ports, const access::Caller& caller,
    const BodyName& body,
    absl::FunctionRef<absl::Status(const std::vector<privacy::RetentionClass>&)>
        check);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_RETENTION_H_
