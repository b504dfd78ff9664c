#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_AGREEMENT_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_AGREEMENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/rules/rule_book.h"
#include "common/types/enum_names.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/names.h"

namespace parcours::enrolment {

// What kind of act: CONVENTION with an employer, a funder or a public buyer
// (C. trav. L6353-1), CONTRACT with an individual who pays (L6353-3), CPF_TERMS
// where the platform's terms stand for it (D6353-1).
enum class AgreementKind { kConvention, kContract, kCpfTerms };

// DRAFT → SIGNED → BINDING; a contract may be WITHDRAWN from while SIGNED;
// ENDED by the body or by a change of payer.
enum class AgreementState { kDraft, kSigned, kBinding, kWithdrawn, kEnded };

struct Agreement {
  AgreementName name;
  ApplicationName application;
  CohortName cohort;
  AgreementKind kind = AgreementKind::kConvention;
  AgreementState state = AgreementState::kDraft;
  PayerKind payer_kind = PayerKind::kIndividual;
  OrganisationName organisation;
  // Absent: the programme gives no price for this payer.
  std::optional<int64_t> price_cents;
  bool at_distance = false;
  std::string signatory;
  std::optional<absl::Time> sign_time;
  // Contracts: the last day of the withdrawal period, and the rules behind it.
  std::optional<absl::CivilDay> withdrawal_end_date;
  std::string withdrawal_rule;
  int64_t requested_cents = 0;
  std::string end_reason;
  std::vector<ExternalId> external_ids;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

// The kind of act for who pays.
AgreementKind KindFor(PayerKind payer);

// Whether the payer has signed and nothing has ended it since.
bool IsSigned(const Agreement& agreement);

// Where the agreement stands on `today`: a signed convention or CPF acceptance
// binds at once, a signed contract once its withdrawal period is over.
AgreementState StateOn(const Agreement& agreement, absl::CivilDay today);

// The last day on which a contract signed on `signed_on` may be withdrawn from:
// the longer of the two periods that apply (C. trav. L6353-5; at a distance
// C. conso. L221-18), the day of signature not counted, a last day that is not
// a working day moved to the next one (C. conso. L221-19).
struct WithdrawalPeriod {
  absl::CivilDay end;
  std::string rule;
};
absl::StatusOr<WithdrawalPeriod> WithdrawalPeriodOf(
    absl::CivilDay signed_on, bool at_distance, const rules::RuleBook& rules);

// The payer signs: the price is frozen as it stands. ILLEGAL_TRANSITION.
absl::Status Sign(Agreement& agreement, const std::string& signatory,
                  bool at_distance, absl::CivilDay today, absl::Time now,
                  const rules::RuleBook& rules);

// The learner's legal withdrawal. NOT_APPLICABLE_TO_KIND, ILLEGAL_TRANSITION,
// WITHDRAWAL_PERIOD_OVER citing the rules as they stood at the signature.
absl::Status WithdrawFrom(Agreement& agreement, absl::CivilDay today);

// Ends the agreement. ILLEGAL_TRANSITION when it has ended already.
absl::Status End(Agreement& agreement, const std::string& reason);

// How far the course is, for what falls due as it goes on.
struct CourseProgress {
  absl::CivilDay start;
  absl::CivilDay end;
};

// How much may have been asked from the payer by `today`.
struct PaymentGate {
  int64_t allowed_cents = 0;
  // First day on which anything may be asked; absent where no such day applies.
  std::optional<absl::CivilDay> opens;
  std::string rule;
  std::string article;
};

// C. trav. L6353-6, for contracts: nothing before the end of the withdrawal
// period; then at most the share of rule payment.first_cap, rounded down to the
// cent; the balance staggered as the course goes on, here in proportion to the
// days that have passed between its first and last day. A convention is asked
// as it says itself; under CPF terms the learner is asked nothing.
absl::StatusOr<PaymentGate> PaymentGateOn(const Agreement& agreement,
                                          const CourseProgress& course,
                                          absl::CivilDay today,
                                          const rules::RuleBook& rules);

// Records that `amount_cents` more is asked. ILLEGAL_TRANSITION,
// NOT_APPLICABLE_TO_KIND, WITHDRAWAL_PERIOD_RUNNING, PAYMENT_ABOVE_CAP.
absl::Status RequestPayment(Agreement& agreement, int64_t amount_cents,
                            const CourseProgress& course, absl::CivilDay today,
                            const rules::RuleBook& rules);

}  // namespace parcours::enrolment

namespace parcours {

template <>
struct EnumNames<enrolment::AgreementKind> {
  static constexpr std::string_view values[] = {"CONVENTION", "CONTRACT",
                                                "CPF_TERMS"};
};
template <>
struct EnumNames<enrolment::AgreementState> {
  static constexpr std::string_view values[] = {"DRAFT", "SIGNED", "BINDING",
                                                "WITHDRAWN", "ENDED"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_AGREEMENT_H_
