#include "services/enrolment/domain/legal_holds.h"

#include <string>
#include <utility>
#include <vector>

#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/enrolment/testing/samples.h"

namespace parcours::enrolment {
namespace {

using privacy::LegalHold;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Somebody whose only cohort, of samples.h, is over.
PersonRecord Former() {
  PersonRecord record;
  record.person.name = PersonName::FromRecord("bodies/essai/persons/une");
  record.cohorts = {SampleCohort()};
  record.cohorts[0].state = CohortState::kEnded;
  record.applications = {SampleApplication("une", 1, PlaceState::kReleased,
                                           ReviewState::kAdmitted)};
  return record;
}

Agreement Signed(PayerKind payer = PayerKind::kIndividual) {
  Agreement agreement;
  agreement.name = AgreementName::FromRecord("bodies/essai/agreements/a");
  agreement.cohort = SampleCohort().name;
  agreement.kind = KindFor(payer);
  agreement.payer_kind = payer;
  agreement.state = AgreementState::kBinding;
  agreement.price_cents = 172500;
  agreement.sign_time = Paris(2026, 2, 2);
  return agreement;
}

Enrolment Ended(PayerKind payer, absl::CivilDay day,
                EnrolmentState state = EnrolmentState::kCompleted) {
  Enrolment enrolment;
  enrolment.name =
      EnrolmentName::FromRecord("bodies/essai/cohorts/essai-2026/enrolments/e");
  enrolment.cohort = SampleCohort().name;
  enrolment.payer_kind = payer;
  enrolment.state = state;
  enrolment.end_date = day;
  return enrolment;
}

std::vector<LegalHold> On(const PersonRecord& record, absl::Time now) {
  const auto holds = LegalHoldsOn(record, FrenchRules(), now);
  EXPECT_OK(holds);
  return holds.ok() ? *holds : std::vector<LegalHold>();
}

// Noon of that day in Paris.
std::vector<LegalHold> On(const PersonRecord& record, absl::CivilDay day) {
  return On(record, Paris(day.year(), day.month(), day.day(), 12));
}

void ExpectLastDay(const PersonRecord& record, absl::CivilDay last) {
  EXPECT_THAT(On(record, last), ElementsAre(Field(&LegalHold::until, last)))
      << last;
  EXPECT_THAT(On(record, last + 1), IsEmpty()) << last;
}

TEST(LegalHoldsTest, NothingHoldsWhoseFileIsClosed) {
  EXPECT_THAT(On(Former(), absl::CivilDay(2026, 12, 1)), IsEmpty());
}

TEST(LegalHoldsTest, AnApplicationIsUnderWayUntilItsCohortIsOver) {
  const absl::Time before = Paris(2026, 11, 17, 23, 59);
  const absl::Time after = Paris(2026, 11, 18);
  for (const ReviewState review : AllOf<ReviewState>()) {
    for (const PlaceState place : AllOf<PlaceState>()) {
      const bool undecided = review == ReviewState::kAwaitingPieces ||
                             review == ReviewState::kReceived;
      const bool placed =
          place != PlaceState::kNone && place != PlaceState::kReleased;
      const Application application =
          SampleApplication("une", 1, place, review);
      EXPECT_EQ(IsUnderWay(application, SampleCohort(), before),
                undecided || placed)
          << NameOf(review) << " " << NameOf(place);
      EXPECT_FALSE(IsUnderWay(application, SampleCohort(), after));
    }
  }
}

TEST(LegalHoldsTest, ACohortIsOverByDecisionOrByTime) {
  for (const CohortState state : AllOf<CohortState>()) {
    Cohort cohort = SampleCohort();
    cohort.state = state;
    const bool decided =
        state == CohortState::kCancelled || state == CohortState::kEnded;
    EXPECT_EQ(IsOver(cohort, Paris(2026, 11, 17, 23, 59)), decided)
        << NameOf(state);
    EXPECT_EQ(IsOver(cohort, Paris(2026, 11, 18)),
              decided || state != CohortState::kPostponed)
        << NameOf(state);
  }
}

TEST(LegalHoldsTest, AParticipationIsUnderWayUntilItEnds) {
  for (const EnrolmentState state : AllOf<EnrolmentState>()) {
    PersonRecord record = Former();
    record.enrolments = {
        Ended(PayerKind::kIndividual, absl::CivilDay(2026, 11, 17), state)};
    const bool active =
        state == EnrolmentState::kEnrolled || state == EnrolmentState::kStarted;
    const std::vector<LegalHold> holds =
        On(record, absl::CivilDay(2026, 12, 1));
    ASSERT_THAT(holds, SizeIs(active ? 1 : 0)) << NameOf(state);
    if (active) {
      EXPECT_EQ(holds[0].kind, "under_way");
      EXPECT_EQ(holds[0].resource, record.enrolments[0].name.text());
      EXPECT_FALSE(holds[0].until.has_value());
    }
  }
}

TEST(LegalHoldsTest, AFileOnItsWayInIsUnderWay) {
  PersonRecord record = Former();
  record.uploads = {UploadName::FromRecord("bodies/essai/uploads/u")};
  EXPECT_THAT(
      On(record, absl::CivilDay(2026, 12, 1)),
      ElementsAre(Field(&LegalHold::resource, "bodies/essai/uploads/u")));
}

// C. com. L123-22: ten years from the close of the accounting year.
TEST(LegalHoldsTest, ASignedPriceIsHeldFromTheCloseOfTheYear) {
  PersonRecord record = Former();
  record.agreements = {Signed()};
  const std::vector<LegalHold> holds = On(record, absl::CivilDay(2026, 12, 1));
  ASSERT_THAT(holds, SizeIs(1));
  EXPECT_EQ(holds[0].kind, "accounting");
  EXPECT_EQ(holds[0].resource, "bodies/essai/agreements/a");
  EXPECT_EQ(holds[0].article, "C. com. L123-22");
  EXPECT_EQ(holds[0].rule, "fr/retention.accounting@2000-09-21");
  ExpectLastDay(record, absl::CivilDay(2036, 12, 30));

  // The year counts, not the day in it.
  record.cohorts[0].end_date = absl::CivilDay(2026, 12, 31);
  ExpectLastDay(record, absl::CivilDay(2036, 12, 30));
  record.cohorts[0].end_date = absl::CivilDay(2027, 1, 1);
  ExpectLastDay(record, absl::CivilDay(2037, 12, 30));
}

TEST(LegalHoldsTest, OnlyWhatWasSignedWithAPriceIsAnAccountingPiece) {
  const absl::CivilDay day(2026, 12, 1);
  const auto count = [&](const Agreement& agreement) {
    PersonRecord record = Former();
    record.agreements = {agreement};
    return On(record, day).size();
  };
  Agreement unsigned_one = Signed();
  unsigned_one.sign_time.reset();
  EXPECT_EQ(count(unsigned_one), 0);
  Agreement without_price = Signed();
  without_price.price_cents.reset();
  EXPECT_EQ(count(without_price), 0);
  Agreement free_of_charge = Signed();
  free_of_charge.price_cents = 0;
  EXPECT_EQ(count(free_of_charge), 0);
  Agreement withdrawn = Signed();
  withdrawn.state = AgreementState::kWithdrawn;
  EXPECT_EQ(count(withdrawn), 0);
  withdrawn.requested_cents = 1;
  EXPECT_EQ(count(withdrawn), 1);
  Agreement ended = Signed();
  ended.state = AgreementState::kEnded;
  EXPECT_EQ(count(ended), 1);
}

TEST(LegalHoldsTest, APaidParticipationIsHeldByWhoeverFundsIt) {
  for (const PayerKind payer : AllOf<PayerKind>()) {
    const bool own = payer == PayerKind::kIndividual ||
                     payer == PayerKind::kEmployer ||
                     payer == PayerKind::kPublicEmployer;
    PersonRecord record = Former();
    record.enrolments = {Ended(payer, absl::CivilDay(2026, 11, 17))};
    EXPECT_EQ(IsFunded(record.enrolments[0]), !own) << NameOf(payer);
    if (own) {
      EXPECT_THAT(On(record, absl::CivilDay(2026, 12, 1)), IsEmpty());
      // An employer whose OPCO pays in the end.
      record.enrolments[0].funder_id = "afdas";
    }
    ExpectLastDay(record, absl::CivilDay(2032, 11, 16));
    EXPECT_EQ(On(record, absl::CivilDay(2032, 11, 16))[0].kind,
              "funding_pieces");
  }
}

TEST(LegalHoldsTest, FundingIsCountedFromTheEndOfTheParticipation) {
  PersonRecord record = Former();
  record.enrolments = {Ended(PayerKind::kCpf, absl::CivilDay(2026, 5, 4),
                             EnrolmentState::kDroppedOut)};
  ExpectLastDay(record, absl::CivilDay(2032, 5, 3));
  record.enrolments[0].end_date.reset();
  ExpectLastDay(record, absl::CivilDay(2032, 11, 16));
}

TEST(LegalHoldsTest, YearsAreCountedOverLeapDaysAndTheTurnOfTheYear) {
  PersonRecord record = Former();
  const auto ends = [&](absl::CivilDay end, absl::CivilDay last) {
    record.enrolments = {Ended(PayerKind::kOpco, end)};
    ExpectLastDay(record, last);
  };
  // 29 February 2034 is 1 March.
  ends(absl::CivilDay(2028, 2, 29), absl::CivilDay(2034, 2, 28));
  ends(absl::CivilDay(2028, 3, 1), absl::CivilDay(2034, 2, 28));
  ends(absl::CivilDay(2026, 3, 1), absl::CivilDay(2032, 2, 29));
  ends(absl::CivilDay(2026, 12, 31), absl::CivilDay(2032, 12, 30));
  ends(absl::CivilDay(2027, 1, 1), absl::CivilDay(2032, 12, 31));
}

// 23:30 UTC on 30 December is the 31st in Paris.
TEST(LegalHoldsTest, DaysAreThoseOfParis) {
  PersonRecord record = Former();
  record.agreements = {Signed()};
  EXPECT_THAT(On(record, Paris(2036, 12, 30, 23, 59)), SizeIs(1));
  EXPECT_THAT(On(record, Paris(2036, 12, 31)), IsEmpty());
}

TEST(LegalHoldsTest, ARuleThatChangesChangesTheDay) {
  PersonRecord record = Former();
  record.enrolments = {Ended(PayerKind::kCpf, absl::CivilDay(2026, 11, 17))};
  const rules::RuleBook shorter =
      FrenchRulesWhere("retention.funding_pieces", 1);
  const auto holds = LegalHoldsOn(record, shorter, Paris(2026, 12, 1));
  ASSERT_OK(holds);
  EXPECT_THAT(*holds, ElementsAre(Field(&LegalHold::until,
                                        absl::CivilDay(2027, 11, 16))));
}

TEST(LegalHoldsTest, SeveralHoldsStandByResource) {
  PersonRecord record = Former();
  record.agreements = {Signed(PayerKind::kOpco)};
  record.enrolments = {Ended(PayerKind::kOpco, absl::CivilDay(2026, 11, 17))};
  const std::vector<LegalHold> holds = On(record, absl::CivilDay(2026, 12, 1));
  EXPECT_THAT(holds, ElementsAre(Field(&LegalHold::kind, "accounting"),
                                 Field(&LegalHold::kind, "funding_pieces")));
  // The later one is left.
  EXPECT_THAT(On(record, absl::CivilDay(2032, 11, 17)),
              ElementsAre(Field(&LegalHold::kind, "accounting")));
}

LegalHold Until(std::string resource, std::string article,
                absl::CivilDay until) {
  return {.kind = "accounting",
          .resource = std::move(resource),
          .rule = "fr/x@2000-01-01",
          .article = std::move(article),
          .until = until};
}

TEST(CheckMayEraseTest, NothingRefusesWithoutHolds) {
  EXPECT_OK(CheckMayErase({}));
}

TEST(CheckMayEraseTest, EachHoldIsNamedAndTheLatestDayInBothLanguages) {
  const absl::Status refused =
      CheckMayErase({Until("z", "article 2", absl::CivilDay(2031, 1, 1)),
                     Until("a", "article 1", absl::CivilDay(2036, 12, 30))});
  EXPECT_THAT(refused, HasReason(Reason::kLegalHold));
  const ErrorMetadata metadata = MetadataOf(refused);
  EXPECT_EQ(metadata.at("until"), "2036-12-30");
  EXPECT_EQ(metadata.at("holds"),
            "a (article 1, 2036-12-30); z (article 2, 2031-01-01)");
}

TEST(CheckMayEraseTest, WhatTwoServicesHoldForOneReasonIsNamedOnce) {
  const absl::Status refused =
      CheckMayErase({Until("a", "article 1", absl::CivilDay(2031, 1, 1)),
                     Until("a", "article 1", absl::CivilDay(2031, 1, 3)),
                     Until("a", "article 1", absl::CivilDay(2031, 1, 2))});
  EXPECT_EQ(MetadataOf(refused).at("holds"), "a (article 1, 2031-01-03)");
  const absl::Status under_way = CheckMayErase(
      {privacy::HoldWhileUnderWay("a"), privacy::HoldWhileUnderWay("a")});
  EXPECT_EQ(MetadataOf(under_way).at("resources"), "a");
}

TEST(CheckMayEraseTest, WhatIsUnderWayComesFirst) {
  const absl::Status refused = CheckMayErase(
      {Until("a", "article 1", absl::CivilDay(2036, 12, 30)),
       privacy::HoldWhileUnderWay("z"), privacy::HoldWhileUnderWay("b")});
  EXPECT_THAT(refused, HasReason(Reason::kPersonUnderWay));
  EXPECT_EQ(MetadataOf(refused).at("resources"), "b, z");
}

TEST(CheckMayEraseTest, MoreThanFitAreCounted) {
  std::vector<LegalHold> holds;
  for (int i = 0; i < 100; ++i) {
    holds.push_back(Until(Cat("bodies/essai/agreements/", 100 + i), "article",
                          absl::CivilDay(2036, 12, 30)));
  }
  const ErrorMetadata metadata = MetadataOf(CheckMayErase(holds));
  EXPECT_THAT(metadata.at("holds"), HasSubstr("… +"));
  EXPECT_LT(metadata.at("holds").size(), 800);
}

}  // namespace
}  // namespace parcours::enrolment
