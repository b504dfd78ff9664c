#include "services/enrolment/domain/cohort.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "services/enrolment/testing/samples.h"

namespace parcours::enrolment {
namespace {

constexpr absl::Duration kInstant = absl::Microseconds(1);

TEST(ApplicationWindowTest, OpensAtMidnightInParisAndClosesAfterItsLastDay) {
  const Cohort cohort = SampleCohort();
  EXPECT_THAT(CheckReceivesApplications(cohort, Paris(2025, 9, 1) - kInstant),
              HasReason(Reason::kWindowNotOpen));
  EXPECT_OK(CheckReceivesApplications(cohort, Paris(2025, 9, 1)));
  EXPECT_OK(CheckReceivesApplications(cohort, Paris(2026, 1, 10, 12)));
  EXPECT_OK(CheckReceivesApplications(cohort, Paris(2026, 3, 16) - kInstant));
  EXPECT_THAT(CheckReceivesApplications(cohort, Paris(2026, 3, 16)),
              HasReason(Reason::kWindowClosed));
}

TEST(ApplicationWindowTest, SaysWhenItOpensAndClosed) {
  const Cohort cohort = SampleCohort();
  EXPECT_EQ(MetadataOf(CheckReceivesApplications(cohort, Paris(2025, 8, 1)))
                .at("opens"),
            "2025-09-01");
  EXPECT_EQ(MetadataOf(CheckReceivesApplications(cohort, Paris(2026, 4, 1)))
                .at("closed"),
            "2026-03-15");
}

// The days on which the clocks of Paris change, by their UTC limits.
struct ClockChange {
  absl::CivilDay day;
  std::string first_instant;
  std::string end;
  absl::Duration length;
};

TEST(ApplicationWindowTest, KeepsLocalMidnightOnBothClockChanges) {
  const std::vector<ClockChange> changes = {
      {absl::CivilDay(2026, 3, 29), "2026-03-28T23:00:00Z",
       "2026-03-29T22:00:00Z", absl::Hours(23)},
      {absl::CivilDay(2026, 10, 25), "2026-10-24T22:00:00Z",
       "2026-10-25T23:00:00Z", absl::Hours(25)},
  };
  for (const ClockChange& change : changes) {
    SCOPED_TRACE(change.first_instant);
    Cohort cohort = SampleCohort();
    cohort.application_open_date = change.day;
    cohort.application_close_date = change.day;
    absl::Time first;
    absl::Time end;
    ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, change.first_instant,
                                &first, nullptr));
    ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, change.end, &end, nullptr));
    EXPECT_THAT(CheckReceivesApplications(cohort, first - kInstant),
                HasReason(Reason::kWindowNotOpen));
    EXPECT_OK(CheckReceivesApplications(cohort, first));
    EXPECT_OK(CheckReceivesApplications(cohort, end - kInstant));
    EXPECT_THAT(CheckReceivesApplications(cohort, end),
                HasReason(Reason::kWindowClosed));
    EXPECT_EQ(EndOfDay(cohort, change.day), end);
    EXPECT_EQ(EndOfDay(cohort, change.day) - EndOfDay(cohort, change.day - 1),
              change.length);
    EXPECT_EQ(LocalDay(cohort, first), change.day);
    EXPECT_EQ(LocalDay(cohort, first - kInstant), change.day - 1);
  }
}

TEST(ApplicationWindowTest, IsThatOfTheCohortsOwnZone) {
  Cohort cohort = SampleCohort();
  cohort.time_zone = "Indian/Reunion";
  EXPECT_OK(CheckReceivesApplications(cohort, Paris(2025, 8, 31, 22, 0)));
  EXPECT_THAT(CheckReceivesApplications(cohort, Paris(2026, 3, 15, 21, 0)),
              HasReason(Reason::kWindowClosed));
}

TEST(ApplicationWindowTest, OnlyACohortThatRunsReceivesApplications) {
  for (const CohortState state : AllOf<CohortState>()) {
    SCOPED_TRACE(NameOf(state));
    Cohort cohort = SampleCohort();
    cohort.state = state;
    const absl::Status received =
        CheckReceivesApplications(cohort, Paris(2026, 1, 10));
    if (state == CohortState::kOpen || state == CohortState::kConfirmed ||
        state == CohortState::kUnderWay) {
      EXPECT_OK(received);
    } else {
      EXPECT_THAT(received, HasReason(Reason::kCohortNotOpen));
      EXPECT_EQ(MetadataOf(received).at("state"), NameOf(state));
    }
  }
}

TEST(EntryTest, IsOpenToTheEndOfTheCutoffDay) {
  const Cohort cohort = SampleCohort();
  EXPECT_TRUE(EntryIsOpen(cohort, Paris(2026, 3, 17) - kInstant));
  EXPECT_FALSE(EntryIsOpen(cohort, Paris(2026, 3, 17)));
}

TEST(PriceTest, FollowsThePayer) {
  const Cohort cohort = SampleCohort();
  const struct {
    PayerKind payer;
    std::optional<int64_t> cents;
  } prices[] = {{PayerKind::kIndividual, 172500},
                {PayerKind::kEmployer, 345000},
                {PayerKind::kCpf, 345000},
                {PayerKind::kOpco, 345000},
                {PayerKind::kPublicEmployer, 345000},
                {PayerKind::kFranceTravail, std::nullopt}};
  for (const auto& price : prices) {
    SCOPED_TRACE(NameOf(price.payer));
    const absl::StatusOr<std::optional<int64_t>> cents =
        PriceFor(cohort, price.payer);
    ASSERT_OK(cents);
    EXPECT_EQ(*cents, price.cents);
  }
}

TEST(PriceTest, OfAnOpcoIsItsOwnWhenThereIsOne) {
  Cohort cohort = SampleCohort();
  cohort.prices.push_back({PayerKind::kOpco, 300000});
  EXPECT_EQ(PriceFor(cohort, PayerKind::kOpco).value(), 300000);
  EXPECT_EQ(PriceFor(cohort, PayerKind::kPublicEmployer).value(), 345000);
}

TEST(PriceTest, OfAFranceTravailGrantIsKnownToBeUnknown) {
  const absl::StatusOr<std::optional<int64_t>> price =
      PriceFor(SampleCohort(), PayerKind::kFranceTravail);
  ASSERT_OK(price);
  EXPECT_FALSE(price->has_value());
}

TEST(PriceTest, WithoutALineIsRefused) {
  Cohort cohort = SampleCohort();
  for (const PayerKind payer :
       {PayerKind::kTransitionsPro, PayerKind::kSelfEmployedFund,
        PayerKind::kElectedOfficial}) {
    SCOPED_TRACE(NameOf(payer));
    EXPECT_THAT(PriceFor(cohort, payer), HasReason(Reason::kPriceUnknown));
  }
  cohort.prices.clear();
  EXPECT_THAT(PriceFor(cohort, PayerKind::kOpco),
              HasReason(Reason::kPriceUnknown));
}

TEST(FunderTest, IsFoundByItsId) {
  const Cohort cohort = SampleCohort();
  ASSERT_NE(FindFunder(cohort, "afdas"), nullptr);
  EXPECT_EQ(FindFunder(cohort, "afdas")->payer_kind, PayerKind::kOpco);
  EXPECT_EQ(FindFunder(cohort, "inconnu"), nullptr);
  EXPECT_EQ(FindFunder(cohort, ""), nullptr);
}

TEST(CapacityTest, MayBeLoweredToWhatIsTakenAndNotBelow) {
  const PlaceCounts counts{
      .held = 5, .offered = 2, .confirmed = 10, .at_risk = 1, .waitlisted = 40};
  EXPECT_EQ(counts.taken(), 18);
  EXPECT_OK(CheckCapacity(31, counts, {"A", "B"}));
  EXPECT_OK(CheckCapacity(18, counts, {"A", "B"}));
  const absl::Status refused = CheckCapacity(17, counts, {"A", "B"});
  EXPECT_THAT(refused, HasReason(Reason::kCapacityBelowHeld));
  EXPECT_EQ(MetadataOf(refused).at("capacity"), "17");
  EXPECT_EQ(MetadataOf(refused).at("held"), "18");
  EXPECT_EQ(MetadataOf(refused).at("holders"), "A, B");
}

TEST(DecisionTest, IsTakenByAPersonAndHasAReason) {
  FieldViolations nothing_missing;
  Validate({.decider = "Personne Une", .reason = "Motif"},
           /*reason_required=*/true, nothing_missing);
  EXPECT_OK(nothing_missing.ToStatus());

  FieldViolations all_missing;
  Validate({.decider = " ", .reason = "\t"}, /*reason_required=*/true,
           all_missing);
  EXPECT_THAT(all_missing.ToStatus(), ViolatesField("decider"));
  EXPECT_THAT(all_missing.ToStatus(), ViolatesField("reason"));

  FieldViolations reason_optional;
  Validate({.decider = "Personne Une", .reason = ""},
           /*reason_required=*/false, reason_optional);
  EXPECT_OK(reason_optional.ToStatus());
}

TEST(CohortTest, IsOpenedFromADraftOrAPostponement) {
  for (const CohortState state : AllOf<CohortState>()) {
    SCOPED_TRACE(NameOf(state));
    Cohort cohort = SampleCohort();
    cohort.state = state;
    cohort.go_decision = GoDecision::kPostpone;
    const absl::Status opened = Open(cohort);
    if (state == CohortState::kDraft || state == CohortState::kPostponed) {
      EXPECT_OK(opened);
      EXPECT_EQ(cohort.state, CohortState::kOpen);
      EXPECT_EQ(cohort.go_decision, GoDecision::kUndecided);
    } else {
      EXPECT_THAT(opened, HasReason(Reason::kIllegalTransition));
      EXPECT_EQ(MetadataOf(opened).at("state"), NameOf(state));
      EXPECT_EQ(cohort.state, state);
    }
  }
}

CohortState StateAfter(GoDecision decision) {
  switch (decision) {
    case GoDecision::kUndecided:
      break;
    case GoDecision::kGo:
    case GoDecision::kGoBelowMinimum:
      return CohortState::kConfirmed;
    case GoDecision::kPostpone:
      return CohortState::kPostponed;
    case GoDecision::kCancel:
      return CohortState::kCancelled;
  }
  return CohortState::kOpen;
}

TEST(GoDecisionTest, MovesTheCohortOnlyWhileItIsOpenOrConfirmed) {
  const GoNoGoCounts enough{.binding = 10, .in_withdrawal_period = 2};
  const Decision decided{.decider = "Personne Une", .reason = "Motif"};
  const absl::Time now = Paris(2026, 3, 1, 10);
  for (const CohortState state : AllOf<CohortState>()) {
    for (const GoDecision decision : AllOf<GoDecision>()) {
      SCOPED_TRACE(testing::Message()
                   << NameOf(state) << " " << NameOf(decision));
      Cohort cohort = SampleCohort();
      cohort.state = state;
      const absl::Status status =
          Decide(cohort, decision, decided, enough, now);
      if (state != CohortState::kOpen && state != CohortState::kConfirmed) {
        EXPECT_THAT(status, HasReason(Reason::kIllegalTransition));
        EXPECT_EQ(cohort.state, state);
        EXPECT_EQ(cohort.go_decision, GoDecision::kUndecided);
      } else if (decision == GoDecision::kUndecided) {
        EXPECT_THAT(status, ViolatesField("decision"));
        EXPECT_EQ(cohort.state, state);
      } else {
        EXPECT_OK(status);
        EXPECT_EQ(cohort.state, StateAfter(decision));
        EXPECT_EQ(cohort.go_decision, decision);
        EXPECT_EQ(cohort.go_decision_time, now);
        EXPECT_EQ(cohort.go_decider, "Personne Une");
        EXPECT_EQ(cohort.go_reason, "Motif");
      }
    }
  }
}

TEST(GoDecisionTest, BelowTheMinimumNeedsTheDecisionThatSaysSo) {
  const GoNoGoCounts eleven{
      .binding = 8, .in_withdrawal_period = 3, .at_risk = 5};
  const Decision decided{.decider = "Personne Une", .reason = "Motif"};
  Cohort cohort = SampleCohort();
  const absl::Status go =
      Decide(cohort, GoDecision::kGo, decided, eleven, Paris(2026, 3, 1));
  EXPECT_THAT(go, HasReason(Reason::kBelowMinimum));
  EXPECT_EQ(MetadataOf(go).at("confirmed"), "11");
  EXPECT_EQ(MetadataOf(go).at("minimum"), "12");
  EXPECT_EQ(cohort.state, CohortState::kOpen);
  EXPECT_OK(Decide(cohort, GoDecision::kGoBelowMinimum, decided, eleven,
                   Paris(2026, 3, 1)));
  EXPECT_EQ(cohort.state, CohortState::kConfirmed);
}

TEST(GoDecisionTest, FollowsTheCohortsOwnMinimum) {
  const GoNoGoCounts eleven{.binding = 11};
  const Decision decided{.decider = "Personne Une", .reason = "Motif"};
  Cohort cohort = SampleCohort();
  cohort.minimum = 11;
  EXPECT_OK(
      Decide(cohort, GoDecision::kGo, decided, eleven, Paris(2026, 3, 1)));
}

TEST(ProgrammeValidationTest, RefusesNegativeThresholds) {
  Programme programme = SampleProgramme();
  FieldViolations none;
  Validate(programme, "programme.", none);
  EXPECT_OK(none.ToStatus());

  programme.access_conditions = {.years_after_bac = -1, .experience_years = -2};
  FieldViolations violations;
  Validate(programme, "programme.", violations);
  const absl::Status status = violations.ToStatus();
  EXPECT_THAT(status, HasReason(Reason::kFieldNegative));
  EXPECT_THAT(ViolatedFields(status),
              testing::ElementsAre(
                  "programme.access_conditions.minimum_level_years_after_bac",
                  "programme.access_conditions.minimum_experience_years"));
}

struct BadCohort {
  std::string what;
  std::function<void(Cohort&)> spoil;
  std::string field;
  Reason reason;
};

TEST(CohortValidationTest, NamesTheFieldAndTheReason) {
  const std::vector<BadCohort> cases = {
      {"no minimum", [](Cohort& c) { c.minimum = 0; }, "cohort.minimum",
       Reason::kFieldOutOfRange},
      {"fewer places than the minimum", [](Cohort& c) { c.capacity = 11; },
       "cohort.capacity", Reason::kFieldOutOfRange},
      {"unknown zone", [](Cohort& c) { c.time_zone = "Europe/Nowhere"; },
       "cohort.time_zone", Reason::kFieldMalformed},
      {"closes before it opens",
       [](Cohort& c) {
         c.application_close_date = c.application_open_date - 1;
       },
       "cohort.application_close_date", Reason::kDatesOutOfOrder},
      {"ends before it starts",
       [](Cohort& c) {
         c.end_date = c.start_date - 1;
         c.entry_cutoff_date = c.end_date;
       },
       "cohort.end_date", Reason::kDatesOutOfOrder},
      {"starts before applications open",
       [](Cohort& c) { c.start_date = c.application_open_date - 1; },
       "cohort.start_date", Reason::kDatesOutOfOrder},
      {"entries after the end",
       [](Cohort& c) { c.entry_cutoff_date = c.end_date + 1; },
       "cohort.end_date", Reason::kDatesOutOfOrder},
      {"negative price", [](Cohort& c) { c.prices[1].amount_cents = -1; },
       "cohort.prices[1].amount_cents", Reason::kFieldNegative},
      {"two prices of one payer",
       [](Cohort& c) { c.prices.push_back(c.prices[0]); },
       "cohort.prices[4].payer_kind", Reason::kFieldMalformed},
      {"funder without id", [](Cohort& c) { c.funders[0].id.clear(); },
       "cohort.funders[0].id", Reason::kFieldRequired},
      {"funder named twice", [](Cohort& c) { c.funders[1].id = "opcommerce"; },
       "cohort.funders[1].id", Reason::kFieldMalformed},
      {"negative deadline", [](Cohort& c) { c.commitment_deadline_days = -1; },
       "cohort.commitment_deadline_days", Reason::kFieldNegative},
      {"negative validity", [](Cohort& c) { c.offer_validity_hours = -1; },
       "cohort.offer_validity_hours", Reason::kFieldNegative},
  };
  for (const BadCohort& bad : cases) {
    SCOPED_TRACE(bad.what);
    Cohort cohort = SampleCohort();
    bad.spoil(cohort);
    FieldViolations violations;
    Validate(cohort, "cohort.", violations);
    const absl::Status status = violations.ToStatus();
    EXPECT_THAT(status, HasReason(bad.reason));
    EXPECT_THAT(ViolatedFields(status), testing::ElementsAre(bad.field));
  }
}

TEST(CohortValidationTest, AcceptsTheLimits) {
  Cohort cohort = SampleCohort();
  cohort.capacity = 1;
  cohort.minimum = 1;
  cohort.prices[0].amount_cents = 0;
  cohort.application_close_date = cohort.application_open_date;
  cohort.end_date = cohort.start_date;
  cohort.entry_cutoff_date = cohort.end_date;
  FieldViolations violations;
  Validate(cohort, "cohort.", violations);
  EXPECT_OK(violations.ToStatus());
}

TEST(CohortValidationTest, ListsEverythingThatIsWrong) {
  Cohort cohort = SampleCohort();
  cohort.minimum = 0;
  cohort.time_zone = "nowhere";
  cohort.prices[0].amount_cents = -5;
  FieldViolations violations;
  Validate(cohort, "cohort.", violations);
  EXPECT_THAT(ViolatedFields(violations.ToStatus()),
              testing::ElementsAre("cohort.minimum", "cohort.time_zone",
                                   "cohort.prices[0].amount_cents"));
}

TEST(CohortCalendarTest, MovesOnlyWhatAPersonDecidedOn) {
  for (const CohortState state : AllOf<CohortState>()) {
    SCOPED_TRACE(NameOf(state));
    Cohort cohort = SampleCohort();
    cohort.state = state;
    const std::optional<absl::Time> next = NextStepTime(cohort);
    if (state == CohortState::kConfirmed) {
      EXPECT_EQ(next, Paris(2026, 3, 16));
      StepOn(cohort);
      EXPECT_EQ(cohort.state, CohortState::kUnderWay);
    } else if (state == CohortState::kUnderWay) {
      EXPECT_EQ(next, Paris(2026, 11, 18));
      StepOn(cohort);
      EXPECT_EQ(cohort.state, CohortState::kEnded);
    } else {
      EXPECT_FALSE(next.has_value());
    }
  }
}

TEST(CohortCalendarTest, IsThatOfTheCohortsOwnZone) {
  Cohort cohort = SampleCohort();
  cohort.state = CohortState::kConfirmed;
  cohort.time_zone = "Indian/Reunion";
  EXPECT_EQ(NextStepTime(cohort), Paris(2026, 3, 15, 21));
}

TEST(CapacityTest, NamesAsManyHoldersAsAnErrorCarries) {
  const PlaceCounts counts{.held = 30};
  const std::vector<std::string> holders(
      30, "bodies/essai/cohorts/essai-2026/applications/une");
  const absl::Status refused = CheckCapacity(29, counts, holders);
  const std::string named = MetadataOf(refused).at("holders");
  EXPECT_LT(named.size(), 500U);
  EXPECT_THAT(named, testing::StartsWith(holders[0] + ", "));
  EXPECT_THAT(named, testing::HasSubstr(", … +"));
}

}  // namespace
}  // namespace parcours::enrolment
