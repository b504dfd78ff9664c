#include "services/scheduling/domain/calendar.h"

#include <set>
#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kCohort[] = "bodies/opale/cohorts/culture-ess-2026";

constexpr int64_t At(int64_t hour, int64_t minute) {
  return hour * 60 + minute;
}

PersonName Person(const std::string& id) {
  return PersonName::FromRecord("bodies/opale/persons/" + id);
}

HalfDay Morning(const std::string& id, absl::CivilDay date) {
  HalfDay half_day;
  half_day.name =
      HalfDayName::FromRecord(std::string(kCohort) + "/halfDays/" + id);
  half_day.date = date;
  half_day.local_start = At(9, 30);
  half_day.local_end = At(12, 30);
  FieldViolations violations;
  Resolve(ZoneOf("Europe/Paris"), "", half_day, violations);
  EXPECT_TRUE(violations.empty());
  return half_day;
}

absl::Status Resolved(HalfDay& half_day, std::string_view zone) {
  FieldViolations violations;
  Resolve(ZoneOf(zone), "half_day.", half_day, violations);
  return violations.ToStatus();
}

absl::Status Checked(const HalfDay& half_day) {
  FieldViolations violations;
  Validate(half_day, "half_day.", violations);
  return violations.ToStatus();
}

RosterEntry Learner(const std::string& id, absl::Time since) {
  RosterEntry entry;
  entry.enrolment =
      EnrolmentName::FromRecord(std::string(kCohort) + "/enrolments/" + id);
  entry.name = RosterEntryOf(entry.enrolment);
  entry.person = Person(id);
  entry.display_name = "Learner " + id;
  entry.since = since;
  return entry;
}

Publication FirstPublication() {
  Publication publication;
  publication.calendar.name = CalendarOf(CohortName::FromRecord(kCohort));
  publication.calendar.time_zone = "Europe/Paris";
  publication.half_days = {Morning("a", absl::CivilDay(2026, 5, 4)),
                           Morning("b", absl::CivilDay(2026, 3, 16))};
  return publication;
}

// The local time of every day of the course is an instant of its own offset:
// both clock changes fall between these days.
TEST(ResolveTest, FollowsTheOffsetOfTheDay) {
  struct Case {
    absl::CivilDay date;
    std::string start;
  };
  for (const Case& c : std::vector<Case>{
           {absl::CivilDay(2026, 3, 18), "2026-03-18T08:30:00+00:00"},
           {absl::CivilDay(2026, 3, 28), "2026-03-28T08:30:00+00:00"},
           {absl::CivilDay(2026, 3, 29), "2026-03-29T07:30:00+00:00"},
           {absl::CivilDay(2026, 5, 4), "2026-05-04T07:30:00+00:00"},
           {absl::CivilDay(2026, 10, 24), "2026-10-24T07:30:00+00:00"},
           {absl::CivilDay(2026, 10, 25), "2026-10-25T08:30:00+00:00"},
           {absl::CivilDay(2026, 11, 16), "2026-11-16T08:30:00+00:00"}}) {
    HalfDay half_day = Morning("a", c.date);
    ASSERT_OK(Resolved(half_day, "Europe/Paris"));
    EXPECT_EQ(absl::FormatTime(absl::RFC3339_full, half_day.start,
                               absl::UTCTimeZone()),
              c.start);
    EXPECT_EQ(half_day.scheduled_minutes(), 180);
  }
}

TEST(ResolveTest, RefusesALocalTimeThatClocksSkip) {
  HalfDay half_day = Morning("a", absl::CivilDay(2026, 3, 29));
  half_day.local_start = At(2, 30);
  EXPECT_THAT(Resolved(half_day, "Europe/Paris"),
              ViolatesField("half_day.local_start"));
  EXPECT_OK(Resolved(half_day, "UTC"));
}

TEST(ResolveTest, TakesTheFirstOfALocalTimeThatOccursTwice) {
  HalfDay half_day = Morning("a", absl::CivilDay(2026, 10, 25));
  half_day.local_start = At(2, 30);
  half_day.local_end = At(3, 30);
  ASSERT_OK(Resolved(half_day, "Europe/Paris"));
  EXPECT_EQ(half_day.scheduled_minutes(), 120);
}

TEST(ResolveTest, CountsTheMinutesThatPassWhenClocksChangeInBetween) {
  HalfDay half_day = Morning("a", absl::CivilDay(2026, 3, 29));
  half_day.local_start = At(1, 0);
  half_day.local_end = At(4, 0);
  ASSERT_OK(Resolved(half_day, "Europe/Paris"));
  EXPECT_EQ(half_day.scheduled_minutes(), 120);
}

TEST(ValidateHalfDayTest, AcceptsWhatIsStillToBeDecided) {
  EXPECT_OK(Checked(Morning("a", absl::CivilDay(2026, 3, 16))));
}

TEST(ValidateHalfDayTest, NamesEveryFieldThatIsWrong) {
  HalfDay half_day = Morning("a", absl::CivilDay());
  half_day.local_end = half_day.local_start;
  half_day.module_ids = {"m1", "m1"};
  half_day.trainers = {{Person("t")}, {Person("t")}};
  half_day.venue = VenueName::FromRecord("bodies/opale/venues/cnam");
  half_day.room = RoomName::FromRecord("bodies/opale/venues/other/rooms/r");
  const absl::Status status = Checked(half_day);
  EXPECT_THAT(ViolatedFields(status),
              ElementsAre("half_day.date", "half_day.local_end",
                          "half_day.module_ids[1]",
                          "half_day.trainers[1].person", "half_day.room"));
}

TEST(ValidateHalfDayTest, RefusesATrainerOfAnotherBody) {
  HalfDay half_day = Morning("a", absl::CivilDay(2026, 3, 16));
  half_day.trainers = {{PersonName::FromRecord("bodies/other/persons/t")}};
  EXPECT_THAT(Checked(half_day), HasReason(Reason::kUnknownReference));
}

TEST(ValidateHalfDayTest, RefusesTimesOutsideTheDay) {
  HalfDay half_day = Morning("a", absl::CivilDay(2026, 3, 16));
  half_day.local_start = -1;
  half_day.local_end = At(24, 0);
  const absl::Status status = Checked(half_day);
  EXPECT_THAT(status, ViolatesField("half_day.local_start"));
  EXPECT_THAT(status, ViolatesField("half_day.local_end"));
}

TEST(MissingInTest, ListsWhatIsToBeDecided) {
  HalfDay tbd = Morning("a", absl::CivilDay(2026, 3, 16));
  HalfDay thematic = Morning("b", absl::CivilDay(2026, 3, 17));
  thematic.day_kind = DayKind::kThematic;
  thematic.venue = VenueName::FromRecord("bodies/opale/venues/cnam");
  thematic.trainers = {{Person("t")}};
  HalfDay visit = thematic;
  visit.day_kind = DayKind::kVisit;
  EXPECT_THAT(MissingIn({tbd}, {}),
              ElementsAre(MissingItem{tbd.name, MissingWhat::kDayKind},
                          MissingItem{tbd.name, MissingWhat::kVenue},
                          MissingItem{tbd.name, MissingWhat::kTrainers}));
  EXPECT_THAT(MissingIn({thematic}, {thematic.venue}),
              ElementsAre(MissingItem{thematic.name, MissingWhat::kRoom},
                          MissingItem{thematic.name, MissingWhat::kModules}));
  EXPECT_THAT(MissingIn({visit}, {}), IsEmpty());
}

TEST(CompareTest, FindsNothingInEqualCalendars) {
  const std::vector<HalfDay> half_days = {
      Morning("a", absl::CivilDay(2026, 3, 16))};
  EXPECT_THAT(Compare(half_days, half_days), IsEmpty());
}

TEST(CompareTest, TellsWhatDiffers) {
  const HalfDay before = Morning("a", absl::CivilDay(2026, 3, 16));
  HalfDay after = Morning("a", absl::CivilDay(2026, 3, 17));
  after.venue = VenueName::FromRecord("bodies/opale/venues/cnam");
  after.trainers = {{Person("t")}};
  after.module_ids = {"m1"};
  after.day_kind = DayKind::kThematic;
  std::vector<CalendarChangeKind> kinds;
  for (const CalendarChange& change : Compare({before}, {after})) {
    kinds.push_back(change.kind);
    EXPECT_EQ(change.before->date, before.date);
    EXPECT_EQ(change.after->date, after.date);
  }
  EXPECT_THAT(
      kinds,
      ElementsAre(CalendarChangeKind::kMoved, CalendarChangeKind::kVenue,
                  CalendarChangeKind::kTrainers, CalendarChangeKind::kModules,
                  CalendarChangeKind::kDayKind));
}

TEST(CompareTest, TellsAdditionsFromRemovals) {
  const HalfDay a = Morning("a", absl::CivilDay(2026, 3, 16));
  const HalfDay b = Morning("b", absl::CivilDay(2026, 3, 17));
  const std::vector<CalendarChange> changes = Compare({a}, {b});
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_EQ(changes[0].kind, CalendarChangeKind::kRemoved);
  EXPECT_FALSE(changes[0].after.has_value());
  EXPECT_EQ(changes[1].kind, CalendarChangeKind::kAdded);
  EXPECT_FALSE(changes[1].before.has_value());
}

TEST(PublishTest, NumbersFromOneAndOrdersByStart) {
  const absl::StatusOr<CalendarVersion> version =
      Publish(FirstPublication(), absl::UnixEpoch());
  ASSERT_OK(version);
  EXPECT_EQ(version->number, 1);
  EXPECT_EQ(version->name.text(), std::string(kCohort) + "/calendarVersions/1");
  EXPECT_EQ(version->half_days[0].name.id(), "b");
  EXPECT_THAT(version->missing_items, SizeIs(6));
  EXPECT_THAT(version->amendments_needed, IsEmpty());
}

TEST(PublishTest, RefusesAnEmptyPlan) {
  Publication publication = FirstPublication();
  publication.half_days.clear();
  EXPECT_THAT(Publish(publication, absl::UnixEpoch()),
              HasReason(Reason::kIllegalTransition));
}

TEST(PublishTest, ALaterVersionNeedsAReason) {
  Publication publication = FirstPublication();
  publication.previous = CalendarVersion();
  EXPECT_THAT(Publish(publication, absl::UnixEpoch()),
              HasReason(Reason::kReasonRequired));
  publication.reason = "The room is closed that day";
  EXPECT_OK(Publish(publication, absl::UnixEpoch()));
}

TEST(PublishTest, TellsLearnersAndTheTrainersOfBothVersions) {
  Publication publication = FirstPublication();
  const absl::Time now =
      absl::FromCivil(absl::CivilDay(2026, 3, 1), ZoneOf("Europe/Paris"));
  publication.roster = {Learner("here", now), Learner("left", now)};
  publication.roster[1].state = EnrolmentState::kDroppedOut;
  publication.roster[1].until = now;
  publication.previous = CalendarVersion();
  publication.previous->half_days = publication.half_days;
  publication.previous->half_days[0].trainers = {
      {Person("before"), TrainerKind::kResearcher, "Trainer Before"}};
  publication.half_days[0].trainers = {
      {Person("after"), TrainerKind::kPractitioner, "Trainer After"}};
  publication.reason = "Another trainer";
  const absl::StatusOr<CalendarVersion> version = Publish(publication, now);
  ASSERT_OK(version);
  std::vector<std::string> told;
  for (const Recipient& recipient : version->recipients) {
    told.emplace_back(recipient.person.id());
  }
  EXPECT_THAT(told, ElementsAre("here", "after", "before"));
  EXPECT_THAT(version->amendments_needed, IsEmpty())
      << "another trainer is not another date";
}

TEST(PublishTest, AChangedDateNeedsAnAmendmentOfWhoIsConcerned) {
  Publication publication = FirstPublication();
  const absl::Time now =
      absl::FromCivil(absl::CivilDay(2026, 3, 1), ZoneOf("Europe/Paris"));
  publication.previous = CalendarVersion();
  publication.previous->half_days = publication.half_days;
  publication.half_days[0] = Morning("a", absl::CivilDay(2026, 5, 11));
  publication.reason = "The room is closed that day";
  publication.roster = {Learner("here", now), Learner("gone", now)};
  publication.roster[1].state = EnrolmentState::kWithdrawn;
  publication.roster[1].until = now - absl::Hours(1);
  const absl::StatusOr<CalendarVersion> version = Publish(publication, now);
  ASSERT_OK(version);
  ASSERT_THAT(version->amendments_needed, SizeIs(1));
  EXPECT_EQ(version->amendments_needed[0].person, Person("here"));
  EXPECT_THAT(version->amendments_needed[0].half_days,
              ElementsAre(publication.half_days[0].name));
}

TEST(SumTest, CountsDaysHalfDaysAndMinutes) {
  HalfDay afternoon = Morning("b", absl::CivilDay(2026, 3, 16));
  afternoon.local_start = At(14, 0);
  afternoon.local_end = At(17, 0);
  ASSERT_OK(Resolved(afternoon, "Europe/Paris"));
  const CalendarTotals totals =
      Sum({Morning("a", absl::CivilDay(2026, 3, 16)), afternoon});
  EXPECT_EQ(totals.days, 1);
  EXPECT_EQ(totals.half_days, 2);
  EXPECT_EQ(totals.minutes, 360);
}

TEST(RosterTest, SomebodyWhoLeavesTakesPartToTheEndOfTheLastDay) {
  EnrolmentFacts facts;
  facts.name = Learner("a", absl::UnixEpoch()).enrolment;
  facts.state = EnrolmentState::kDroppedOut;
  facts.end_date = absl::CivilDay(2026, 5, 4);
  RosterEntry entry;
  EXPECT_TRUE(Copy(facts, ZoneOf("Europe/Paris"), absl::UnixEpoch(), entry));
  EXPECT_TRUE(
      TakesPartAt(entry, Morning("a", absl::CivilDay(2026, 5, 4)).start));
  EXPECT_FALSE(
      TakesPartAt(entry, Morning("a", absl::CivilDay(2026, 5, 5)).start));
  EXPECT_FALSE(Copy(facts, ZoneOf("Europe/Paris"), absl::UnixEpoch(), entry))
      << "the same facts change nothing";
}

TEST(RosterTest, WithoutAnEndDateTheFirstNewsOfItIsTheEnd) {
  EnrolmentFacts facts;
  facts.name = Learner("a", absl::UnixEpoch()).enrolment;
  facts.state = EnrolmentState::kNoShow;
  const absl::Time told =
      absl::FromCivil(absl::CivilDay(2026, 3, 16), ZoneOf("Europe/Paris"));
  RosterEntry entry;
  Copy(facts, ZoneOf("Europe/Paris"), told, entry);
  EXPECT_FALSE(
      Copy(facts, ZoneOf("Europe/Paris"), told + absl::Hours(1), entry));
  EXPECT_EQ(entry.until, told);
}

}  // namespace
}  // namespace parcours::scheduling
