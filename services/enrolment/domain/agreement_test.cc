#include "services/enrolment/domain/agreement.h"

#include <limits>
#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "services/enrolment/testing/samples.h"

namespace parcours::enrolment {
namespace {

using absl::CivilDay;
using testing::StartsWith;

constexpr CivilDay kSigned(2026, 3, 2);  // a Monday
constexpr CourseProgress kCourse{.start = CivilDay(2026, 3, 16),
                                 .end = CivilDay(2026, 11, 17)};

Agreement Draft(AgreementKind kind, int64_t price_cents = 172500) {
  Agreement agreement;
  agreement.name = AgreementName::FromRecord("bodies/essai/agreements/une");
  agreement.kind = kind;
  agreement.price_cents = price_cents;
  return agreement;
}

Agreement SignedOn(CivilDay day, AgreementKind kind, int64_t price_cents,
                   const rules::RuleBook& book = FrenchRules(),
                   bool at_distance = true) {
  Agreement agreement = Draft(kind, price_cents);
  EXPECT_OK(Sign(agreement, "Signataire Une", at_distance, day,
                 Paris(day.year(), day.month(), day.day(), 10), book));
  return agreement;
}

Agreement SignedContract(int64_t price_cents = 172500,
                         const rules::RuleBook& book = FrenchRules()) {
  return SignedOn(kSigned, AgreementKind::kContract, price_cents, book);
}

int64_t AllowedOn(const Agreement& agreement, CivilDay day,
                  const rules::RuleBook& book = FrenchRules()) {
  return PaymentGateOn(agreement, kCourse, day, book).value().allowed_cents;
}

TEST(AgreementKindTest, FollowsThePayer) {
  for (const PayerKind payer : AllOf<PayerKind>()) {
    SCOPED_TRACE(NameOf(payer));
    const AgreementKind expected =
        payer == PayerKind::kIndividual ? AgreementKind::kContract
        : payer == PayerKind::kCpf      ? AgreementKind::kCpfTerms
                                        : AgreementKind::kConvention;
    EXPECT_EQ(KindFor(payer), expected);
  }
}

TEST(WithdrawalPeriodTest, CountsTenDaysOnPremisesAndFourteenAtADistance) {
  const struct {
    const char* what;
    CivilDay signed_on;
    bool at_distance;
    CivilDay end;
  } cases[] = {
      {"ten days, the day of signature not counted", CivilDay(2026, 3, 2),
       false, CivilDay(2026, 3, 12)},
      {"fourteen days", CivilDay(2026, 3, 2), true, CivilDay(2026, 3, 16)},
      {"Saturday", CivilDay(2026, 3, 4), false, CivilDay(2026, 3, 16)},
      {"Sunday", CivilDay(2026, 3, 5), false, CivilDay(2026, 3, 16)},
      {"Saturday, at a distance", CivilDay(2026, 3, 7), true,
       CivilDay(2026, 3, 23)},
      {"Easter Monday", CivilDay(2026, 3, 27), false, CivilDay(2026, 4, 7)},
      {"Saturday before Easter", CivilDay(2026, 3, 21), true,
       CivilDay(2026, 4, 7)},
      {"Good Friday is a working day", CivilDay(2026, 3, 20), true,
       CivilDay(2026, 4, 3)},
      {"1 May, a Friday", CivilDay(2026, 4, 21), false, CivilDay(2026, 5, 4)},
      {"8 May, a Friday", CivilDay(2026, 4, 24), true, CivilDay(2026, 5, 11)},
      {"Ascension, a Thursday", CivilDay(2026, 5, 4), false,
       CivilDay(2026, 5, 15)},
      {"Christmas, a Friday", CivilDay(2026, 12, 11), true,
       CivilDay(2026, 12, 28)},
      {"over a year's end", CivilDay(2026, 12, 22), false,
       CivilDay(2027, 1, 4)},
      {"29 February", CivilDay(2028, 2, 18), false, CivilDay(2028, 2, 28)},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const absl::StatusOr<WithdrawalPeriod> period =
        WithdrawalPeriodOf(c.signed_on, c.at_distance, FrenchRules());
    ASSERT_OK(period);
    EXPECT_EQ(period->end, c.end);
  }
}

TEST(WithdrawalPeriodTest, KeepsTheRulesBehindIt) {
  EXPECT_EQ(WithdrawalPeriodOf(kSigned, true, FrenchRules()).value().rule,
            "C. conso. L221-18, C. conso. L221-19, 3° "
            "(fr/withdrawal.distance@2016-07-01, "
            "fr/withdrawal.end_rolls_to_working_day@2014-06-14)");
  EXPECT_EQ(WithdrawalPeriodOf(kSigned, false, FrenchRules()).value().rule,
            "C. trav. L6353-5, C. conso. L221-19, 3° "
            "(fr/withdrawal.on_premises@2008-05-01, "
            "fr/withdrawal.end_rolls_to_working_day@2014-06-14)");
}

TEST(WithdrawalPeriodTest, IsTheLongerOfTheTwoAtADistance) {
  const rules::RuleBook book = FrenchRulesWhere("withdrawal.on_premises", 20);
  EXPECT_EQ(WithdrawalPeriodOf(kSigned, true, book).value().end,
            CivilDay(2026, 3, 23));
}

TEST(WithdrawalPeriodTest, FollowsTheRuleBook) {
  const rules::RuleBook longer =
      FrenchRulesWhere("withdrawal.distance", 21, "Article d'essai");
  const WithdrawalPeriod period =
      WithdrawalPeriodOf(kSigned, true, longer).value();
  EXPECT_EQ(period.end, CivilDay(2026, 3, 23));
  EXPECT_EQ(period.rule.substr(0, 15), "Article d'essai");

  EXPECT_EQ(WithdrawalPeriodOf(
                CivilDay(2026, 3, 4), false,
                FrenchRulesWhere("withdrawal.end_rolls_to_working_day", 0))
                .value()
                .end,
            CivilDay(2026, 3, 14));
  EXPECT_EQ(WithdrawalPeriodOf(
                kSigned, false,
                FrenchRulesWhere("withdrawal.signature_day_excluded", 0))
                .value()
                .end,
            CivilDay(2026, 3, 11));
}

TEST(SignatureTest, IsGivenOnce) {
  for (const AgreementState from : AllOf<AgreementState>()) {
    SCOPED_TRACE(NameOf(from));
    Agreement agreement = Draft(AgreementKind::kContract);
    agreement.state = from;
    const absl::Status status =
        Sign(agreement, "Signataire Une", /*at_distance=*/true, kSigned,
             Paris(2026, 3, 2, 10), FrenchRules());
    if (from == AgreementState::kDraft) {
      EXPECT_OK(status);
      EXPECT_EQ(agreement.state, AgreementState::kSigned);
      EXPECT_EQ(agreement.signatory, "Signataire Une");
      EXPECT_EQ(agreement.sign_time, Paris(2026, 3, 2, 10));
      EXPECT_TRUE(agreement.at_distance);
    } else {
      EXPECT_THAT(status, HasReason(Reason::kIllegalTransition));
      EXPECT_EQ(MetadataOf(status).at("state"), NameOf(from));
      EXPECT_EQ(agreement.state, from);
      EXPECT_TRUE(agreement.signatory.empty());
    }
  }
}

TEST(SignatureTest, StartsAWithdrawalPeriodForAContractOnly) {
  for (const AgreementKind kind : AllOf<AgreementKind>()) {
    SCOPED_TRACE(NameOf(kind));
    const Agreement agreement = SignedOn(kSigned, kind, 172500);
    if (kind == AgreementKind::kContract) {
      EXPECT_EQ(agreement.withdrawal_end_date, CivilDay(2026, 3, 16));
      EXPECT_FALSE(agreement.withdrawal_rule.empty());
      EXPECT_EQ(StateOn(agreement, kSigned), AgreementState::kSigned);
      EXPECT_EQ(StateOn(agreement, CivilDay(2026, 3, 16)),
                AgreementState::kSigned);
      EXPECT_EQ(StateOn(agreement, CivilDay(2026, 3, 17)),
                AgreementState::kBinding);
    } else {
      EXPECT_FALSE(agreement.withdrawal_end_date.has_value());
      EXPECT_EQ(StateOn(agreement, kSigned), AgreementState::kBinding);
    }
  }
}

TEST(SignatureTest, TimeMovesOnlyWhatIsSigned) {
  for (const AgreementState state :
       {AgreementState::kDraft, AgreementState::kWithdrawn,
        AgreementState::kEnded}) {
    Agreement agreement = SignedContract();
    agreement.state = state;
    EXPECT_EQ(StateOn(agreement, CivilDay(2030, 1, 1)), state);
  }
}

TEST(LegalWithdrawalTest, IsOpenToTheLastDayOfAContractsPeriod) {
  Agreement in_time = SignedContract();
  in_time.requested_cents = 10;
  EXPECT_OK(WithdrawFrom(in_time, CivilDay(2026, 3, 16)));
  EXPECT_EQ(in_time.state, AgreementState::kWithdrawn);
  EXPECT_EQ(in_time.requested_cents, 0);

  Agreement late = SignedContract();
  const absl::Status refused = WithdrawFrom(late, CivilDay(2026, 3, 17));
  EXPECT_THAT(refused, HasReason(Reason::kWithdrawalPeriodOver));
  EXPECT_EQ(MetadataOf(refused).at("ended"), "2026-03-16");
  EXPECT_THAT(MetadataOf(refused).at("article"),
              StartsWith("C. conso. L221-18"));
  EXPECT_EQ(late.state, AgreementState::kSigned);
}

TEST(LegalWithdrawalTest, OnPremisesCitesItsOwnArticle) {
  Agreement late =
      SignedOn(kSigned, AgreementKind::kContract, 172500, FrenchRules(),
               /*at_distance=*/false);
  const absl::Status refused = WithdrawFrom(late, CivilDay(2026, 3, 13));
  EXPECT_EQ(MetadataOf(refused).at("ended"), "2026-03-12");
  EXPECT_THAT(MetadataOf(refused).at("article"),
              StartsWith("C. trav. L6353-5"));
}

TEST(LegalWithdrawalTest, NeedsASignature) {
  for (const AgreementState from :
       {AgreementState::kDraft, AgreementState::kWithdrawn,
        AgreementState::kEnded}) {
    SCOPED_TRACE(NameOf(from));
    Agreement agreement = SignedContract();
    agreement.state = from;
    EXPECT_THAT(WithdrawFrom(agreement, kSigned),
                HasReason(Reason::kIllegalTransition));
    EXPECT_EQ(agreement.state, from);
  }
}

TEST(LegalWithdrawalTest, IsForContractsOnly) {
  for (const AgreementKind kind :
       {AgreementKind::kConvention, AgreementKind::kCpfTerms}) {
    SCOPED_TRACE(NameOf(kind));
    Agreement agreement = SignedOn(kSigned, kind, 172500);
    const absl::Status status = WithdrawFrom(agreement, kSigned);
    EXPECT_THAT(status, HasReason(Reason::kNotApplicableToKind));
    EXPECT_EQ(MetadataOf(status).at("kind"), NameOf(kind));
    EXPECT_EQ(agreement.state, AgreementState::kSigned);
  }
}

TEST(EndTest, IsReachedOnceFromWhatStillStands) {
  for (const AgreementState from : AllOf<AgreementState>()) {
    SCOPED_TRACE(NameOf(from));
    Agreement agreement = Draft(AgreementKind::kContract);
    agreement.state = from;
    const absl::Status status = End(agreement, "Motif");
    if (from == AgreementState::kEnded || from == AgreementState::kWithdrawn) {
      EXPECT_THAT(status, HasReason(Reason::kIllegalTransition));
      EXPECT_EQ(agreement.state, from);
      EXPECT_TRUE(agreement.end_reason.empty());
    } else {
      EXPECT_OK(status);
      EXPECT_EQ(agreement.state, AgreementState::kEnded);
      EXPECT_EQ(agreement.end_reason, "Motif");
    }
  }
}

TEST(PaymentGateTest, IsShutToTheEndOfTheWithdrawalPeriod) {
  const Agreement contract = SignedContract();
  for (const CivilDay day :
       {kSigned, CivilDay(2026, 3, 15), CivilDay(2026, 3, 16)}) {
    SCOPED_TRACE(absl::FormatCivilTime(day));
    const PaymentGate gate =
        PaymentGateOn(contract, kCourse, day, FrenchRules()).value();
    EXPECT_EQ(gate.allowed_cents, 0);
    EXPECT_EQ(gate.opens, CivilDay(2026, 3, 17));
    EXPECT_EQ(gate.article, "C. trav. L6353-6");
    EXPECT_EQ(gate.rule, "fr/payment.none_before_withdrawal_end@2008-05-01");
  }
}

TEST(PaymentGateTest, OpensForThirtyPercentRoundedDown) {
  const struct {
    int64_t price;
    int64_t first;
  } cases[] = {{172500, 51750}, {172501, 51750}, {172503, 51750},
               {172504, 51751}, {100001, 30000}, {3, 0},
               {4, 1},          {0, 0}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.price);
    // Signed long before the course, so that nothing of the balance is due.
    const Agreement contract =
        SignedOn(CivilDay(2026, 1, 5), AgreementKind::kContract, c.price);
    const PaymentGate gate =
        PaymentGateOn(contract, kCourse, CivilDay(2026, 1, 20), FrenchRules())
            .value();
    EXPECT_EQ(gate.allowed_cents, c.first);
    EXPECT_EQ(gate.rule, "fr/payment.first_cap@2008-05-01");
    EXPECT_EQ(AllowedOn(contract, kCourse.start - 1), c.first);
  }
}

TEST(PaymentGateTest, StaggersTheBalanceToTheLastDay) {
  const Agreement contract =
      SignedOn(CivilDay(2026, 1, 5), AgreementKind::kContract, 172500);
  // 1 of 247 days is 0.40 %, 246 of 247 are 99.59 % of 1207.50 €.
  EXPECT_EQ(AllowedOn(contract, kCourse.start), 51750 + 483);
  EXPECT_EQ(AllowedOn(contract, kCourse.end - 1), 51750 + 120254);
  EXPECT_EQ(AllowedOn(contract, kCourse.end), 172500);
  EXPECT_EQ(AllowedOn(contract, kCourse.end + 400), 172500);
  int64_t before = 0;
  for (CivilDay day = kSigned; day <= kCourse.end; ++day) {
    const int64_t allowed = AllowedOn(contract, day);
    EXPECT_GE(allowed, before);
    EXPECT_TRUE(day == kCourse.end || allowed < 172500);
    before = allowed;
  }
}

TEST(PaymentGateTest, HoldsForAnyPrice) {
  const int64_t most = std::numeric_limits<int64_t>::max();
  const Agreement contract =
      SignedOn(CivilDay(2026, 1, 5), AgreementKind::kContract, most);
  EXPECT_EQ(AllowedOn(contract, kCourse.end), most);
  EXPECT_EQ(AllowedOn(contract, CivilDay(2026, 2, 1)), most / 10 * 3 + 2);
}

TEST(PaymentGateTest, FollowsTheRuleBook) {
  const CivilDay open(2026, 2, 1);
  const Agreement contract =
      SignedOn(CivilDay(2026, 1, 5), AgreementKind::kContract, 172500);
  const rules::RuleBook quarter =
      FrenchRulesWhere("payment.first_cap", 2500, "Article d'essai");
  const PaymentGate gate =
      PaymentGateOn(contract, kCourse, open, quarter).value();
  EXPECT_EQ(gate.allowed_cents, 43125);
  EXPECT_EQ(gate.article, "Article d'essai");

  EXPECT_EQ(AllowedOn(contract, open,
                      FrenchRulesWhere("payment.balance_staggered", 0)),
            172500);

  const PaymentGate at_once =
      PaymentGateOn(contract, kCourse, CivilDay(2026, 1, 5),
                    FrenchRulesWhere("payment.none_before_withdrawal_end", 0))
          .value();
  EXPECT_EQ(at_once.allowed_cents, 51750);
  EXPECT_FALSE(at_once.opens.has_value());
}

TEST(PaymentGateTest, LeavesAConventionToItsOwnTermsAndAsksNothingUnderCpf) {
  const Agreement convention =
      SignedOn(kSigned, AgreementKind::kConvention, 345000);
  const PaymentGate gate =
      PaymentGateOn(convention, kCourse, kSigned, FrenchRules()).value();
  EXPECT_EQ(gate.allowed_cents, 345000);
  EXPECT_FALSE(gate.opens.has_value());
  EXPECT_TRUE(gate.article.empty());

  const Agreement cpf = SignedOn(kSigned, AgreementKind::kCpfTerms, 345000);
  EXPECT_EQ(AllowedOn(cpf, kSigned), 0);
  EXPECT_EQ(AllowedOn(cpf, kCourse.end), 0);
}

TEST(PaymentGateTest, IsShutUnlessTheAgreementStands) {
  for (const AgreementKind kind : AllOf<AgreementKind>()) {
    for (const AgreementState state :
         {AgreementState::kDraft, AgreementState::kWithdrawn,
          AgreementState::kEnded}) {
      SCOPED_TRACE(testing::Message() << NameOf(kind) << " " << NameOf(state));
      Agreement agreement = SignedOn(kSigned, kind, 172500);
      agreement.state = state;
      EXPECT_EQ(AllowedOn(agreement, kCourse.end), 0);
      EXPECT_THAT(
          RequestPayment(agreement, 1, kCourse, kCourse.end, FrenchRules()),
          HasReason(Reason::kIllegalTransition));
      EXPECT_EQ(agreement.requested_cents, 0);
    }
  }
}

TEST(PaymentRequestTest, WaitsForTheEndOfTheWithdrawalPeriod) {
  Agreement contract = SignedContract();
  const absl::Status early = RequestPayment(
      contract, 1, kCourse, CivilDay(2026, 3, 16), FrenchRules());
  EXPECT_THAT(early, HasReason(Reason::kWithdrawalPeriodRunning));
  EXPECT_EQ(MetadataOf(early).at("ends"), "2026-03-16");
  EXPECT_EQ(MetadataOf(early).at("article"), "C. trav. L6353-6");
  EXPECT_EQ(contract.requested_cents, 0);
  EXPECT_OK(RequestPayment(contract, 51750, kCourse, CivilDay(2026, 3, 17),
                           FrenchRules()));
  EXPECT_EQ(contract.requested_cents, 51750);
}

TEST(PaymentRequestTest, AddsUpToTheCapAndNoFurther) {
  Agreement contract =
      SignedOn(CivilDay(2026, 1, 5), AgreementKind::kContract, 172500);
  const CivilDay day(2026, 2, 1);
  ASSERT_OK(RequestPayment(contract, 50000, kCourse, day, FrenchRules()));
  const absl::Status above =
      RequestPayment(contract, 1751, kCourse, day, FrenchRules());
  EXPECT_THAT(above, HasReason(Reason::kPaymentAboveCap));
  EXPECT_EQ(MetadataOf(above).at("maximum_cents"), "1750");
  EXPECT_EQ(MetadataOf(above).at("article"), "C. trav. L6353-6");
  EXPECT_EQ(contract.requested_cents, 50000);
  EXPECT_OK(RequestPayment(contract, 1750, kCourse, day, FrenchRules()));
  EXPECT_THAT(RequestPayment(contract, 1, kCourse, day, FrenchRules()),
              HasReason(Reason::kPaymentAboveCap));
  EXPECT_OK(RequestPayment(contract, 172500 - 51750, kCourse, kCourse.end,
                           FrenchRules()));
  EXPECT_THAT(RequestPayment(contract, 1, kCourse, kCourse.end, FrenchRules()),
              HasReason(Reason::kPaymentAboveCap));
}

TEST(PaymentRequestTest, CitesTheArticleOfTheRuleBook) {
  const rules::RuleBook quarter =
      FrenchRulesWhere("payment.first_cap", 2500, "Article d'essai");
  Agreement contract =
      SignedOn(CivilDay(2026, 1, 5), AgreementKind::kContract, 172500);
  const absl::Status above =
      RequestPayment(contract, 51750, kCourse, CivilDay(2026, 2, 1), quarter);
  EXPECT_THAT(above, HasReason(Reason::kPaymentAboveCap));
  EXPECT_EQ(MetadataOf(above).at("maximum_cents"), "43125");
  EXPECT_EQ(MetadataOf(above).at("article"), "Article d'essai");
}

TEST(PaymentRequestTest, IsAtOnceWhereNoRuleForbidsIt) {
  Agreement contract = SignedContract();
  EXPECT_OK(RequestPayment(
      contract, 51750, kCourse, kSigned,
      FrenchRulesWhere("payment.none_before_withdrawal_end", 0)));
}

TEST(PaymentRequestTest, OfAConventionStopsAtItsPrice) {
  Agreement convention = SignedOn(kSigned, AgreementKind::kConvention, 345000);
  EXPECT_OK(
      RequestPayment(convention, 345000, kCourse, kSigned, FrenchRules()));
  const absl::Status above =
      RequestPayment(convention, 1, kCourse, kSigned, FrenchRules());
  EXPECT_THAT(above, HasReason(Reason::kPaymentAboveCap));
  EXPECT_EQ(MetadataOf(above).at("maximum_cents"), "0");
}

TEST(PaymentRequestTest, OfAnUnknownPriceIsRefused) {
  Agreement convention = Draft(AgreementKind::kConvention);
  convention.price_cents.reset();
  ASSERT_OK(Sign(convention, "Signataire Une", false, kSigned,
                 Paris(2026, 3, 2), FrenchRules()));
  EXPECT_THAT(RequestPayment(convention, 1, kCourse, kSigned, FrenchRules()),
              HasReason(Reason::kPaymentAboveCap));
}

TEST(PaymentRequestTest, UnderCpfTermsIsThePlatforms) {
  Agreement cpf = SignedOn(kSigned, AgreementKind::kCpfTerms, 345000);
  EXPECT_THAT(RequestPayment(cpf, 1, kCourse, kCourse.end, FrenchRules()),
              HasReason(Reason::kNotApplicableToKind));
  EXPECT_EQ(cpf.requested_cents, 0);
}

}  // namespace
}  // namespace parcours::enrolment
