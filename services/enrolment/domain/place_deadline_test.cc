#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "services/enrolment/domain/place.h"
#include "services/enrolment/testing/samples.h"

// Time and places: what falls due, what stops a deadline and starts it again.

namespace parcours::enrolment {
namespace {

using ::testing::HasSubstr;

absl::Time Now() { return Paris(2026, 2, 2, 10); }

struct Moment {
  Cohort cohort = SampleCohort();
  rules::RuleBook rules = FrenchRules();

  PlaceSituation Situation() const {
    return {.cohort = cohort,
            .counts = {},
            .now = Now(),
            .cause = "Essai",
            .rules = rules};
  }
};

Application With(PlaceState place,
                 ReviewState review = ReviewState::kAdmitted) {
  return SampleApplication("une", 7, place, review);
}

TEST(DueTest, IsWhatTimeHasReached) {
  Application application = With(PlaceState::kHeld);
  EXPECT_FALSE(IsDue(application, Now()));
  application.place_expire_time = Now();
  EXPECT_FALSE(IsDue(application, Now() - absl::Microseconds(1)));
  EXPECT_TRUE(IsDue(application, Now()));
  application.place_expire_time.reset();
  application.pieces_due_time = Now();
  EXPECT_FALSE(IsDue(application, Now() - absl::Microseconds(1)));
  EXPECT_TRUE(IsDue(application, Now()));
}

TEST(LapseTest, TellsWhatWasNotDoneInTime) {
  const Moment moment;
  const struct {
    PlaceState from;
    std::string_view told_fr;
    std::string_view told_en;
  } cases[] = {
      {PlaceState::kOffered, "sans réponse", "not answered"},
      {PlaceState::kAtRisk, "financement", "No funding in time"},
      {PlaceState::kHeld, "engagement écrit", "written commitment"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(NameOf(c.from));
    Application application = With(c.from);
    application.place_expire_time = Now();
    ASSERT_TRUE(IsDue(application, Now()));
    const PlaceEvent event = Lapse(application, moment.Situation());
    EXPECT_EQ(application.place_state, PlaceState::kReleased);
    EXPECT_EQ(event.place_state, PlaceState::kReleased);
    EXPECT_EQ(application.rank, 7);
    EXPECT_THAT(event.text_fr, HasSubstr(std::string(c.told_fr)));
    EXPECT_THAT(event.text_en, HasSubstr(std::string(c.told_en)));
    EXPECT_FALSE(IsDue(application, Now() + absl::Hours(10000)));
  }
}

TEST(LapseTest, OfAPieceThatNeverCameLosesTheRank) {
  const Moment moment;
  Application application =
      With(PlaceState::kHeld, ReviewState::kAwaitingPieces);
  application.rank_time = Now() - absl::Hours(200);
  application.pieces_due_time = Now();
  const PlaceEvent event = Lapse(application, moment.Situation());
  EXPECT_EQ(application.rank, 0);
  EXPECT_FALSE(application.rank_time.has_value());
  EXPECT_EQ(application.place_state, PlaceState::kNone);
  EXPECT_EQ(event.place_state, PlaceState::kNone);
  EXPECT_THAT(event.text_en, HasSubstr("the rank is lost"));
  EXPECT_EQ(application.review_state, ReviewState::kAwaitingPieces);
  EXPECT_FALSE(IsDue(application, Now() + absl::Hours(10000)));
  // The piece comes late: a new rank, after everybody else.
  application.review_state = ReviewState::kReceived;
  EXPECT_TRUE(EarnsRank(application, RankEvent::kCompleteFile, false));
}

TEST(SuspensionTest, StopsEveryDeadlineAndKeepsEveryRank) {
  Moment moment;
  moment.cohort.state = CohortState::kPostponed;
  for (const PlaceState place : AllOf<PlaceState>()) {
    for (const bool waits : {false, true}) {
      SCOPED_TRACE(::testing::Message() << NameOf(place) << " " << waits);
      Application application = With(place);
      if (waits) application.place_expire_time = Now() + absl::Hours(1);
      const std::optional<PlaceEvent> event =
          Suspend(application, moment.Situation());
      EXPECT_FALSE(application.place_expire_time.has_value());
      EXPECT_EQ(application.rank, 7);
      EXPECT_EQ(application.place_state, place == PlaceState::kOffered
                                             ? PlaceState::kWaitlisted
                                             : place);
      EXPECT_EQ(event.has_value(), waits || place == PlaceState::kOffered);
      if (event.has_value()) {
        EXPECT_EQ(event->place_state, application.place_state);
        EXPECT_THAT(event->text_fr, HasSubstr("reportée"));
      }
    }
  }
}

TEST(SuspensionTest, StopsTheTimeForAPieceToo) {
  Moment moment;
  Application application =
      With(PlaceState::kHeld, ReviewState::kAwaitingPieces);
  application.pieces_due_time = Now() + absl::Hours(1);
  EXPECT_TRUE(Suspend(application, moment.Situation()).has_value());
  EXPECT_FALSE(application.pieces_due_time.has_value());
  EXPECT_EQ(application.rank, 7);
}

TEST(ResumptionTest, StartsTheDeadlineOfWhoeverWaitsForAPayer) {
  const Moment moment;
  for (const PlaceState place : AllOf<PlaceState>()) {
    SCOPED_TRACE(NameOf(place));
    Application application = With(place);
    ASSERT_OK(ResumeDeadline(application, moment.Situation()));
    std::optional<absl::Time> expected;
    if (place == PlaceState::kHeld) expected = Paris(2026, 3, 5);
    if (place == PlaceState::kAtRisk) expected = Paris(2026, 2, 4, 10);
    EXPECT_EQ(application.place_expire_time, expected);
    EXPECT_EQ(application.place_state, place);
  }
}

TEST(ResumptionTest, NeitherMovesADeadlineNorRunsWhileTheCohortDoesNot) {
  Moment moment;
  Application running = With(PlaceState::kHeld);
  running.place_expire_time = Now() + absl::Hours(1);
  ASSERT_OK(ResumeDeadline(running, moment.Situation()));
  EXPECT_EQ(running.place_expire_time, Now() + absl::Hours(1));
  moment.cohort.state = CohortState::kPostponed;
  for (const PlaceState place : {PlaceState::kHeld, PlaceState::kAtRisk}) {
    Application application = With(place);
    ASSERT_OK(ResumeDeadline(application, moment.Situation()));
    EXPECT_FALSE(application.place_expire_time.has_value());
  }
}

TEST(ResumptionTest, FollowsTheRuleBook) {
  Moment moment;
  moment.rules = FrenchRulesWhere("place.at_risk", 5);
  Application application = With(PlaceState::kAtRisk);
  ASSERT_OK(ResumeDeadline(application, moment.Situation()));
  EXPECT_EQ(application.place_expire_time, Now() + absl::Hours(5));
}

TEST(NewPayerTest, HoldsAConfirmedPlaceForItsOwnTime) {
  const Moment moment;
  Application application = With(PlaceState::kConfirmed);
  const absl::StatusOr<PlaceEvent> event =
      AwaitNewPayer(application, moment.Situation());
  ASSERT_OK(event);
  EXPECT_EQ(application.place_state, PlaceState::kHeld);
  EXPECT_EQ(application.place_expire_time, Paris(2026, 3, 5));
  EXPECT_EQ(event->place_state, PlaceState::kHeld);
  EXPECT_THAT(event->text_fr, HasSubstr("Changement de payeur"));
  EXPECT_THAT(event->text_en, HasSubstr("Change of payer"));
}

TEST(ReleaseTest, LeavesNothingForTimeToDecide) {
  const Moment moment;
  Application application = With(PlaceState::kHeld);
  application.place_expire_time = Now();
  application.pieces_due_time = Now();
  Release(application, moment.Situation(), "Motif", "Reason");
  EXPECT_FALSE(IsDue(application, absl::InfiniteFuture()));
}

}  // namespace
}  // namespace parcours::enrolment
