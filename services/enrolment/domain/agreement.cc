#include "services/enrolment/domain/agreement.h"

#include <algorithm>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "common/time/french_calendar.h"

namespace parcours::enrolment {
namespace {

constexpr int64_t kBasisPointsOfAll = 10'000;

absl::Status Illegal(const Agreement& agreement, std::string_view action) {
  return MakeError(Reason::kIllegalTransition,
                   {{"resource", agreement.name.text()},
                    {"state", std::string(NameOf(agreement.state))},
                    {"action", std::string(action)}});
}

absl::Status NotForKind(const Agreement& agreement, std::string_view action) {
  return MakeError(Reason::kNotApplicableToKind,
                   {{"action", std::string(action)},
                    {"kind", std::string(NameOf(agreement.kind))}});
}

std::string Print(absl::CivilDay day) { return absl::FormatCivilTime(day); }

// The share of the course that lies behind on `today`, in basis points.
int64_t ElapsedShare(const CourseProgress& course, absl::CivilDay today) {
  if (today < course.start) return 0;
  if (today >= course.end) return kBasisPointsOfAll;
  const int64_t passed = today - course.start + 1;
  const int64_t all = course.end - course.start + 1;
  return kBasisPointsOfAll * passed / all;
}

// Without a fraction of a cent, and always in the payer's favour. In two parts:
// the product of the whole would overflow for a price that no course has.
int64_t ShareRoundedDown(int64_t cents, int64_t basis_points) {
  return cents / kBasisPointsOfAll * basis_points +
         cents % kBasisPointsOfAll * basis_points / kBasisPointsOfAll;
}

}  // namespace

AgreementKind KindFor(PayerKind payer) {
  switch (payer) {
    case PayerKind::kIndividual:
      return AgreementKind::kContract;
    case PayerKind::kCpf:
      return AgreementKind::kCpfTerms;
    case PayerKind::kEmployer:
    case PayerKind::kPublicEmployer:
    case PayerKind::kOpco:
    case PayerKind::kFranceTravail:
    case PayerKind::kTransitionsPro:
    case PayerKind::kSelfEmployedFund:
    case PayerKind::kElectedOfficial:
      return AgreementKind::kConvention;
  }
  return AgreementKind::kConvention;
}

bool IsSigned(const Agreement& agreement) {
  return agreement.state == AgreementState::kSigned ||
         agreement.state == AgreementState::kBinding;
}

AgreementState StateOn(const Agreement& agreement, absl::CivilDay today) {
  if (agreement.state != AgreementState::kSigned) return agreement.state;
  const bool may_withdraw = agreement.withdrawal_end_date.has_value() &&
                            today <= *agreement.withdrawal_end_date;
  return may_withdraw ? AgreementState::kSigned : AgreementState::kBinding;
}

absl::StatusOr<WithdrawalPeriod> WithdrawalPeriodOf(
    absl::CivilDay signed_on, bool at_distance, const rules::RuleBook& rules) {
  ASSIGN_OR_RETURN(rules::DatedRule period,
                   rules.AsOf("withdrawal.on_premises", signed_on));
  if (at_distance) {
    ASSIGN_OR_RETURN(const rules::DatedRule distance,
                     rules.AsOf("withdrawal.distance", signed_on));
    if (distance.value > period.value) period = distance;
  }
  ASSIGN_OR_RETURN(const rules::DatedRule day_excluded,
                   rules.AsOf("withdrawal.signature_day_excluded", signed_on));
  ASSIGN_OR_RETURN(
      const rules::DatedRule rolls,
      rules.AsOf("withdrawal.end_rolls_to_working_day", signed_on));
  absl::CivilDay end =
      signed_on + period.value - (day_excluded.IsSet() ? 0 : 1);
  if (rolls.IsSet()) end = RollToWorkingDay(end);
  return WithdrawalPeriod{
      .end = end,
      .rule = Cat(period.article, ", ", rolls.article, " (", period.version,
                  ", ", rolls.version, ")")};
}

absl::Status Sign(Agreement& agreement, const std::string& signatory,
                  bool at_distance, absl::CivilDay today, absl::Time now,
                  const rules::RuleBook& rules) {
  if (agreement.state != AgreementState::kDraft) {
    return Illegal(agreement, "SignAgreement");
  }
  agreement.state = AgreementState::kSigned;
  agreement.signatory = signatory;
  agreement.at_distance = at_distance;
  agreement.sign_time = now;
  if (agreement.kind == AgreementKind::kContract) {
    ASSIGN_OR_RETURN(WithdrawalPeriod period,
                     WithdrawalPeriodOf(today, at_distance, rules));
    agreement.withdrawal_end_date = period.end;
    agreement.withdrawal_rule = period.rule;
  }
  return absl::OkStatus();
}

absl::Status WithdrawFrom(Agreement& agreement, absl::CivilDay today) {
  if (agreement.kind != AgreementKind::kContract) {
    return NotForKind(agreement, "WithdrawFromAgreement");
  }
  if (!IsSigned(agreement)) return Illegal(agreement, "WithdrawFromAgreement");
  if (StateOn(agreement, today) == AgreementState::kBinding) {
    return MakeError(Reason::kWithdrawalPeriodOver,
                     {{"ended", Print(*agreement.withdrawal_end_date)},
                      {"article", agreement.withdrawal_rule}});
  }
  agreement.state = AgreementState::kWithdrawn;
  agreement.requested_cents = 0;
  return absl::OkStatus();
}

absl::Status End(Agreement& agreement, const std::string& reason) {
  if (agreement.state == AgreementState::kEnded ||
      agreement.state == AgreementState::kWithdrawn) {
    return Illegal(agreement, "EndAgreement");
  }
  agreement.state = AgreementState::kEnded;
  agreement.end_reason = reason;
  return absl::OkStatus();
}

absl::StatusOr<PaymentGate> PaymentGateOn(const Agreement& agreement,
                                          const CourseProgress& course,
                                          absl::CivilDay today,
                                          const rules::RuleBook& rules) {
  const int64_t price = agreement.price_cents.value_or(0);
  PaymentGate gate;
  if (!IsSigned(agreement)) return gate;
  switch (agreement.kind) {
    case AgreementKind::kConvention:
      gate.allowed_cents = price;
      return gate;
    case AgreementKind::kCpfTerms:
      return gate;
    case AgreementKind::kContract:
      break;
  }
  ASSIGN_OR_RETURN(const rules::DatedRule nothing_before,
                   rules.AsOf("payment.none_before_withdrawal_end", today));
  ASSIGN_OR_RETURN(const rules::DatedRule cap,
                   rules.AsOf("payment.first_cap", today));
  ASSIGN_OR_RETURN(const rules::DatedRule staggered,
                   rules.AsOf("payment.balance_staggered", today));
  if (nothing_before.IsSet()) {
    gate.opens = *agreement.withdrawal_end_date + 1;
    if (today < *gate.opens) {
      gate.rule = nothing_before.version;
      gate.article = nothing_before.article;
      return gate;
    }
  }
  gate.rule = cap.version;
  gate.article = cap.article;
  const int64_t first = ShareRoundedDown(price, cap.value);
  const int64_t balance = ShareRoundedDown(
      price - first,
      staggered.IsSet() ? ElapsedShare(course, today) : kBasisPointsOfAll);
  gate.allowed_cents = first + balance;
  return gate;
}

absl::Status RequestPayment(Agreement& agreement, int64_t amount_cents,
                            const CourseProgress& course, absl::CivilDay today,
                            const rules::RuleBook& rules) {
  if (!IsSigned(agreement)) return Illegal(agreement, "RequestPayment");
  if (agreement.kind == AgreementKind::kCpfTerms) {
    return NotForKind(agreement, "RequestPayment");
  }
  ASSIGN_OR_RETURN(const PaymentGate gate,
                   PaymentGateOn(agreement, course, today, rules));
  if (gate.opens.has_value() && today < *gate.opens) {
    return MakeError(Reason::kWithdrawalPeriodRunning,
                     {{"ends", Print(*agreement.withdrawal_end_date)},
                      {"article", gate.article}});
  }
  if (amount_cents > gate.allowed_cents - agreement.requested_cents) {
    return MakeError(
        Reason::kPaymentAboveCap,
        {{"maximum_cents",
          Cat(std::max<int64_t>(gate.allowed_cents - agreement.requested_cents,
                                0))},
         {"article", gate.article.empty() ? "convention" : gate.article}});
  }
  agreement.requested_cents += amount_cents;
  return absl::OkStatus();
}

}  // namespace parcours::enrolment
