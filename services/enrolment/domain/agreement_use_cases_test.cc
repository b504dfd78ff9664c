#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "services/enrolment/testing/record.h"

namespace parcours::enrolment {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class AgreementUseCaseTest : public RecordTest {
 protected:
  static absl::StatusOr<Agreement> Withdraw(TestRecord& record,
                                            const AgreementName& name,
                                            std::string_view request_id = "") {
    return WithdrawFromAgreement(
        record.store(), record.rules,
        record.Call("WithdrawFromAgreement", request_id), name);
  }
  static absl::StatusOr<Agreement> End(TestRecord& record,
                                       const AgreementName& name) {
    return EndAgreement(record.store(), record.rules,
                        record.Call("EndAgreement"), name, "Motif");
  }
  static absl::StatusOr<Agreement> Ask(TestRecord& record,
                                       const AgreementName& name, int64_t cents,
                                       std::string_view request_id = "") {
    return RequestPayment(record.store(), record.rules,
                          record.Call("RequestPayment", request_id), name,
                          cents);
  }
};

TEST_P(AgreementUseCaseTest, KindAndPriceFollowThePayer) {
  TestRecord record(GetParam());
  const struct {
    Payer payer;
    AgreementKind kind;
    std::optional<int64_t> price;
  } cases[] = {
      {record.Individual(), AgreementKind::kContract, 172500},
      {record.Employer(), AgreementKind::kConvention, 345000},
      {{.kind = PayerKind::kOpco, .organisation = record.employer},
       AgreementKind::kConvention,
       345000},
      {{.kind = PayerKind::kCpf}, AgreementKind::kCpfTerms, 345000},
      {{.kind = PayerKind::kFranceTravail},
       AgreementKind::kConvention,
       std::nullopt},
  };
  int number = 0;
  for (const auto& c : cases) {
    SCOPED_TRACE(NameOf(c.payer.kind));
    const ApplicationName name = record.Submitted(++number, c.payer).name;
    const Agreement agreement = Must(record.DrawUp(name));
    EXPECT_EQ(agreement.kind, c.kind);
    EXPECT_EQ(agreement.price_cents, c.price);
    EXPECT_EQ(agreement.state, AgreementState::kDraft);
    EXPECT_THAT(record.DrawUp(name), HasReason(Reason::kIllegalTransition));
    EXPECT_THAT(record.AgreementsOf(name), SizeIs(1));
  }
  const ApplicationName unpriced =
      record.Submitted(++number, {.kind = PayerKind::kTransitionsPro}).name;
  EXPECT_THAT(record.DrawUp(unpriced), HasReason(Reason::kPriceUnknown));
}

TEST_P(AgreementUseCaseTest, NeedsAPlace) {
  Cohort cohort = SampleCohort();
  cohort.capacity = 1;
  cohort.minimum = 1;
  TestRecord record(GetParam(), SampleProgramme(), cohort);
  record.Admitted(1);
  const ApplicationName waiting = record.Admitted(2).name;
  const auto refused = record.DrawUp(waiting);
  EXPECT_THAT(refused, HasReason(Reason::kNoPlace));
  EXPECT_EQ(MetadataOf(refused.status()).at("state"), "WAITLISTED");
}

TEST_P(AgreementUseCaseTest, LegalWithdrawalFreesThePlaceAndOffersOn) {
  Cohort cohort = SampleCohort();
  cohort.capacity = 1;
  cohort.minimum = 1;
  TestRecord record(GetParam(), SampleProgramme(), cohort);
  const Enrolment enrolment = record.Confirmed(1);
  const ApplicationName waiting = record.Admitted(2).name;
  const AgreementName name =
      record.AgreementsOf(enrolment.application).front().name;
  // Signed on 2 February on the premises: ten days, to the 12th.
  EXPECT_EQ(record.Read(name).withdrawal_end_date, absl::CivilDay(2026, 2, 12));
  record.now = Paris(2026, 2, 12, 23, 59);
  EXPECT_EQ(Must(Withdraw(record, name, "id-1")).state,
            AgreementState::kWithdrawn);
  EXPECT_EQ(record.PlaceOf(enrolment.application), PlaceState::kReleased);
  EXPECT_EQ(record.Read(enrolment.name).state, EnrolmentState::kWithdrawn);
  EXPECT_EQ(record.PlaceOf(waiting), PlaceState::kOffered);
  const int64_t rows = record.RowsWritten();
  EXPECT_OK(Withdraw(record, name, "id-1"));
  EXPECT_EQ(record.RowsWritten(), rows);
}

TEST_P(AgreementUseCaseTest, LegalWithdrawalEndsWithItsPeriod) {
  TestRecord record(GetParam());
  const Enrolment enrolment = record.Confirmed(1);
  const Agreement agreement =
      record.AgreementsOf(enrolment.application).front();
  record.now = Paris(2026, 2, 13);
  // Later rules say nothing about what was signed before.
  record.rules =
      FrenchRulesWhere("withdrawal.on_premises", 40, "C. trav. L9999-9");
  const int64_t rows = record.RowsWritten();
  const auto late = Withdraw(record, agreement.name);
  EXPECT_THAT(late, HasReason(Reason::kWithdrawalPeriodOver));
  EXPECT_EQ(MetadataOf(late.status()).at("ended"), "2026-02-12");
  EXPECT_THAT(MetadataOf(late.status()).at("article"),
              StartsWith("C. trav. L6353-5"));
  EXPECT_EQ(record.RowsWritten(), rows);
  EXPECT_EQ(record.PlaceOf(enrolment.application), PlaceState::kConfirmed);
}

TEST_P(AgreementUseCaseTest, EndedByTheBodyBeforeTheStartFreesThePlace) {
  Cohort cohort = SampleCohort();
  cohort.capacity = 1;
  cohort.minimum = 1;
  TestRecord record(GetParam(), SampleProgramme(), cohort);
  const Enrolment enrolment = record.Confirmed(1, record.Employer());
  const ApplicationName waiting = record.Admitted(2).name;
  const AgreementName name =
      record.AgreementsOf(enrolment.application).front().name;
  EXPECT_EQ(Must(End(record, name)).state, AgreementState::kEnded);
  EXPECT_EQ(record.Read(enrolment.name).state, EnrolmentState::kWithdrawn);
  EXPECT_EQ(record.PlaceOf(enrolment.application), PlaceState::kReleased);
  EXPECT_EQ(record.PlaceOf(waiting), PlaceState::kOffered);
  EXPECT_THAT(End(record, name), HasReason(Reason::kIllegalTransition));
}

TEST_P(AgreementUseCaseTest, EndedWhileHeldWaitsForAnother) {
  TestRecord record(GetParam());
  const Application committed = record.Committed(1);
  EXPECT_FALSE(committed.place_expire_time.has_value());
  ASSERT_OK(End(record, record.AgreementsOf(committed.name).front().name));
  const Application held = record.Read(committed.name).application;
  EXPECT_EQ(held.place_state, PlaceState::kHeld);
  EXPECT_EQ(held.place_expire_time, Paris(2026, 3, 5));
}

TEST_P(AgreementUseCaseTest, PaymentIsAskedWithinTheGate) {
  TestRecord record(GetParam());
  const AgreementName name =
      record.AgreementsOf(record.Confirmed(1).application).front().name;
  const auto running = Ask(record, name, 100);
  EXPECT_THAT(running, HasReason(Reason::kWithdrawalPeriodRunning));
  EXPECT_EQ(MetadataOf(running.status()).at("ends"), "2026-02-12");
  record.now = Paris(2026, 2, 13);
  const AgreementGate gate = Must(GetPaymentGate(
      record.store(), record.rules, record.Call("GetPaymentGate"), name));
  EXPECT_EQ(gate.gate.allowed_cents, 51750);
  EXPECT_EQ(Must(Ask(record, name, 51750, "id-1")).requested_cents, 51750);
  EXPECT_EQ(Must(Ask(record, name, 51750, "id-1")).requested_cents, 51750);
  const auto above = Ask(record, name, 1);
  EXPECT_THAT(above, HasReason(Reason::kPaymentAboveCap));
  EXPECT_EQ(MetadataOf(above.status()).at("maximum_cents"), "0");
  for (const int64_t cents : {int64_t{0}, int64_t{-1}}) {
    EXPECT_THAT(Ask(record, name, cents), ViolatesField("amount_cents"));
  }
}

TEST_P(AgreementUseCaseTest, ChangedRulesChangeAmountPeriodAndArticle) {
  TestRecord record(GetParam());
  record.rules = FrenchRulesWhere("payment.first_cap", 2000, "Art. essai 1");
  const AgreementName name =
      record.AgreementsOf(record.Confirmed(1).application).front().name;
  record.now = Paris(2026, 2, 13);
  const AgreementGate gate = Must(GetPaymentGate(
      record.store(), record.rules, record.Call("GetPaymentGate"), name));
  EXPECT_EQ(gate.gate.allowed_cents, 34500);
  const auto above = Ask(record, name, 34501);
  EXPECT_EQ(MetadataOf(above.status()).at("maximum_cents"), "34500");
  EXPECT_EQ(MetadataOf(above.status()).at("article"), "Art. essai 1");

  record.rules = FrenchRulesWhere("withdrawal.on_premises", 20, "Art. essai 2");
  const Agreement later = record.Commit(record.Admitted(2).name);
  EXPECT_EQ(later.withdrawal_end_date, absl::CivilDay(2026, 3, 5));
  EXPECT_THAT(later.withdrawal_rule, StartsWith("Art. essai 2"));
}

TEST_P(AgreementUseCaseTest, ChangedProgrammeChangesPriceAndDeadline) {
  Cohort cohort = SampleCohort();
  cohort.prices = {{PayerKind::kIndividual, 100}};
  cohort.commitment_deadline_days = 3;
  cohort.offer_validity_hours = 5;
  cohort.capacity = 1;
  cohort.minimum = 1;
  TestRecord record(GetParam(), SampleProgramme(), cohort);
  const Application held = record.Admitted(1);
  EXPECT_EQ(held.place_expire_time, Paris(2026, 2, 6));
  EXPECT_EQ(Must(record.DrawUp(held.name)).price_cents, 100);
  const ApplicationName waiting = record.Admitted(2).name;
  ASSERT_OK(record.Withdraw(held.name));
  EXPECT_EQ(record.Read(waiting).application.place_expire_time,
            Paris(2026, 2, 2, 15));
  EXPECT_TRUE(record.StoryOf(waiting).back().rule.empty());
}

TEST_P(AgreementUseCaseTest, IsFoundByItsIdInAnotherSystem) {
  TestRecord record(GetParam());
  const auto draw_up = [&](int number, std::string_view value) {
    return CreateAgreement(
        record.store(), record.Call("CreateAgreement"),
        record.Submitted(number).name,
        {{.system = "accounting", .value = std::string(value)}}, Mode::kCommit);
  };
  const Agreement first = Must(draw_up(1, "C-1"));
  Must(draw_up(2, "C-2"));
  const auto taken = draw_up(3, "C-1");
  EXPECT_THAT(taken, HasReason(Reason::kAlreadyExists));
  EXPECT_THAT(taken, ViolatesField("agreement.external_ids[0].value"));
  EXPECT_EQ(MetadataOf(taken.status()).at("system"), "accounting");
  const auto find = [&](std::string_view value,
                        const ApplicationName& application) {
    return Must(ListAgreements(
                    record.store(), record.Call("ListAgreements"), record.body,
                    {.application = application,
                     .external_id = ExternalId{.system = "accounting",
                                               .value = std::string(value)}},
                    {}))
        .items;
  };
  ASSERT_THAT(find("C-1", {}), SizeIs(1));
  EXPECT_EQ(find("C-1", {}).front().name, first.name);
  EXPECT_THAT(find("C-9", {}), IsEmpty());
  EXPECT_THAT(find("C-2", first.application), IsEmpty());
}

PARCOURS_ON_BOTH_ENGINES(AgreementUseCaseTest);

}  // namespace
}  // namespace parcours::enrolment
