#include "services/scheduling/store/sql_scheduling_store.h"

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/privacy/erasure_log.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/scheduling/domain/attendance_use_cases.h"
#include "services/scheduling/domain/calendar_use_cases.h"
#include "services/scheduling/domain/completion_use_cases.h"
#include "services/scheduling/domain/roster_use_cases.h"
#include "services/scheduling/domain/venue_use_cases.h"
#include "services/scheduling/store/migrations.h"
#include "services/scheduling/testing/fake_enrolment.h"

namespace parcours::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kBody[] = "bodies/opale";

PersonName Person(const std::string& id) {
  return PersonName::FromRecord(Cat(kBody, "/persons/", id));
}
VenueName VenueOf(const std::string& id) {
  return VenueName::FromRecord(Cat(kBody, "/venues/", id));
}
CohortName Cohort(const std::string& id) {
  return CohortName::FromRecord(Cat(kBody, "/cohorts/", id));
}
HalfDayName HalfDayOf(const std::string& cohort, const std::string& id) {
  return ChildName<HalfDayName>(Cohort(cohort), "halfDays", id);
}
EnrolmentName EnrolmentOf(const std::string& id) {
  return ChildName<EnrolmentName>(Cohort("c"), "enrolments", id);
}

// What a half-day of 16 March 2026 is planned with.
struct Plan {
  std::string venue;
  std::string room;
  std::vector<std::string> trainers;
  std::vector<std::string> modules;
  int day = 16;
  bool afternoon = false;
};

class SchedulingStoreTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  SchedulingStoreTest()
      : database_(test_database_.Open(Migrations())), store_(*database_) {
    database_->AddCommitListener([&](absl::Span<const storage::Change> made) {
      absl::MutexLock lock(&changes_mutex_);
      changes_.insert(changes_.end(), made.begin(), made.end());
    });
    for (const char* id : {"c", "d"}) {
      CohortFacts facts;
      facts.name = Cohort(id);
      facts.display_name = Cat("Promotion ", id);
      facts.time_zone = "Europe/Paris";
      facts.programme =
          ProgrammeName::FromRecord(Cat(kBody, "/programmes/culture"));
      facts.module_ids = {"m1", "m2"};
      facts.programme_minutes = 360;
      enrolment_.Put(facts);
    }
    for (const char* id : {"t1", "t2"}) {
      enrolment_.PutPerson(Person(id), Cat("Trainer ", id));
    }
    AddVenue("cnam", VenueKind::kTeaching);
    AddVenue("tiers-lieu", VenueKind::kVisit);
  }

  access::Caller CallerAt(absl::Time now, const std::string& request_id = "") {
    access::Caller caller{.principal = {.subject = "tester"},
                          .scope = access::Scope::Installation(),
                          .method = "parcours.scheduling.v1.Test/Step",
                          .request_id = request_id,
                          .request_digest = request_id};
    caller.deadline = absl::Now() + absl::Seconds(60);
    caller.now = now;
    return caller;
  }
  access::Caller Caller() { return CallerAt(now_); }

  void AddVenue(const std::string& id, VenueKind kind) {
    Venue venue;
    venue.name = VenueOf(id);
    venue.display_name = id;
    venue.kind = kind;
    ASSERT_OK(CreateVenue(store_, Caller(), venue));
  }

  absl::StatusOr<RoomName> AddRoom(const std::string& venue,
                                   const std::string& id) {
    Room room;
    room.name = ChildName<RoomName>(VenueOf(venue), "rooms", id);
    room.display_name = id;
    absl::StatusOr<Room> created = CreateRoom(store_, Caller(), room);
    if (!created.ok()) return created.status();
    return created->name;
  }

  Update<HalfDay> Planned(const HalfDayName& name, const Plan& plan) {
    return {.name = name,
            .apply =
                [plan](HalfDay& half_day) {
                  half_day.date = absl::CivilDay(2026, 3, plan.day);
                  half_day.half =
                      plan.afternoon ? Half::kAfternoon : Half::kMorning;
                  half_day.local_start = plan.afternoon ? 14 * 60 : 9 * 60 + 30;
                  half_day.local_end = half_day.local_start + 180;
                  half_day.day_kind = DayKind::kThematic;
                  half_day.module_ids = plan.modules;
                  half_day.venue =
                      plan.venue.empty() ? VenueName() : VenueOf(plan.venue);
                  half_day.room = plan.room.empty()
                                      ? RoomName()
                                      : ChildName<RoomName>(VenueOf(plan.venue),
                                                            "rooms", plan.room);
                  half_day.trainers.clear();
                  for (const std::string& trainer : plan.trainers) {
                    half_day.trainers.push_back({.person = Person(trainer)});
                  }
                  return absl::OkStatus();
                },
            .allow_missing = true};
  }

  absl::StatusOr<HalfDay> Put(const std::string& cohort, const std::string& id,
                              const Plan& plan) {
    return UpdateHalfDay(store_, enrolment_, Caller(),
                         Planned(HalfDayOf(cohort, id), plan));
  }

  absl::StatusOr<CalendarVersion> PublishCohort(const std::string& reason) {
    return PublishCalendar(store_, Caller(), CalendarOf(Cohort("c")), reason,
                           "");
  }

  void Enrol(const std::string& id,
             EnrolmentState state = EnrolmentState::kStarted,
             std::optional<absl::CivilDay> end = std::nullopt) {
    EnrolmentFacts facts;
    facts.name = EnrolmentOf(id);
    facts.person = Person(id);
    facts.display_name = Cat("Candidate ", id);
    facts.payer_kind = "INDIVIDUAL";
    facts.state = state;
    facts.enrol_time = now_ - absl::Hours(24);
    facts.end_date = end;
    enrolment_.Put(facts);
  }

  void Synchronise() {
    ASSERT_OK(
        ApplyEnrolmentChanges(store_, enrolment_, erasure_log_, Caller()));
  }

  absl::StatusOr<AttendanceEntry> SignAt(
      const HalfDay& half_day, const std::string& id,
      SignerRole role = SignerRole::kLearner) {
    return SignAttendance(store_, rules_, CallerAt(half_day.start),
                          half_day.name, {.signer = Person(id), .role = role});
  }

  // What was recorded in the change feed since the last time.
  std::vector<storage::Change> TakeChanges() {
    absl::MutexLock lock(&changes_mutex_);
    return std::exchange(changes_, {});
  }

  absl::Mutex changes_mutex_;
  std::vector<storage::Change> changes_ ABSL_GUARDED_BY(changes_mutex_);
  testing::TestDatabase test_database_{GetParam()};
  std::unique_ptr<storage::Database> database_;
  SqlSchedulingStore store_;
  FakeEnrolment enrolment_;
  testing::TempDir folder_;
  privacy::FileErasureLog erasure_log_{folder_.File("erasures")};
  const rules::RuleBook rules_ = *rules::RuleBook::Load("rules/fr.txtpb");
  absl::Time now_ =
      absl::FromCivil(absl::CivilDay(2026, 3, 1), absl::UTCTimeZone());
};

INSTANTIATE_TEST_SUITE_P(Engines, SchedulingStoreTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

TEST_P(SchedulingStoreTest, EverythingThatIsStoredComesBack) {
  Venue venue;
  venue.name = VenueOf("opale");
  venue.display_name = "Opale";
  venue.address_lines = {"1 rue d’Essai", "75000 Paris"};
  venue.kind = VenueKind::kVisit;
  venue.capacity = 40;
  venue.access_text = "Second étage";
  ASSERT_OK(CreateVenue(store_, Caller(), venue));
  const absl::StatusOr<Venue> read =
      GetResource<Venue>(store_, Caller(), &SchedulingUnit::venues, venue.name);
  ASSERT_OK(read);
  EXPECT_EQ(read->address_lines, venue.address_lines);
  EXPECT_EQ(read->capacity, 40);
  EXPECT_EQ(read->kind, VenueKind::kVisit);
  EXPECT_THAT(CreateVenue(store_, Caller(), venue),
              HasReason(Reason::kAlreadyExists));
}

TEST_P(SchedulingStoreTest, AHalfDayIsPlannedWithWhatEnrolmentKnows) {
  const absl::StatusOr<HalfDay> planned =
      Put("c", "a", {.venue = "cnam", .trainers = {"t1"}, .modules = {"m1"}});
  ASSERT_OK(planned);
  EXPECT_EQ(planned->trainers[0].display_name, "Trainer t1");
  const absl::StatusOr<HalfDay> read = GetResource<HalfDay>(
      store_, Caller(), &SchedulingUnit::half_days, planned->name);
  ASSERT_OK(read);
  EXPECT_EQ(*read, *planned);
}

TEST_P(SchedulingStoreTest, ToBeDecidedIsLegal) {
  ASSERT_OK(Put("c", "a", {}));
  const absl::StatusOr<CalendarView> view =
      GetCalendar(store_, Caller(), CalendarOf(Cohort("c")));
  ASSERT_OK(view);
  EXPECT_THAT(view->missing_items, SizeIs(3));
  EXPECT_TRUE(view->has_unpublished_changes);
  EXPECT_EQ(view->totals.minutes, 180);
  EXPECT_EQ(view->calendar.programme_minutes, 360);
}

TEST_P(SchedulingStoreTest, WhatDoesNotExistIsNamedAllAtOnce) {
  const absl::StatusOr<HalfDay> refused = Put(
      "c", "a",
      {.venue = "nowhere", .trainers = {"t1", "nobody"}, .modules = {"m9"}});
  EXPECT_THAT(refused, HasReason(Reason::kUnknownReference));
  EXPECT_THAT(ViolatedFields(refused.status()),
              ElementsAre("half_day.module_ids[0]",
                          "half_day.trainers[1].person", "half_day.venue"));
  EXPECT_THAT(Put("unknown", "a", {}), HasReason(Reason::kUnknownReference));
  EXPECT_THAT(GetResource<HalfDay>(store_, Caller(), &SchedulingUnit::half_days,
                                   HalfDayOf("c", "a")),
              HasReason(Reason::kNotFound));
}

TEST_P(SchedulingStoreTest, TheOwnerIsOnlyNeededForWhatIsNotKnownYet) {
  ASSERT_OK(Put("c", "a", {.trainers = {"t1"}}));
  enrolment_.SetDown(true);
  EXPECT_OK(Put("c", "b", {.trainers = {"t1"}, .day = 17}));
  EXPECT_THAT(Put("c", "e", {.trainers = {"t2"}, .day = 18}),
              HasReason(Reason::kOwnerUnavailable));
}

TEST_P(SchedulingStoreTest, NothingIsBookedTwice) {
  ASSERT_OK(Put("c", "a", {.venue = "cnam", .trainers = {"t1"}}));
  struct Case {
    std::string cohort;
    Plan plan;
    std::string resource;
  };
  for (const Case& c :
       std::vector<Case>{{"d", {.venue = "cnam"}, "bodies/opale/venues/cnam"},
                         {"d", {.trainers = {"t1"}}, "bodies/opale/persons/t1"},
                         {"c", {}, "bodies/opale/cohorts/c"}}) {
    const absl::StatusOr<HalfDay> refused = Put(c.cohort, "b", c.plan);
    EXPECT_THAT(refused, HasReason(Reason::kAlreadyBooked)) << c.resource;
    EXPECT_EQ(MetadataOf(refused.status())["resource"], c.resource);
    EXPECT_EQ(MetadataOf(refused.status())["booked_by"],
              "bodies/opale/cohorts/c/halfDays/a");
  }
  EXPECT_OK(Put("d", "b", {.venue = "cnam", .afternoon = true}));
  EXPECT_OK(Put("d", "e", {.trainers = {"t2"}}));
}

TEST_P(SchedulingStoreTest, BookingsAreHalfOpen) {
  ASSERT_OK(Put("c", "a", {.venue = "cnam"}));
  Update<HalfDay> touching = Planned(HalfDayOf("d", "b"), {.venue = "cnam"});
  touching.apply = [apply = touching.apply](HalfDay& half_day) {
    absl::Status status = apply(half_day);
    half_day.local_start += 180;
    half_day.local_end += 180;
    return status;
  };
  EXPECT_OK(UpdateHalfDay(store_, enrolment_, Caller(), touching));
}

TEST_P(SchedulingStoreTest, AVisitedVenueIsNotExclusive) {
  ASSERT_OK(Put("c", "a", {.venue = "tiers-lieu"}));
  EXPECT_OK(Put("d", "a", {.venue = "tiers-lieu"}));
}

TEST_P(SchedulingStoreTest, RoomsOfAVenueAreBookedOneByOne) {
  ASSERT_OK(AddRoom("cnam", "r1"));
  ASSERT_OK(AddRoom("cnam", "r2"));
  ASSERT_OK(Put("c", "a", {.venue = "cnam", .room = "r1"}));
  EXPECT_OK(Put("d", "a", {.venue = "cnam", .room = "r2"}));
  EXPECT_THAT(Put("d", "a", {.venue = "cnam", .room = "r1"}),
              HasReason(Reason::kAlreadyBooked));
  EXPECT_OK(Put("d", "a", {.venue = "cnam"})) << "the room is to be decided";
  EXPECT_THAT(
      DeleteRoom(store_, Caller(),
                 ChildName<RoomName>(VenueOf("cnam"), "rooms", "r1"), ""),
      HasReason(Reason::kAlreadyBooked));
  EXPECT_OK(DeleteRoom(store_, Caller(),
                       ChildName<RoomName>(VenueOf("cnam"), "rooms", "r2"),
                       ""));
}

TEST_P(SchedulingStoreTest, AVenueBookedWholeKeepsItsRoomsFree) {
  ASSERT_OK(Put("c", "a", {.venue = "cnam"}));
  ASSERT_OK(AddRoom("cnam", "r1"));
  EXPECT_THAT(Put("d", "a", {.venue = "cnam", .room = "r1"}),
              HasReason(Reason::kAlreadyBooked));
  EXPECT_THAT(AddRoom("tiers-lieu", "r1"),
              HasReason(Reason::kNotApplicableToKind));
}

TEST_P(SchedulingStoreTest, MovingAwayFreesWhatWasBooked) {
  ASSERT_OK(Put("c", "a", {.venue = "cnam", .trainers = {"t1"}}));
  ASSERT_OK(Put("c", "a", {.venue = "cnam", .trainers = {"t1"}, .day = 17}));
  EXPECT_OK(Put("d", "a", {.venue = "cnam", .trainers = {"t1"}}));
  ASSERT_OK(DeleteHalfDay(store_, Caller(), HalfDayOf("d", "a"), ""));
  EXPECT_OK(Put("c", "b", {.venue = "cnam", .trainers = {"t1"}}));
}

TEST_P(SchedulingStoreTest, OneOfManyGetsTheRoomAtTheSameTime) {
  constexpr int kThreads = 8;
  // Cohorts and trainers of their own, so that only the venue is contested.
  for (int i = 0; i < kThreads; ++i) {
    CohortFacts facts;
    facts.name = Cohort(Cat("x", i));
    facts.time_zone = "Europe/Paris";
    enrolment_.Put(facts);
  }
  std::atomic<int> booked = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const absl::StatusOr<HalfDay> planned =
          Put(Cat("x", i), "a", {.venue = "cnam"});
      if (planned.ok()) {
        ++booked;
      } else if (ReasonOf(planned.status()) == Reason::kAlreadyBooked) {
        ++refused;
      } else {
        ADD_FAILURE() << planned.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(booked, 1);
  EXPECT_EQ(refused, kThreads - 1);
}

TEST_P(SchedulingStoreTest, CrossedTrainersAreBookedWithoutDeadlock) {
  constexpr int kThreads = 8;
  std::atomic<int> booked = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::vector<std::string> trainers =
          i % 2 == 0 ? std::vector<std::string>{"t1", "t2"}
                     : std::vector<std::string>{"t2", "t1"};
      const absl::StatusOr<HalfDay> planned =
          Put(i % 2 == 0 ? "c" : "d", Cat("h", i), {.trainers = trainers});
      if (planned.ok()) {
        ++booked;
      } else {
        EXPECT_THAT(planned, HasReason(Reason::kAlreadyBooked));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(booked, 1);
}

TEST_P(SchedulingStoreTest, AStaleEtagIsRefusedAndTheSameTwiceChangesNothing) {
  const absl::StatusOr<HalfDay> first = Put("c", "a", {.venue = "cnam"});
  ASSERT_OK(first);
  const absl::StatusOr<HalfDay> again = Put("c", "a", {.venue = "cnam"});
  ASSERT_OK(again);
  EXPECT_EQ(again->version, first->version);
  Update<HalfDay> update = Planned(HalfDayOf("c", "a"), {});
  update.etag = EtagOf(first->version + 1);
  EXPECT_THAT(UpdateHalfDay(store_, enrolment_, Caller(), update),
              HasReason(Reason::kEtagMismatch));
}

TEST_P(SchedulingStoreTest, ACallIsMadeOnceForEachRequestId) {
  Venue venue;
  venue.name = VenueOf("once");
  venue.display_name = "Once";
  const access::Caller caller =
      CallerAt(now_, "7d1b4d3c-6a60-4a51-8f06-000000000001");
  ASSERT_OK(CreateVenue(store_, caller, venue));
  const absl::StatusOr<Venue> replayed = CreateVenue(store_, caller, venue);
  ASSERT_OK(replayed);
  EXPECT_EQ(replayed->version, 1);
}

TEST_P(SchedulingStoreTest, PublishedCalendarsChangeByVersions) {
  Enrol("une");
  Synchronise();
  ASSERT_OK(Put("c", "a", {.trainers = {"t1"}}));
  const absl::StatusOr<CalendarVersion> first = PublishCohort("");
  ASSERT_OK(first);
  EXPECT_EQ(first->number, 1);
  EXPECT_THAT(first->recipients, SizeIs(2));
  EXPECT_THAT(first->missing_items, SizeIs(2));
  const absl::StatusOr<CalendarVersion> same = PublishCohort("");
  ASSERT_OK(same);
  EXPECT_EQ(same->number, 1) << "nothing differs";

  ASSERT_OK(Put("c", "a", {.trainers = {"t1"}, .day = 17}));
  EXPECT_THAT(PublishCohort(""), HasReason(Reason::kReasonRequired));
  const absl::StatusOr<CalendarVersion> second = PublishCohort("Room closed");
  ASSERT_OK(second);
  EXPECT_EQ(second->number, 2);
  ASSERT_THAT(second->amendments_needed, SizeIs(1));
  EXPECT_EQ(second->amendments_needed[0].enrolment, EnrolmentOf("une"));

  const absl::StatusOr<VersionView> read =
      GetCalendarVersion(store_, Caller(), second->name);
  ASSERT_OK(read);
  ASSERT_THAT(read->changes, SizeIs(1));
  EXPECT_EQ(read->changes[0].kind, CalendarChangeKind::kMoved);
  const absl::StatusOr<VersionView> kept =
      GetCalendarVersion(store_, Caller(), first->name);
  ASSERT_OK(kept);
  EXPECT_EQ(kept->version.half_days[0].date, absl::CivilDay(2026, 3, 16));
  const absl::StatusOr<Page<CalendarVersion>> listed = ListCalendarVersions(
      store_, Caller(), Cohort("c"), {.size = 1, .after_key = "1"});
  ASSERT_OK(listed);
  ASSERT_THAT(listed->items, SizeIs(1));
  EXPECT_EQ(listed->items[0].number, 2);
  EXPECT_EQ(listed->next_key, "");
  EXPECT_THAT(
      CompareCalendarVersions(store_, Caller(), CalendarOf(Cohort("c")), 2, 0)
          .value(),
      IsEmpty());
}

TEST_P(SchedulingStoreTest, UnderAttendanceAHalfDayDoesNotMoveOrGo) {
  Enrol("une");
  Synchronise();
  const absl::StatusOr<HalfDay> half_day = Put("c", "a", {.trainers = {"t1"}});
  ASSERT_OK(half_day);
  EXPECT_THAT(SignAt(*half_day, "une"),
              HasReason(Reason::kCalendarNotPublished));
  ASSERT_OK(PublishCohort(""));
  // Planned elsewhere but not published, then signed where it was published.
  ASSERT_OK(Put("c", "a", {.trainers = {"t1"}, .day = 17}));
  ASSERT_OK(SignAt(*half_day, "une"));
  EXPECT_THAT(PublishCohort("Moved"),
              HasReason(Reason::kCalendarHasAttendance));
  EXPECT_THAT(Put("c", "a", {.trainers = {"t1"}, .day = 18}),
              HasReason(Reason::kCalendarHasAttendance));
  EXPECT_THAT(DeleteHalfDay(store_, Caller(), half_day->name, ""),
              HasReason(Reason::kCalendarHasAttendance));
}

TEST_P(SchedulingStoreTest, TheRosterFollowsTheFeed) {
  Enrol("une");
  Enrol("deux");
  Synchronise();
  ASSERT_OK(Put("c", "a", {.trainers = {"t1"}}));
  Enrol("une", EnrolmentState::kDroppedOut, absl::CivilDay(2026, 3, 16));
  enrolment_.PutPerson(Person("deux"), "Candidate Renamed");
  enrolment_.PutPerson(Person("t1"), "Trainer Renamed");
  Synchronise();
  const absl::StatusOr<Page<RosterEntry>> roster = ListResources<RosterEntry>(
      store_, Caller(), &SchedulingUnit::roster, Cohort("c").text(), {});
  ASSERT_OK(roster);
  ASSERT_THAT(roster->items, SizeIs(2));
  EXPECT_EQ(roster->items[0].display_name, "Candidate Renamed");
  EXPECT_EQ(roster->items[1].state, EnrolmentState::kDroppedOut);
  EXPECT_EQ(roster->items[1].until, absl::FromCivil(absl::CivilDay(2026, 3, 17),
                                                    ZoneOf("Europe/Paris")));
  const absl::StatusOr<AppliedChanges> nothing =
      ApplyEnrolmentChanges(store_, enrolment_, erasure_log_, Caller());
  ASSERT_OK(nothing);
  EXPECT_EQ(nothing->count, 0);
}

TEST_P(SchedulingStoreTest, ATrimmedFeedIsMadeUpFor) {
  Synchronise();
  ASSERT_OK(Put("c", "a", {}));
  Enrol("une");
  enrolment_.TrimFeed();
  Synchronise();
  const absl::StatusOr<Page<RosterEntry>> roster = ListResources<RosterEntry>(
      store_, Caller(), &SchedulingUnit::roster, Cohort("c").text(), {});
  ASSERT_OK(roster);
  EXPECT_THAT(roster->items, SizeIs(1));
}

TEST_P(SchedulingStoreTest, TheOwnerDownLeavesTheCopyAsItIs) {
  Enrol("une");
  Synchronise();
  enrolment_.SetDown(true);
  EXPECT_THAT(ApplyEnrolmentChanges(store_, enrolment_, erasure_log_, Caller()),
              HasReason(Reason::kOwnerUnavailable));
  enrolment_.SetDown(false);
  EXPECT_OK(ApplyEnrolmentChanges(store_, enrolment_, erasure_log_, Caller()));
}

TEST_P(SchedulingStoreTest, ManyReadersOfTheFeedApplyItOnce) {
  for (int i = 0; i < 20; ++i) Enrol(Cat("p", i));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { Synchronise(); });
  }
  for (std::thread& thread : threads) thread.join();
  const absl::StatusOr<Page<RosterEntry>> roster = ListResources<RosterEntry>(
      store_, Caller(), &SchedulingUnit::roster, Cohort("c").text(), {});
  ASSERT_OK(roster);
  ASSERT_THAT(roster->items, SizeIs(20));
  for (const RosterEntry& entry : roster->items) EXPECT_EQ(entry.version, 1);
}

TEST_P(SchedulingStoreTest, AStaleRosterRefusesNobodyAndIsSettled) {
  Synchronise();
  const absl::StatusOr<HalfDay> half_day = Put("c", "a", {.trainers = {"t1"}});
  ASSERT_OK(half_day);
  ASSERT_OK(PublishCohort(""));
  Enrol("une");
  const absl::StatusOr<AttendanceEntry> entry = SignAt(*half_day, "une");
  ASSERT_OK(entry);
  EXPECT_TRUE(entry->to_reconcile);
  const SheetName sheet = SheetOf(half_day->name);
  EXPECT_THAT(GetSheet(store_, Caller(), sheet)->entries_to_reconcile,
              ElementsAre(entry->name));
  Synchronise();
  const absl::StatusOr<SheetView> settled = GetSheet(store_, Caller(), sheet);
  ASSERT_OK(settled);
  EXPECT_THAT(settled->entries_to_reconcile, IsEmpty());
  EXPECT_EQ(settled->sheet.entry_count, 2);
  EXPECT_TRUE(
      VerifySheet(store_, Caller(), sheet, std::nullopt)->problems.empty());
}

TEST_P(SchedulingStoreTest, AllSignAtTheSameTimeIntoOneChain) {
  constexpr int kLearners = 12;
  for (int i = 0; i < kLearners; ++i) Enrol(Cat("p", i));
  Synchronise();
  const absl::StatusOr<HalfDay> half_day = Put("c", "a", {.trainers = {"t1"}});
  ASSERT_OK(half_day);
  ASSERT_OK(PublishCohort(""));
  std::vector<std::thread> threads;
  for (int i = 0; i < kLearners; ++i) {
    threads.emplace_back([&, i] { EXPECT_OK(SignAt(*half_day, Cat("p", i))); });
  }
  for (std::thread& thread : threads) thread.join();
  const absl::StatusOr<Page<AttendanceEntry>> entries =
      ListEntries(store_, Caller(), half_day->name, {.size = kLearners});
  ASSERT_OK(entries);
  ASSERT_THAT(entries->items, SizeIs(kLearners));
  for (std::size_t i = 0; i < entries->items.size(); ++i) {
    EXPECT_EQ(entries->items[i].sequence, static_cast<int64_t>(i) + 1);
  }
  EXPECT_TRUE(
      VerifySheet(store_, Caller(), SheetOf(half_day->name), std::nullopt)
          ->problems.empty());
}

TEST_P(SchedulingStoreTest, AttendanceLeadsToACompletionRecord) {
  Enrol("une");
  Enrol("deux");
  Synchronise();
  enrolment_.SetAction({.title = "Innovations sociales",
                        .body_display_name = "Opale",
                        .organisation_display_name = "Employeur d’essai"});
  const absl::StatusOr<HalfDay> morning = Put("c", "a", {.trainers = {"t1"}});
  ASSERT_OK(morning);
  ASSERT_OK(PublishCohort(""));
  ASSERT_OK(SignAt(*morning, "une"));
  const absl::StatusOr<AttendanceEntry> trainer =
      SignAt(*morning, "t1", SignerRole::kTrainer);
  ASSERT_OK(trainer);
  EXPECT_THAT(SignAt(*morning, "une"), HasReason(Reason::kAlreadySigned));

  const SheetName sheet = SheetOf(morning->name);
  const access::Caller after = CallerAt(morning->end);
  EXPECT_THAT(CloseSheet(store_, rules_, after, sheet, {}),
              HasReason(Reason::kSheetIncomplete));
  EXPECT_THAT(
      CreateCompletionRecord(store_, enrolment_, after, EnrolmentOf("une")),
      HasReason(Reason::kSheetOpen));
  const absl::StatusOr<SheetView> closed =
      CloseSheet(store_, rules_, after, sheet, {.mark_missing_absent = true});
  ASSERT_OK(closed);
  EXPECT_EQ(closed->sheet.state, SheetState::kClosed);
  EXPECT_THAT(SignAt(*morning, "deux"), HasReason(Reason::kSheetClosed));

  const absl::StatusOr<Page<Receipt>> receipts =
      ListReceipts(store_, after, sheet, {.size = 2});
  ASSERT_OK(receipts);
  ASSERT_THAT(receipts->items, SizeIs(2));
  EXPECT_THAT(ListReceipts(store_, after, sheet,
                           {.size = 2, .after_key = receipts->next_key})
                  ->items,
              SizeIs(1));
  EXPECT_TRUE(
      VerifySheet(store_, after, sheet, receipts->items[0])->problems.empty());

  const absl::StatusOr<AttendanceSummary> absent =
      GetSummary(store_, after, EnrolmentOf("deux"));
  ASSERT_OK(absent);
  EXPECT_EQ(absent->due_minutes, 180);
  EXPECT_EQ(absent->attended_minutes, 0);
  EXPECT_EQ(absent->absent_minutes, 180);
  EXPECT_THAT(ListSummaries(store_, after, Cohort("c"), {.size = 1})->items,
              SizeIs(1));

  enrolment_.SetDown(true);
  EXPECT_THAT(
      CreateCompletionRecord(store_, enrolment_, after, EnrolmentOf("une")),
      HasReason(Reason::kOwnerUnavailable));
  enrolment_.SetDown(false);
  const absl::StatusOr<CompletionRecord> record =
      CreateCompletionRecord(store_, enrolment_, after, EnrolmentOf("une"));
  ASSERT_OK(record);
  EXPECT_EQ(record->attended_minutes, 180);
  EXPECT_THAT(record->text[1], HasSubstr("Employeur d’essai"));
  const absl::StatusOr<CompletionRecord> read = GetResource<CompletionRecord>(
      store_, after, &SchedulingUnit::completion_records, record->name);
  ASSERT_OK(read);
  EXPECT_EQ(read->text, record->text);
  EXPECT_EQ(read->evidence[0].root, closed->sheet.root);
  EXPECT_THAT(
      CreateCompletionRecord(store_, enrolment_, after, EnrolmentOf("une")),
      HasReason(Reason::kAlreadyExists));
  EXPECT_THAT(
      CreateCompletionRecord(store_, enrolment_, after, EnrolmentOf("nobody")),
      HasReason(Reason::kUnknownReference));
  EXPECT_THAT(
      CreateCompletionRecord(store_, enrolment_, after, EnrolmentOf("deux")),
      HasReason(Reason::kIllegalTransition));
}

TEST_P(SchedulingStoreTest, AChangedRowShowsWhenTheSheetIsVerified) {
  Enrol("une");
  Synchronise();
  const absl::StatusOr<HalfDay> half_day = Put("c", "a", {.trainers = {"t1"}});
  ASSERT_OK(half_day);
  ASSERT_OK(PublishCohort(""));
  ASSERT_OK(SignAt(*half_day, "une"));
  ASSERT_OK(SignAt(*half_day, "t1", SignerRole::kTrainer));
  ASSERT_OK(database_->Transact(
      Caller(),
      [](storage::Transaction& transaction)
          -> absl::StatusOr<storage::Outcome> {
        transaction.Write(
            {.sql = "UPDATE attendance_entry SET attended_minutes = $1"
                    " WHERE sequence = $2",
             .values = {int64_t{90}, int64_t{1}}});
        return storage::Outcome{};
      }));
  const absl::StatusOr<Verification> verified =
      VerifySheet(store_, Caller(), SheetOf(half_day->name), std::nullopt);
  ASSERT_OK(verified);
  EXPECT_THAT(verified->problems,
              ElementsAre(ChainProblem{ChainProblemKind::kAltered, 1}));
}

TEST_P(SchedulingStoreTest, AnotherBodyIsBehindAWall) {
  ASSERT_OK(Put("c", "a", {}));
  access::Caller stranger = Caller();
  stranger.scope = access::Scope::Body("bodies/other");
  EXPECT_THAT(GetCalendar(store_, stranger, CalendarOf(Cohort("c"))),
              HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(UpdateHalfDay(store_, enrolment_, stranger,
                            Planned(HalfDayOf("c", "a"), {})),
              HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(UpdateHalfDay(store_, enrolment_, stranger,
                            Planned(HalfDayOf("d", "a"), {})),
              HasReason(Reason::kPermissionDenied));
  Venue venue;
  venue.name = VenueOf("theirs");
  venue.display_name = "Theirs";
  EXPECT_THAT(CreateVenue(store_, stranger, venue),
              HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(ListEntries(store_, stranger, HalfDayOf("c", "a"), {})->items,
              IsEmpty());
}

TEST_P(SchedulingStoreTest, ChangesAreRecordedWithTheirScopes) {
  ASSERT_OK(Put("c", "a", {}));
  TakeChanges();
  ASSERT_OK(DeleteHalfDay(store_, Caller(), HalfDayOf("c", "a"), ""));
  const std::vector<storage::Change> changes = TakeChanges();
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_EQ(changes[0].kind, "halfDay");
  EXPECT_EQ(changes[0].name, HalfDayOf("c", "a").text());
  EXPECT_EQ(changes[0].cause, "Step");
  EXPECT_THAT(changes[0].scopes_before, ElementsAre(kBody, Cohort("c").text()));
  EXPECT_THAT(changes[0].scopes_after, IsEmpty()) << "it is gone";
  EXPECT_EQ(changes[1].kind, "calendar");
}

}  // namespace
}  // namespace parcours::scheduling
