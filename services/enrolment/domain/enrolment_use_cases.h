#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_USE_CASES_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_USE_CASES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/rules/rule_book.h"
#include "common/types/record.h"
#include "services/enrolment/domain/agreement.h"
#include "services/enrolment/domain/enrolment.h"
#include "services/enrolment/domain/enrolment_store.h"

namespace parcours::enrolment {

// The use cases of agreements and of confirmed participations. Besides what is
// named here, each returns the errors of EnrolmentStore, NOT_FOUND and
// PERMISSION_DENIED.

// Draws up the agreement of an application that holds a place; kind and price
// follow from who pays. NO_PLACE, PRICE_UNKNOWN, ILLEGAL_TRANSITION when one is
// there already.
absl::StatusOr<Agreement> CreateAgreement(EnrolmentStore& store,
                                          const access::Caller& caller,
                                          const ApplicationName& application,
                                          std::vector<ExternalId> external_ids,
                                          Mode mode);

absl::StatusOr<Agreement> SignAgreement(
    EnrolmentStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const AgreementName& name,
    const std::string& signatory, bool at_distance, const std::string& etag);

// The learner's legal withdrawal: frees the place and ends the participation.
absl::StatusOr<Agreement> WithdrawFromAgreement(EnrolmentStore& store,
                                                const rules::RuleBook& rules,
                                                const access::Caller& caller,
                                                const AgreementName& name);

// The body ends the agreement. Before the start, a confirmed place that rests
// on it is freed and its participation is WITHDRAWN; a held one waits for
// another commitment. After the start the participation goes on.
absl::StatusOr<Agreement> EndAgreement(EnrolmentStore& store,
                                       const rules::RuleBook& rules,
                                       const access::Caller& caller,
                                       const AgreementName& name,
                                       const std::string& reason);

struct AgreementGate {
  Agreement agreement;
  PaymentGate gate;
};
absl::StatusOr<AgreementGate> GetPaymentGate(EnrolmentStore& store,
                                             const rules::RuleBook& rules,
                                             const access::Caller& caller,
                                             const AgreementName& name);

absl::StatusOr<Agreement> RequestPayment(EnrolmentStore& store,
                                         const rules::RuleBook& rules,
                                         const access::Caller& caller,
                                         const AgreementName& name,
                                         int64_t amount_cents);

struct AgreementFilter {
  ApplicationName application;  // empty: of the whole body
  std::optional<ExternalId> external_id;
};
absl::StatusOr<Page<Agreement>> ListAgreements(EnrolmentStore& store,
                                               const access::Caller& caller,
                                               const BodyName& body,
                                               const AgreementFilter& filter,
                                               const PageRequest& page);

absl::StatusOr<Page<Enrolment>> ListEnrolments(
    EnrolmentStore& store, const access::Caller& caller,
    const CohortName& cohort, std::optional<EnrolmentState> state,
    const PageRequest& page);

// A written commitment, with the reference of what is not a signed agreement.
struct Commitment {
  CommitmentKind kind = CommitmentKind::kSignedAgreement;
  std::string reference;
};

// Who takes part already, with a place at risk or another payer, keeps the
// participation and gets the new payer. NOT_COMMITTED, NO_PLACE,
// COHORT_NOT_OPEN, ENTRY_CUTOFF_PASSED.
absl::StatusOr<Enrolment> ConfirmPlace(EnrolmentStore& store,
                                       const rules::RuleBook& rules,
                                       const access::Caller& caller,
                                       const ApplicationName& application,
                                       const Commitment& commitment);

absl::StatusOr<Enrolment> StartEnrolment(EnrolmentStore& store,
                                         const access::Caller& caller,
                                         const EnrolmentName& name);

absl::StatusOr<Enrolment> CompleteEnrolment(EnrolmentStore& store,
                                            const access::Caller& caller,
                                            const EnrolmentName& name);

// `end.last_day` before the cohort's first day means today.
absl::StatusOr<Enrolment> EndEnrolment(EnrolmentStore& store,
                                       const rules::RuleBook& rules,
                                       const access::Caller& caller,
                                       const EnrolmentName& name, EarlyEnd end,
                                       bool end_is_today);

// The employer sends somebody else in the place that its convention holds. An
// offer that the newcomer had goes to the next in the list.
// NOT_APPLICABLE_TO_KIND (without a convention), ENTRY_CUTOFF_PASSED,
// COHORT_NOT_OPEN, NOT_COMMITTED when the newcomer is not admitted or the place
// not confirmed, ILLEGAL_TRANSITION when the newcomer has a place.
absl::StatusOr<Enrolment> ReplaceLearner(EnrolmentStore& store,
                                         const rules::RuleBook& rules,
                                         const access::Caller& caller,
                                         const EnrolmentName& name,
                                         const ApplicationName& newcomer,
                                         const std::string& reason);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_ENROLMENT_USE_CASES_H_
