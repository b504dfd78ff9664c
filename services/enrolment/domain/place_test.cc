#include "services/enrolment/domain/place.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "services/enrolment/testing/samples.h"

namespace parcours::enrolment {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

absl::Time Now() { return Paris(2026, 2, 2, 10); }

// What a decision looks at; lives as long as the situations made from it.
struct Moment {
  Cohort cohort = SampleCohort();
  PlaceCounts counts;
  absl::Time now = Now();
  rules::RuleBook rules = FrenchRules();

  PlaceSituation Situation() const {
    return {.cohort = cohort,
            .counts = counts,
            .now = now,
            .cause = "Essai",
            .rules = rules};
  }
};

Application With(PlaceState place,
                 ReviewState review = ReviewState::kAdmitted) {
  return SampleApplication("une", 7, place, review);
}

Application Offered(absl::Time expires) {
  Application application = With(PlaceState::kOffered);
  application.place_expire_time = expires;
  return application;
}

// Everything of an application that a decision on its place may change.
void ExpectUntouched(const Application& application,
                     const Application& before) {
  EXPECT_EQ(application.place_state, before.place_state);
  EXPECT_EQ(application.place_expire_time, before.place_expire_time);
  EXPECT_EQ(application.rank, before.rank);
  EXPECT_EQ(application.payer.kind, before.payer.kind);
}

TEST(RankEventTest, GivesARankOnceAndOnlyToALiveApplication) {
  for (const RankEvent event : AllOf<RankEvent>()) {
    for (const ReviewState review : AllOf<ReviewState>()) {
      for (const bool committed : {false, true}) {
        SCOPED_TRACE(testing::Message() << NameOf(event) << " "
                                        << NameOf(review) << " " << committed);
        const bool live = review != ReviewState::kRefused &&
                          review != ReviewState::kWithdrawn;
        const bool come_about = event == RankEvent::kPreRegistration ||
                                (event == RankEvent::kCompleteFile &&
                                 review != ReviewState::kAwaitingPieces) ||
                                (event == RankEvent::kCommitment && committed);
        EXPECT_EQ(
            EarnsRank(SampleApplication("une", 0, PlaceState::kNone, review),
                      event, committed),
            live && come_about);
        EXPECT_FALSE(
            EarnsRank(SampleApplication("une", 3, PlaceState::kHeld, review),
                      event, committed));
      }
    }
  }
}

TEST(RankTest, HoldsAPlaceWithinTheCapacity) {
  Moment moment;
  moment.counts = {.held = 20, .offered = 1, .confirmed = 7, .at_risk = 1};
  Application application = SampleApplication();
  const absl::StatusOr<PlaceEvent> event =
      GiveRank(application, moment.Situation(), 41);
  ASSERT_OK(event);
  EXPECT_EQ(application.rank, 42);
  EXPECT_EQ(application.rank_time, Now());
  EXPECT_EQ(application.place_state, PlaceState::kHeld);
  EXPECT_EQ(event->place_state, PlaceState::kHeld);
  EXPECT_EQ(event->taken_count, 29);
  EXPECT_EQ(event->capacity, 30);
  EXPECT_EQ(event->cause, "Essai");
  EXPECT_EQ(event->event_time, Now());
  EXPECT_EQ(event->application, application.name);
  EXPECT_THAT(event->text_fr,
              HasSubstr("rang 42. Places déjà prises : 29 sur 30"));
  EXPECT_THAT(event->text_en,
              HasSubstr("rank 42. Places taken before: 29 of 30"));
}

TEST(RankTest, BeyondTheCapacityWaits) {
  Moment moment;
  moment.counts = {.held = 20, .offered = 1, .confirmed = 8, .at_risk = 1};
  Application application = SampleApplication();
  const absl::StatusOr<PlaceEvent> event =
      GiveRank(application, moment.Situation(), 30);
  ASSERT_OK(event);
  EXPECT_EQ(application.rank, 31);
  EXPECT_EQ(application.place_state, PlaceState::kWaitlisted);
  EXPECT_FALSE(application.place_expire_time.has_value());
  EXPECT_THAT(event->text_fr, HasSubstr("liste d’attente"));
  EXPECT_THAT(event->text_en, HasSubstr("waiting list"));
}

TEST(RankTest, OvertakesNobodyWhoWaits) {
  Moment moment;
  moment.counts = {.held = 10, .waitlisted = 1};
  Application application = SampleApplication();
  ASSERT_OK(GiveRank(application, moment.Situation(), 11));
  EXPECT_EQ(application.place_state, PlaceState::kWaitlisted);
}

TEST(RankTest, FollowsTheCohortsOwnCapacity) {
  Moment moment;
  moment.cohort.capacity = 2;
  moment.counts = {.held = 2};
  Application application = SampleApplication();
  ASSERT_OK(GiveRank(application, moment.Situation(), 2));
  EXPECT_EQ(application.place_state, PlaceState::kWaitlisted);
}

TEST(RankTest, LeavesAHeldPlaceWithoutDeadlineUntilTheAdmission) {
  Moment moment;
  Application application = SampleApplication();
  ASSERT_OK(GiveRank(application, moment.Situation(), 0));
  EXPECT_FALSE(application.place_expire_time.has_value());

  Application admitted = SampleApplication();
  admitted.review_state = ReviewState::kAdmitted;
  ASSERT_OK(GiveRank(admitted, moment.Situation(), 1));
  EXPECT_EQ(admitted.place_expire_time, Paris(2026, 3, 5));
}

TEST(CommitmentDeadlineTest, StartsForHeldPlacesOfTheAdmittedOnly) {
  const Moment moment;
  for (const PlaceState place : AllOf<PlaceState>()) {
    for (const ReviewState review : AllOf<ReviewState>()) {
      SCOPED_TRACE(testing::Message()
                   << NameOf(place) << " " << NameOf(review));
      Application application = With(place, review);
      EXPECT_OK(StartCommitmentDeadline(application, moment.Situation()));
      EXPECT_EQ(application.place_expire_time.has_value(),
                place == PlaceState::kHeld && review == ReviewState::kAdmitted);
      EXPECT_EQ(application.place_state, place);
    }
  }
}

TEST(CommitmentDeadlineTest, IsTheEndOfTheThirtiethDayInParis) {
  const struct {
    absl::Time admitted;
    absl::Time deadline;
  } cases[] = {
      {Paris(2026, 2, 2, 10), Paris(2026, 3, 5)},
      {Paris(2026, 2, 2, 23, 59), Paris(2026, 3, 5)},
      // Over both clock changes.
      {Paris(2026, 3, 10, 10), Paris(2026, 4, 10)},
      {Paris(2026, 10, 1, 10), Paris(2026, 11, 1)},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(absl::FormatTime(c.admitted));
    Moment moment;
    moment.now = c.admitted;
    Application application = With(PlaceState::kHeld);
    ASSERT_OK(StartCommitmentDeadline(application, moment.Situation()));
    EXPECT_EQ(application.place_expire_time, c.deadline);
  }
}

TEST(CommitmentDeadlineTest, FollowsTheRuleBookAndTheCohort) {
  Moment moment;
  moment.rules = FrenchRulesWhere("place.commitment_deadline", 10);
  Application by_rule = With(PlaceState::kHeld);
  ASSERT_OK(StartCommitmentDeadline(by_rule, moment.Situation()));
  EXPECT_EQ(by_rule.place_expire_time, Paris(2026, 2, 13));

  moment.cohort.commitment_deadline_days = 3;
  Application by_cohort = With(PlaceState::kHeld);
  ASSERT_OK(StartCommitmentDeadline(by_cohort, moment.Situation()));
  EXPECT_EQ(by_cohort.place_expire_time, Paris(2026, 2, 6));
}

TEST(MayOfferTest, WhileTheCohortRunsAPlaceIsFreeAndEntryIsOpen) {
  for (const CohortState state : AllOf<CohortState>()) {
    SCOPED_TRACE(NameOf(state));
    Moment moment;
    moment.cohort.state = state;
    const bool runs = state == CohortState::kOpen ||
                      state == CohortState::kConfirmed ||
                      state == CohortState::kUnderWay;
    EXPECT_EQ(MayOffer(moment.Situation()), runs);
    moment.counts.held = 30;
    EXPECT_FALSE(MayOffer(moment.Situation()));
  }
}

TEST(MayOfferTest, StopsAtTheEndOfTheCutoffDay) {
  Moment moment;
  moment.now = Paris(2026, 3, 17) - absl::Microseconds(1);
  EXPECT_TRUE(MayOffer(moment.Situation()));
  moment.now = Paris(2026, 3, 17);
  EXPECT_FALSE(MayOffer(moment.Situation()));
  // A drop-out in May calls nobody.
  moment.now = Paris(2026, 5, 4, 9);
  EXPECT_FALSE(MayOffer(moment.Situation()));
}

TEST(NextInLineTest, IsTheLowestRankAmongTheAdmittedWhoWait) {
  std::vector<Application> list = {
      SampleApplication("trois", 3, PlaceState::kWaitlisted,
                        ReviewState::kAdmitted),
      SampleApplication("une", 1, PlaceState::kWaitlisted,
                        ReviewState::kReceived),
      SampleApplication("deux", 2, PlaceState::kWaitlisted,
                        ReviewState::kAdmitted),
      SampleApplication("zero", 0, PlaceState::kHeld, ReviewState::kAdmitted),
  };
  const Application* next = NextInLine(list, ApplicationName());
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->name.id(), "deux");

  next = NextInLine(list, list[2].name);
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->name.id(), "trois");
}

TEST(NextInLineTest, IsNobodyWithoutAnAdmittedOneWhoWaits) {
  EXPECT_EQ(NextInLine({}, ApplicationName()), nullptr);
  for (const PlaceState place : AllOf<PlaceState>()) {
    for (const ReviewState review : AllOf<ReviewState>()) {
      SCOPED_TRACE(testing::Message()
                   << NameOf(place) << " " << NameOf(review));
      const std::vector<Application> list = {With(place, review)};
      EXPECT_EQ(
          NextInLine(list, ApplicationName()) != nullptr,
          place == PlaceState::kWaitlisted && review == ReviewState::kAdmitted);
    }
  }
}

struct LeadTime {
  PayerKind kind;
  std::string funder;
  // The last day on which the payer still decides by the first day, 16 March
  // 2026; absent: always.
  std::optional<absl::CivilDay> last_day;
};

TEST(PayerTest, DecidesInTimeAsItsFunderDoes) {
  const std::vector<LeadTime> cases = {
      {PayerKind::kIndividual, "", std::nullopt},
      {PayerKind::kEmployer, "", std::nullopt},
      {PayerKind::kTransitionsPro, "sans-delai", std::nullopt},
      // Eleven working days: 2 to 6, 9 to 13 and 16 March.
      {PayerKind::kCpf, "cpf", absl::CivilDay(2026, 3, 1)},
      {PayerKind::kOpco, "opcommerce", absl::CivilDay(2026, 3, 2)},
      {PayerKind::kOpco, "afdas", absl::CivilDay(2026, 3, 15)},
      // An OPCO that is not known yet may be the strictest one.
      {PayerKind::kOpco, "", absl::CivilDay(2026, 3, 2)},
      {PayerKind::kFranceTravail, "", absl::CivilDay(2026, 3, 1)},
  };
  for (const LeadTime& c : cases) {
    SCOPED_TRACE(testing::Message() << NameOf(c.kind) << " " << c.funder);
    Payer payer;
    payer.kind = c.kind;
    payer.funder_id = c.funder;
    Moment moment;
    moment.now = Paris(2026, 3, 16, 9);
    if (!c.last_day.has_value()) {
      EXPECT_TRUE(PayerCanDecideInTime(payer, moment.Situation()).value());
      continue;
    }
    const absl::Time end = EndOfDay(moment.cohort, *c.last_day);
    moment.now = end - absl::Microseconds(1);
    EXPECT_TRUE(PayerCanDecideInTime(payer, moment.Situation()).value());
    moment.now = end;
    EXPECT_FALSE(PayerCanDecideInTime(payer, moment.Situation()).value());
  }
}

TEST(PayerTest, LeadTimeFollowsTheRuleBook) {
  Payer payer;
  payer.kind = PayerKind::kCpf;
  payer.funder_id = "cpf";
  Moment moment;
  moment.now = Paris(2026, 3, 6, 9);
  EXPECT_FALSE(PayerCanDecideInTime(payer, moment.Situation()).value());
  moment.rules = FrenchRulesWhere("funding.cpf.lead_time", 6);
  EXPECT_TRUE(PayerCanDecideInTime(payer, moment.Situation()).value());
}

TEST(PayerTest, OfARuleThatNoBookHasIsAnError) {
  Moment moment;
  moment.cohort.funders[2].lead_time_rule = "funding.inconnu";
  Payer payer;
  payer.kind = PayerKind::kCpf;
  EXPECT_THAT(PayerCanDecideInTime(payer, moment.Situation()),
              StatusIs(absl::StatusCode::kInternal));
}

TEST(OfferTest, StaysOpenForItsValidity) {
  Moment moment;
  Application application = With(PlaceState::kWaitlisted);
  const absl::StatusOr<PlaceEvent> event =
      Offer(application, moment.Situation());
  ASSERT_OK(event);
  EXPECT_EQ(application.place_state, PlaceState::kOffered);
  EXPECT_EQ(application.place_expire_time, Now() + absl::Hours(72));
  EXPECT_EQ(event->place_state, PlaceState::kOffered);
  EXPECT_THAT(event->text_fr, HasSubstr("au rang 7, jusqu’au 5 février 2026 à "
                                        "10 h 00."));
  EXPECT_THAT(event->text_en, HasSubstr("at rank 7, until 05 February 2026, "
                                        "10:00."));
  EXPECT_EQ(event->rule,
            "paramètre de l'organisme (fr/place.offer_validity@2020-01-01)");
}

TEST(OfferTest, NeverOutlivesTheEntryCutoff) {
  Moment moment;
  moment.now = Paris(2026, 3, 15, 12);
  Application application = With(PlaceState::kWaitlisted);
  ASSERT_OK(Offer(application, moment.Situation()));
  EXPECT_EQ(application.place_expire_time, Paris(2026, 3, 17));
}

TEST(OfferTest, FollowsTheRuleBookAndTheCohort) {
  Moment moment;
  moment.rules =
      FrenchRulesWhere("place.offer_validity", 24, "Article d'essai");
  Application by_rule = With(PlaceState::kWaitlisted);
  const absl::StatusOr<PlaceEvent> cited = Offer(by_rule, moment.Situation());
  ASSERT_OK(cited);
  EXPECT_EQ(by_rule.place_expire_time, Now() + absl::Hours(24));
  EXPECT_THAT(cited->rule, HasSubstr("Article d'essai"));

  moment.cohort.offer_validity_hours = 5;
  Application by_cohort = With(PlaceState::kWaitlisted);
  const absl::StatusOr<PlaceEvent> own = Offer(by_cohort, moment.Situation());
  ASSERT_OK(own);
  EXPECT_EQ(by_cohort.place_expire_time, Now() + absl::Hours(5));
  EXPECT_EQ(own->rule, "");
}

TEST(OfferTest, LastsItsHoursOverAClockChange) {
  Moment moment;
  moment.cohort.entry_cutoff_date = absl::CivilDay(2026, 4, 30);
  moment.now = Paris(2026, 3, 28, 10);
  Application application = With(PlaceState::kWaitlisted);
  ASSERT_OK(Offer(application, moment.Situation()));
  EXPECT_EQ(application.place_expire_time, Paris(2026, 3, 31, 11));
}

TEST(OfferTest, SaysWhenThePayerIsTooLate) {
  Moment moment;
  moment.now = Paris(2026, 3, 10, 9);
  Application application = With(PlaceState::kWaitlisted);
  application.payer.kind = PayerKind::kCpf;
  application.payer.funder_id = "cpf";
  const absl::StatusOr<PlaceEvent> event =
      Offer(application, moment.Situation());
  ASSERT_OK(event);
  EXPECT_THAT(event->text_fr, HasSubstr("passez sans perdre votre rang"));
  EXPECT_THAT(event->text_en, HasSubstr("pass without losing your rank"));
}

TEST(AcceptanceTest, HoldsThePlaceAndStartsTheCommitment) {
  Moment moment;
  Application application = Offered(Now() + absl::Hours(1));
  const absl::StatusOr<PlaceEvent> event =
      AcceptOffer(application, moment.Situation(), /*at_own_cost=*/false);
  ASSERT_OK(event);
  EXPECT_EQ(application.place_state, PlaceState::kHeld);
  EXPECT_EQ(application.place_expire_time, Paris(2026, 3, 5));
  EXPECT_EQ(event->place_state, PlaceState::kHeld);
  EXPECT_EQ(event->text_en, "Place accepted.");
}

TEST(AcceptanceTest, IsTheLearnersOwnChoiceWhenThePayerIsTooLate) {
  Moment moment;
  moment.now = Paris(2026, 3, 10, 9);
  Application application = Offered(moment.now + absl::Hours(1));
  application.payer.kind = PayerKind::kCpf;
  application.payer.funder_id = "cpf";
  const Application before = application;
  EXPECT_THAT(
      AcceptOffer(application, moment.Situation(), /*at_own_cost=*/false),
      HasReason(Reason::kOwnChoiceNeeded));
  ExpectUntouched(application, before);

  const absl::StatusOr<PlaceEvent> own =
      AcceptOffer(application, moment.Situation(), /*at_own_cost=*/true);
  ASSERT_OK(own);
  EXPECT_EQ(application.place_state, PlaceState::kHeld);
  EXPECT_EQ(application.payer.kind, PayerKind::kIndividual);
  EXPECT_TRUE(application.payer.funder_id.empty());
  EXPECT_EQ(own->text_en, "Place accepted, at your own cost.");
}

TEST(PassingTest, KeepsTheRank) {
  Moment moment;
  Application application = Offered(Now() + absl::Hours(1));
  const absl::StatusOr<PlaceEvent> event =
      DeclineOffer(application, moment.Situation(), /*keep_rank=*/true);
  ASSERT_OK(event);
  EXPECT_EQ(application.place_state, PlaceState::kWaitlisted);
  EXPECT_EQ(application.rank, 7);
  EXPECT_FALSE(application.place_expire_time.has_value());
  EXPECT_THAT(event->text_en, HasSubstr("keep rank 7"));
}

TEST(PassingTest, ForGoodReleasesThePlace) {
  Moment moment;
  Application application = Offered(Now() + absl::Hours(1));
  ASSERT_OK(DeclineOffer(application, moment.Situation(),
                         /*keep_rank=*/false));
  EXPECT_EQ(application.place_state, PlaceState::kReleased);
  EXPECT_FALSE(application.place_expire_time.has_value());
}

// Every action on a place, in every state.
struct PlaceAction {
  std::string name;
  std::function<absl::StatusOr<PlaceEvent>(Application&, const PlaceSituation&)>
      act;
  std::vector<PlaceState> legal_from;
  PlaceState to;
};

std::vector<PlaceAction> PlaceActions() {
  using P = PlaceState;
  return {
      {"AcceptOffer",
       [](Application& a, const PlaceSituation& s) {
         return AcceptOffer(a, s, false);
       },
       {P::kOffered},
       P::kHeld},
      {"DeclineOffer keeping the rank",
       [](Application& a, const PlaceSituation& s) {
         return DeclineOffer(a, s, true);
       },
       {P::kOffered},
       P::kWaitlisted},
      {"DeclineOffer",
       [](Application& a, const PlaceSituation& s) {
         return DeclineOffer(a, s, false);
       },
       {P::kOffered},
       P::kReleased},
      {"Confirm",
       [](Application& a, const PlaceSituation& s) {
         return Confirm(a, s, true);
       },
       {P::kHeld, P::kAtRisk},
       P::kConfirmed},
      {"PutAtRisk",
       [](Application& a, const PlaceSituation& s) {
         return PutAtRisk(a, s, "refus de l’OPCO");
       },
       {P::kHeld, P::kConfirmed},
       P::kAtRisk},
  };
}

TEST(PlaceTest, EveryActionInEveryState) {
  const Moment moment;
  for (const PlaceAction& action : PlaceActions()) {
    for (const PlaceState from : AllOf<PlaceState>()) {
      SCOPED_TRACE(testing::Message() << action.name << " " << NameOf(from));
      Application application = With(from);
      if (from == PlaceState::kOffered) {
        application.place_expire_time = Now() + absl::Hours(1);
      }
      const Application before = application;
      const absl::StatusOr<PlaceEvent> event =
          action.act(application, moment.Situation());
      const bool legal =
          std::find(action.legal_from.begin(), action.legal_from.end(), from) !=
          action.legal_from.end();
      if (legal) {
        ASSERT_OK(event);
        EXPECT_EQ(NameOf(application.place_state), NameOf(action.to));
        EXPECT_EQ(event->place_state, action.to);
        EXPECT_EQ(application.rank, 7);
        EXPECT_FALSE(event->text_fr.empty());
        EXPECT_FALSE(event->text_en.empty());
      } else {
        EXPECT_THAT(event, HasReason(Reason::kNoPlace));
        EXPECT_EQ(MetadataOf(event.status()).at("state"), NameOf(from));
        ExpectUntouched(application, before);
      }
    }
  }
}

TEST(PlaceTest, AnOfferEndsAtItsInstant) {
  Moment moment;
  moment.now = Paris(2026, 2, 5, 10);
  for (const PlaceAction& action : PlaceActions()) {
    if (action.legal_from != std::vector{PlaceState::kOffered}) continue;
    SCOPED_TRACE(action.name);
    Application late = Offered(moment.now);
    const absl::StatusOr<PlaceEvent> refused =
        action.act(late, moment.Situation());
    EXPECT_THAT(refused, HasReason(Reason::kOfferExpired));
    EXPECT_EQ(MetadataOf(refused.status()).at("expired"), "2026-02-05 10:00");
    EXPECT_EQ(late.place_state, PlaceState::kOffered);

    Application in_time = Offered(moment.now + absl::Microseconds(1));
    EXPECT_OK(action.act(in_time, moment.Situation()));
  }
}

TEST(ConfirmationTest, NeedsTheAdmissionAndTheCommitment) {
  const Moment moment;
  for (const ReviewState review : AllOf<ReviewState>()) {
    for (const bool committed : {false, true}) {
      SCOPED_TRACE(testing::Message() << NameOf(review) << " " << committed);
      const bool admitted = review == ReviewState::kAdmitted;
      Application application = With(PlaceState::kHeld, review);
      const absl::StatusOr<PlaceEvent> event =
          Confirm(application, moment.Situation(), committed);
      if (admitted && committed) {
        EXPECT_OK(event);
        continue;
      }
      EXPECT_THAT(event, HasReason(Reason::kNotCommitted));
      EXPECT_EQ(application.place_state, PlaceState::kHeld);
      const std::string missing = MetadataOf(event.status()).at("missing");
      EXPECT_EQ(missing.find("admission") != std::string::npos, !admitted);
      EXPECT_EQ(missing.find("commitment") != std::string::npos, !committed);
    }
  }
}

TEST(ConfirmationTest, EndsEveryDeadline) {
  const Moment moment;
  Application application = With(PlaceState::kHeld);
  application.place_expire_time = Now() + absl::Hours(1);
  ASSERT_OK(Confirm(application, moment.Situation(), /*committed=*/true));
  EXPECT_FALSE(application.place_expire_time.has_value());
}

TEST(AtRiskTest, KeepsThePlaceForTheTimeOfTheRule) {
  Moment moment;
  Application application = With(PlaceState::kConfirmed);
  const absl::StatusOr<PlaceEvent> event =
      PutAtRisk(application, moment.Situation(), "refus de l’OPCO");
  ASSERT_OK(event);
  EXPECT_EQ(application.place_expire_time, Now() + absl::Hours(48));
  EXPECT_THAT(event->text_fr, HasSubstr("refus de l’OPCO"));
  EXPECT_THAT(event->text_fr, HasSubstr("4 février 2026 à 10 h 00"));
  EXPECT_THAT(event->rule, HasSubstr("fr/place.at_risk@2020-01-01"));

  moment.rules = FrenchRulesWhere("place.at_risk", 12, "Article d'essai");
  Application shorter = With(PlaceState::kHeld);
  const absl::StatusOr<PlaceEvent> cited =
      PutAtRisk(shorter, moment.Situation(), "refus de l’OPCO");
  ASSERT_OK(cited);
  EXPECT_EQ(shorter.place_expire_time, Now() + absl::Hours(12));
  EXPECT_THAT(cited->rule, HasSubstr("Article d'essai"));
}

TEST(AtRiskTest, TheReasonIsTakenOutOfTheStory) {
  const Moment moment;
  for (const std::string reason :
       {"refus de l’OPCO", "(refus) : la place est gardée jusqu’au (reste)",
        ""}) {
    Application application = With(PlaceState::kConfirmed);
    absl::StatusOr<PlaceEvent> event =
        PutAtRisk(application, moment.Situation(), reason);
    ASSERT_OK(event);
    EraseReason(*event);
    const std::string erased_fr = event->text_fr;
    EXPECT_THAT(erased_fr, StartsWith("Le financement fait défaut : la "
                                      "place est gardée jusqu’au 4 février"));
    EXPECT_THAT(event->text_en, StartsWith("The funding fails: the place is "
                                           "kept until "));
    EraseReason(*event);
    EXPECT_EQ(event->text_fr, erased_fr);
  }
}

TEST(ReleaseTest, KeepsTheRankInTheStory) {
  const Moment moment;
  for (const PlaceState from : AllOf<PlaceState>()) {
    SCOPED_TRACE(NameOf(from));
    Application application = With(from);
    application.place_expire_time = Now();
    const PlaceEvent event =
        Release(application, moment.Situation(), "Pourquoi.", "Why.");
    EXPECT_EQ(application.place_state, PlaceState::kReleased);
    EXPECT_FALSE(application.place_expire_time.has_value());
    EXPECT_EQ(application.rank, 7);
    EXPECT_EQ(event.place_state, PlaceState::kReleased);
    EXPECT_EQ(event.text_fr, "Pourquoi.");
    EXPECT_EQ(event.text_en, "Why.");
  }
}

TEST(StoryTest, NamesNobody) {
  Moment moment;
  Application application = SampleApplication();
  application.review_state = ReviewState::kAdmitted;
  std::vector<PlaceEvent> story;
  story.push_back(GiveRank(application, moment.Situation(), 30).value());
  application.place_state = PlaceState::kWaitlisted;
  story.push_back(Offer(application, moment.Situation()).value());
  story.push_back(AcceptOffer(application, moment.Situation(), false).value());
  story.push_back(Confirm(application, moment.Situation(), true).value());
  for (const PlaceEvent& event : story) {
    EXPECT_THAT(event.text_fr + event.text_en,
                Not(HasSubstr(application.given_name)));
    EXPECT_THAT(event.text_fr + event.text_en,
                Not(HasSubstr(application.email)));
  }
}

}  // namespace
}  // namespace parcours::enrolment
