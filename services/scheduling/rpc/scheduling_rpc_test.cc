// The contract of scheduling over a real connection, on both engines.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/privacy/erasure_log.h"
#include "common/rpc/convert.h"
#include "common/rpc/grpc_status.h"
#include "common/storage/feed.h"
#include "common/testing/database_fixture.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/scheduling/rpc/attendance_rpc.h"
#include "services/scheduling/rpc/calendar_rpc.h"
#include "services/scheduling/rpc/completion_rpc.h"
#include "services/scheduling/rpc/roster_rpc.h"
#include "services/scheduling/rpc/venue_rpc.h"
#include "services/scheduling/store/migrations.h"
#include "services/scheduling/store/sql_scheduling_store.h"
#include "services/scheduling/testing/fake_enrolment.h"

namespace parcours::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Venues = pb::VenueService::Stub;
using Calendars = pb::CalendarService::Stub;
using Attendance = pb::AttendanceService::Stub;
using Roster = pb::RosterService::Stub;
using Completion = pb::CompletionService::Stub;

constexpr char kBody[] = "bodies/opale";
constexpr char kCohort[] = "bodies/opale/cohorts/c";
constexpr char kCalendar[] = "bodies/opale/cohorts/c/calendar";
constexpr char kMorning[] =
    "bodies/opale/cohorts/c/halfDays/2026-03-16-morning";
constexpr char kAfternoon[] =
    "bodies/opale/cohorts/c/halfDays/2026-03-16-afternoon";
constexpr char kRequestId[] = "0190b2d0-7d3b-7000-8000-000000000001";

class SchedulingRpcTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  SchedulingRpcTest() {
    fixture_.Serve({&venue_rpc_, &calendar_rpc_, &attendance_rpc_, &roster_rpc_,
                    &completion_rpc_});
    const auto channel = fixture_.channel();
    venues_ = pb::VenueService::NewStub(channel);
    calendars_ = pb::CalendarService::NewStub(channel);
    attendance_ = pb::AttendanceService::NewStub(channel);
    roster_ = pb::RosterService::NewStub(channel);
    completion_ = pb::CompletionService::NewStub(channel);

    CohortFacts facts;
    facts.name = CohortName::FromRecord(kCohort);
    facts.display_name = "Promotion 2026";
    facts.time_zone = "Europe/Paris";
    facts.programme = ProgrammeName::FromRecord("bodies/opale/programmes/p");
    facts.module_ids = {"m1"};
    facts.programme_minutes = 360;
    enrolment_.Put(facts);
    enrolment_.PutPerson(Person("t1"), "Trainer Une");
    enrolment_.SetAction(
        {.title = "Innovations sociales", .body_display_name = "Opale"});
  }
  // Running calls use what is destroyed before the fixture.
  ~SchedulingRpcTest() override { fixture_.StopServing(); }

  static PersonName Person(const std::string& id) {
    return PersonName::FromRecord(Cat(kBody, "/persons/", id));
  }

  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(
      const std::unique_ptr<Stub>& stub,
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) {
    grpc::ClientContext context;
    Response response;
    const absl::Status status = rpc::FromGrpcStatus(
        (stub.get()->*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<pb::Venue> AddVenue(const std::string& id,
                                     const std::string& request_id = "") {
    pb::CreateVenueRequest request;
    request.set_parent(kBody);
    request.set_venue_id(id);
    request.mutable_venue()->set_display_name("Amphithéâtre");
    request.mutable_venue()->set_kind(type::v1::VENUE_KIND_TEACHING);
    request.set_request_id(request_id);
    return Call(venues_, &Venues::CreateVenue, request);
  }

  // A half-day of 16 March 2026 with a trainer, everything else open.
  static pb::UpdateHalfDayRequest Planned(const std::string& name,
                                          bool afternoon = false) {
    pb::UpdateHalfDayRequest request;
    request.set_allow_missing(true);
    pb::HalfDay& half_day = *request.mutable_half_day();
    half_day.set_name(name);
    *half_day.mutable_date() = rpc::DateOf(absl::CivilDay(2026, 3, 16));
    half_day.set_half(afternoon ? type::v1::HALF_DAY_KIND_AFTERNOON
                                : type::v1::HALF_DAY_KIND_MORNING);
    half_day.mutable_local_start()->set_hours(afternoon ? 14 : 9);
    half_day.mutable_local_start()->set_minutes(afternoon ? 0 : 30);
    half_day.mutable_local_end()->set_hours(afternoon ? 17 : 12);
    half_day.mutable_local_end()->set_minutes(afternoon ? 0 : 30);
    half_day.set_day_kind(type::v1::DAY_KIND_THEMATIC);
    pb::TrainerAssignment& trainer = *half_day.add_trainers();
    trainer.set_person(Person("t1").text());
    trainer.set_kind(type::v1::TRAINER_KIND_RESEARCHER);
    return request;
  }
  absl::StatusOr<pb::HalfDay> Put(const pb::UpdateHalfDayRequest& request) {
    return Call(calendars_, &Calendars::UpdateHalfDay, request);
  }

  absl::StatusOr<pb::CalendarVersion> Publish(const std::string& reason = "") {
    pb::PublishCalendarRequest request;
    request.set_name(kCalendar);
    request.set_reason(reason);
    return Call(calendars_, &Calendars::PublishCalendar, request);
  }

  void Enrol(const std::string& id) {
    EnrolmentFacts facts;
    facts.name = EnrolmentName::FromRecord(Cat(kCohort, "/enrolments/", id));
    facts.person = Person(id);
    facts.display_name = Cat("Candidate ", id);
    facts.payer_kind = "OPCO";
    facts.funder_id = "afdas";
    facts.state = EnrolmentState::kStarted;
    facts.enrol_time = fixture_.clock().Now();
    enrolment_.Put(facts);
    ASSERT_OK(Call(roster_, &Roster::SynchroniseRoster,
                   pb::SynchroniseRosterRequest()));
  }

  static pb::CreateAttendanceEntryRequest Signing(
      const std::string& id, pb::AttendanceEntry::SignerRole role =
                                 pb::AttendanceEntry::SIGNER_ROLE_LEARNER) {
    pb::CreateAttendanceEntryRequest request;
    request.set_parent(kMorning);
    pb::AttendanceEntry& entry = *request.mutable_attendance_entry();
    entry.set_signer(Person(id).text());
    entry.set_signer_role(role);
    entry.set_status(pb::ATTENDANCE_STATUS_PRESENT);
    entry.set_means(pb::AttendanceEntry::MEANS_PERSONAL_LINK);
    return request;
  }
  absl::StatusOr<pb::AttendanceEntry> Sign(
      const pb::CreateAttendanceEntryRequest& request) {
    return Call(attendance_, &Attendance::CreateAttendanceEntry, request);
  }

  void MoveTo(int day, int hour, int minute) {
    ASSERT_OK(fixture_.clock().AdvanceTo(absl::FromCivil(
        absl::CivilMinute(2026, 3, day, hour, minute), ParisZone())));
  }

  testing::TestDatabase test_database_{GetParam()};
  std::unique_ptr<storage::Database> database_ =
      test_database_.Open(Migrations());
  SqlSchedulingStore store_{*database_};
  FakeEnrolment enrolment_;
  testing::TempDir folder_;
  privacy::FileErasureLog erasure_log_{folder_.File("erasures")};
  const rules::RuleBook rules_ = *rules::RuleBook::Load("rules/fr.txtpb");
  const rpc::PageTokens page_tokens_{"a key for tests, 32 bytes long..."};
  RpcFixture fixture_;
  const Dependencies dependencies_{.store = store_,
                                   .enrolment = enrolment_,
                                   .erasure_log = erasure_log_,
                                   .rules = rules_,
                                   .page_tokens = page_tokens_,
                                   .feed_token = [this](int64_t position) {
                                     return storage::EncodeFeedToken(
                                         database_->incarnation(), position);
                                   }};
  VenueRpc venue_rpc_{fixture_.shell(), dependencies_};
  CalendarRpc calendar_rpc_{fixture_.shell(), dependencies_};
  AttendanceRpc attendance_rpc_{fixture_.shell(), dependencies_};
  RosterRpc roster_rpc_{fixture_.shell(), dependencies_};
  CompletionRpc completion_rpc_{fixture_.shell(), dependencies_};
  std::unique_ptr<Venues> venues_;
  std::unique_ptr<Calendars> calendars_;
  std::unique_ptr<Attendance> attendance_;
  std::unique_ptr<Roster> roster_;
  std::unique_ptr<Completion> completion_;
};

INSTANTIATE_TEST_SUITE_P(Engines, SchedulingRpcTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

TEST_P(SchedulingRpcTest, VenuesAreCreatedOnceReadListedAndChanged) {
  ASSERT_OK(AddVenue("cnam", kRequestId));
  const auto again = AddVenue("cnam", kRequestId);
  ASSERT_OK(again) << "a repeated call is the same call";
  EXPECT_THAT(AddVenue("other", kRequestId),
              HasReason(Reason::kRequestIdReused));
  EXPECT_THAT(AddVenue("cnam"), HasReason(Reason::kAlreadyExists));

  pb::UpdateVenueRequest update;
  update.mutable_venue()->set_name(again->name());
  update.mutable_venue()->set_capacity(60);
  update.mutable_update_mask()->add_paths("capacity");
  const auto updated = Call(venues_, &Venues::UpdateVenue, update);
  ASSERT_OK(updated);
  EXPECT_EQ(updated->display_name(), "Amphithéâtre");
  EXPECT_EQ(updated->capacity(), 60);
  update.mutable_venue()->set_etag(again->etag());
  update.mutable_venue()->set_capacity(61);
  EXPECT_THAT(Call(venues_, &Venues::UpdateVenue, update),
              HasReason(Reason::kEtagMismatch));

  pb::UpdateVenueRequest incomplete;
  incomplete.set_allow_missing(true);
  incomplete.mutable_venue()->set_name("bodies/opale/venues/new");
  incomplete.mutable_venue()->set_display_name("Sans usage");
  EXPECT_THAT(Call(venues_, &Venues::UpdateVenue, incomplete),
              ViolatesField("venue.kind"));

  ASSERT_OK(AddVenue("opale"));
  pb::ListVenuesRequest list;
  list.set_parent(kBody);
  list.set_page_size(1);
  const auto first = Call(venues_, &Venues::ListVenues, list);
  ASSERT_OK(first);
  EXPECT_THAT(first->venues(), SizeIs(1));
  EXPECT_FALSE(first->feed_token().empty());
  list.set_page_token(first->next_page_token());
  const auto second = Call(venues_, &Venues::ListVenues, list);
  ASSERT_OK(second);
  EXPECT_EQ(second->venues(0).name(), "bodies/opale/venues/opale");
  EXPECT_EQ(second->next_page_token(), "");
  list.set_parent("bodies/other");
  EXPECT_THAT(Call(venues_, &Venues::ListVenues, list),
              HasReason(Reason::kPageTokenInvalid));
}

TEST_P(SchedulingRpcTest, RoomsStandInTheirVenue) {
  ASSERT_OK(AddVenue("cnam"));
  pb::CreateRoomRequest create;
  create.set_parent("bodies/opale/venues/cnam");
  create.set_room_id("r1");
  create.mutable_room()->set_display_name("Salle 1");
  const auto room = Call(venues_, &Venues::CreateRoom, create);
  ASSERT_OK(room);
  pb::ListRoomsRequest list;
  list.set_parent(create.parent());
  EXPECT_THAT(Call(venues_, &Venues::ListRooms, list)->rooms(), SizeIs(1));
  pb::DeleteRoomRequest remove;
  remove.set_name(room->name());
  EXPECT_OK(Call(venues_, &Venues::DeleteRoom, remove));
  pb::GetRoomRequest get;
  get.set_name(room->name());
  EXPECT_THAT(Call(venues_, &Venues::GetRoom, get),
              HasReason(Reason::kNotFound));
}

TEST_P(SchedulingRpcTest, AHalfDayIsPlannedAndChangedByItsMask) {
  const auto planned = Put(Planned(kMorning));
  ASSERT_OK(planned);
  EXPECT_EQ(planned->scheduled_minutes(), 180);
  EXPECT_EQ(planned->trainers(0).display_name(), "Trainer Une");
  EXPECT_EQ(
      rpc::TimeOf(planned->start_time()),
      absl::FromCivil(absl::CivilMinute(2026, 3, 16, 9, 30), ParisZone()));
  const auto same = Put(Planned(kMorning));
  ASSERT_OK(same);
  EXPECT_EQ(same->etag(), planned->etag());

  pb::UpdateHalfDayRequest update;
  update.mutable_half_day()->set_name(kMorning);
  update.mutable_half_day()->add_module_ids("m1");
  update.mutable_update_mask()->add_paths("module_ids");
  const auto changed = Put(update);
  ASSERT_OK(changed);
  EXPECT_THAT(changed->module_ids(), ElementsAre("m1"));
  EXPECT_THAT(changed->trainers(), SizeIs(1));
  update.mutable_update_mask()->set_paths(0, "trainers");
  const auto cleared = Put(update);
  ASSERT_OK(cleared);
  EXPECT_THAT(cleared->trainers(), IsEmpty()) << "to be decided again";
  update.mutable_update_mask()->set_paths(0, "start_time");
  EXPECT_THAT(Put(update), HasReason(Reason::kUpdateMaskInvalid));

  pb::ListHalfDaysRequest list;
  list.set_parent(kCohort);
  EXPECT_THAT(Call(calendars_, &Calendars::ListHalfDays, list)->half_days(),
              SizeIs(1));
  pb::DeleteHalfDayRequest remove;
  remove.set_name(kMorning);
  EXPECT_OK(Call(calendars_, &Calendars::DeleteHalfDay, remove));
  EXPECT_THAT(Call(calendars_, &Calendars::DeleteHalfDay, remove),
              HasReason(Reason::kNotFound));
}

TEST_P(SchedulingRpcTest, BadHalfDaysAreRefusedWithTheirFields) {
  struct Case {
    std::string what;
    std::function<void(pb::UpdateHalfDayRequest&)> spoil;
    absl::StatusCode code;
    std::string field;
  };
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  for (const Case& c : std::vector<Case>{
           {"no date", [](auto& r) { r.mutable_half_day()->clear_date(); },
            kInvalid, "half_day.date"},
           {"no such date",
            [](auto& r) { r.mutable_half_day()->mutable_date()->set_day(32); },
            kInvalid, "half_day.date"},
           {"end before start",
            [](auto& r) {
              r.mutable_half_day()->mutable_local_end()->set_hours(8);
            },
            kInvalid, "half_day.local_end"},
           {"seconds",
            [](auto& r) {
              r.mutable_half_day()->mutable_local_start()->set_seconds(5);
            },
            kInvalid, "half_day.local_start"},
           {"skipped by the clock change",
            [](auto& r) {
              *r.mutable_half_day()->mutable_date() =
                  rpc::DateOf(absl::CivilDay(2026, 3, 29));
              r.mutable_half_day()->mutable_local_start()->set_hours(2);
            },
            kInvalid, "half_day.local_start"},
           {"no kind", [](auto& r) { r.mutable_half_day()->clear_day_kind(); },
            kInvalid, "half_day.day_kind"},
           {"unknown kind",
            [](auto& r) {
              r.mutable_half_day()->set_day_kind(
                  static_cast<type::v1::DayKind>(99));
            },
            kInvalid, "half_day.day_kind"},
           {"malformed name",
            [](auto& r) { r.mutable_half_day()->set_name("bodies/x"); },
            kInvalid, "half_day.name"},
           {"unknown cohort",
            [](auto& r) {
              r.mutable_half_day()->set_name(
                  "bodies/opale/cohorts/unknown/halfDays/a");
            },
            kInvalid, "half_day.name"},
           {"unknown venue",
            [](auto& r) {
              r.mutable_half_day()->set_venue("bodies/opale/venues/none");
            },
            kInvalid, "half_day.venue"},
           {"unknown module",
            [](auto& r) { r.mutable_half_day()->add_module_ids("m9"); },
            kInvalid, "half_day.module_ids[0]"},
           {"unknown trainer",
            [](auto& r) {
              r.mutable_half_day()->mutable_trainers(0)->set_person(
                  "bodies/opale/persons/nobody");
            },
            kInvalid, "half_day.trainers[0].person"},
           {"malformed trainer",
            [](auto& r) {
              r.mutable_half_day()->mutable_trainers(0)->set_person("t1");
            },
            kInvalid, "half_day.trainers[0].person"}}) {
    pb::UpdateHalfDayRequest request = Planned(kMorning);
    c.spoil(request);
    const auto refused = Put(request);
    EXPECT_THAT(refused, StatusIs(c.code)) << c.what;
    EXPECT_THAT(refused, ViolatesField(c.field)) << c.what;
  }
  pb::ListHalfDaysRequest list;
  list.set_parent(kCohort);
  EXPECT_THAT(Call(calendars_, &Calendars::ListHalfDays, list)->half_days(),
              IsEmpty())
      << "nothing is written";
}

TEST_P(SchedulingRpcTest, WhatIsBookedIsNamedWithWhoBookedIt) {
  ASSERT_OK(Put(Planned(kMorning)));
  const auto refused = Put(Planned("bodies/opale/cohorts/c/halfDays/again"));
  EXPECT_THAT(refused, HasReason(Reason::kAlreadyBooked));
  EXPECT_EQ(MetadataOf(refused.status())["booked_by"], kMorning);
}

TEST_P(SchedulingRpcTest, ACalendarIsPublishedByVersions) {
  pb::GetCalendarRequest get;
  get.set_name(kCalendar);
  EXPECT_THAT(Call(calendars_, &Calendars::GetCalendar, get),
              HasReason(Reason::kNotFound));
  ASSERT_OK(Put(Planned(kMorning)));
  ASSERT_OK(Put(Planned(kAfternoon, /*afternoon=*/true)));
  const auto calendar = Call(calendars_, &Calendars::GetCalendar, get);
  ASSERT_OK(calendar);
  EXPECT_EQ(calendar->day_count(), 1);
  EXPECT_EQ(calendar->half_day_count(), 2);
  EXPECT_EQ(calendar->scheduled_minutes(), 360);
  EXPECT_EQ(calendar->programme_minutes(), 360);
  EXPECT_TRUE(calendar->has_unpublished_changes());
  EXPECT_THAT(calendar->missing_items(), SizeIs(4)) << "venues and modules";

  const auto first = Publish();
  ASSERT_OK(first);
  EXPECT_EQ(first->version(), 1);
  EXPECT_THAT(first->half_days(), SizeIs(2));
  EXPECT_THAT(first->recipients(), SizeIs(1));
  EXPECT_THAT(first->changes(), SizeIs(2));

  Enrol("une");
  pb::UpdateHalfDayRequest moved = Planned(kMorning);
  moved.mutable_half_day()->mutable_date()->set_day(17);
  ASSERT_OK(Put(moved));
  EXPECT_THAT(Publish(), HasReason(Reason::kReasonRequired));
  const auto second = Publish("Salle indisponible");
  ASSERT_OK(second);
  ASSERT_THAT(second->changes(), SizeIs(1));
  EXPECT_EQ(second->changes(0).kind(), pb::CalendarChange::KIND_MOVED);
  ASSERT_THAT(second->amendments_needed(), SizeIs(1));
  EXPECT_EQ(second->amendments_needed(0).half_days(0), kMorning);

  pb::CompareCalendarVersionsRequest compare;
  compare.set_name(kCalendar);
  compare.set_base_version(1);
  compare.set_head_version(2);
  EXPECT_THAT(
      Call(calendars_, &Calendars::CompareCalendarVersions, compare)->changes(),
      SizeIs(1));
  pb::ListCalendarVersionsRequest list;
  list.set_parent(kCohort);
  const auto listed = Call(calendars_, &Calendars::ListCalendarVersions, list);
  ASSERT_OK(listed);
  EXPECT_THAT(listed->calendar_versions(), SizeIs(2));
}

TEST_P(SchedulingRpcTest, TheRosterShowsWhoTakesPart) {
  Enrol("une");
  pb::ListRosterEntriesRequest list;
  list.set_parent(kCohort);
  const auto roster = Call(roster_, &Roster::ListRosterEntries, list);
  ASSERT_OK(roster);
  ASSERT_THAT(roster->roster_entries(), SizeIs(1));
  EXPECT_EQ(roster->roster_entries(0).payer_kind(), type::v1::PAYER_KIND_OPCO);
  EXPECT_EQ(roster->roster_entries(0).state(), "STARTED");
}

TEST_P(SchedulingRpcTest, AttendanceFromSignatureToCompletionRecord) {
  Enrol("une");
  Enrol("deux");
  ASSERT_OK(Put(Planned(kMorning)));
  ASSERT_OK(Publish());
  EXPECT_THAT(Sign(Signing("une")), HasReason(Reason::kOutsideSlot));
  MoveTo(16, 9, 30);
  pb::CreateAttendanceEntryRequest late = Signing("une");
  late.mutable_attendance_entry()->set_status(pb::ATTENDANCE_STATUS_LATE);
  EXPECT_THAT(Sign(late), ViolatesField("attendance_entry.arrival_time"));
  *late.mutable_attendance_entry()->mutable_arrival_time() =
      rpc::TimestampOf(fixture_.clock().Now() + absl::Minutes(17));
  late.set_request_id(kRequestId);
  const auto signed_entry = Sign(late);
  ASSERT_OK(signed_entry);
  EXPECT_EQ(signed_entry->attended_minutes(), 163);
  const auto replayed = Sign(late);
  ASSERT_OK(replayed);
  EXPECT_EQ(replayed->name(), signed_entry->name());

  pb::CorrectAttendanceEntryRequest correct;
  correct.set_name(signed_entry->name());
  correct.set_status(pb::ATTENDANCE_STATUS_PRESENT);
  EXPECT_THAT(Call(attendance_, &Attendance::CorrectAttendanceEntry, correct),
              ViolatesField("reason"));
  correct.set_reason("Était là à l’heure");
  ASSERT_OK(Call(attendance_, &Attendance::CorrectAttendanceEntry, correct));
  ASSERT_OK(Sign(Signing("t1", pb::AttendanceEntry::SIGNER_ROLE_TRAINER)));

  MoveTo(16, 12, 30);
  pb::CloseAttendanceSheetRequest close;
  close.set_name(Cat(kMorning, "/sheet"));
  EXPECT_THAT(Call(attendance_, &Attendance::CloseAttendanceSheet, close),
              HasReason(Reason::kSheetIncomplete));
  close.set_mark_missing_absent(true);
  const auto closed =
      Call(attendance_, &Attendance::CloseAttendanceSheet, close);
  ASSERT_OK(closed);
  EXPECT_EQ(closed->state(), pb::AttendanceSheet::STATE_CLOSED);
  EXPECT_EQ(closed->entry_count(), 4);
  EXPECT_EQ(closed->root(), closed->chain_head());
  EXPECT_THAT(Call(attendance_, &Attendance::CloseAttendanceSheet, close),
              HasReason(Reason::kSheetClosed));
  EXPECT_THAT(Sign(Signing("deux")), HasReason(Reason::kSheetClosed));

  pb::ListReceiptsRequest list;
  list.set_parent(close.name());
  const auto receipts = Call(attendance_, &Attendance::ListReceipts, list);
  ASSERT_OK(receipts);
  ASSERT_THAT(receipts->receipts(), SizeIs(3));
  pb::VerifyAttendanceSheetRequest verify;
  verify.set_name(close.name());
  *verify.mutable_receipt() = receipts->receipts(0);
  EXPECT_TRUE(
      Call(attendance_, &Attendance::VerifyAttendanceSheet, verify)->valid());
  verify.mutable_receipt()->set_root(std::string(64, '0'));
  const auto forged =
      Call(attendance_, &Attendance::VerifyAttendanceSheet, verify);
  ASSERT_OK(forged);
  EXPECT_FALSE(forged->valid());
  EXPECT_EQ(forged->problems(0).kind(),
            pb::ChainProblem::KIND_RECEIPT_MISMATCH);

  pb::ListAttendanceSummariesRequest summaries;
  summaries.set_parent(kCohort);
  const auto summary =
      Call(attendance_, &Attendance::ListAttendanceSummaries, summaries);
  ASSERT_OK(summary);
  ASSERT_THAT(summary->attendance_summaries(), SizeIs(2));
  EXPECT_EQ(summary->attendance_summaries(0).absent_minutes(), 180);
  EXPECT_EQ(summary->attendance_summaries(1).attended_minutes(), 180);

  pb::CreateCompletionRecordRequest create;
  create.set_parent(kCohort);
  create.mutable_completion_record()->set_enrolment(
      Cat(kCohort, "/enrolments/une"));
  enrolment_.SetDown(true);
  EXPECT_THAT(Call(completion_, &Completion::CreateCompletionRecord, create),
              HasReason(Reason::kOwnerUnavailable));
  enrolment_.SetDown(false);
  const auto record =
      Call(completion_, &Completion::CreateCompletionRecord, create);
  ASSERT_OK(record);
  EXPECT_EQ(record->attended_minutes(), 180);
  EXPECT_EQ(record->evidence(0).root(), closed->root());
  create.set_parent("bodies/opale/cohorts/other");
  EXPECT_THAT(Call(completion_, &Completion::CreateCompletionRecord, create),
              HasReason(Reason::kUnknownReference));
}

TEST_P(SchedulingRpcTest, AForgottenSignatureIsAttestedAndAStrangerReconciled) {
  Enrol("une");
  ASSERT_OK(Put(Planned(kMorning)));
  ASSERT_OK(Publish());
  MoveTo(16, 9, 30);
  const auto stranger = Sign(Signing("new"));
  ASSERT_OK(stranger);
  EXPECT_TRUE(stranger->to_reconcile());
  pb::ReconcileAttendanceEntryRequest reconcile;
  reconcile.set_name(stranger->name());
  reconcile.set_reason("Visiteur");
  ASSERT_OK(
      Call(attendance_, &Attendance::ReconcileAttendanceEntry, reconcile));

  MoveTo(17, 10, 0);
  EXPECT_THAT(Sign(Signing("une")), HasReason(Reason::kOutsideSlot));
  pb::CreateAttendanceEntryRequest forgotten = Signing("une");
  forgotten.mutable_attendance_entry()->set_statement("Téléphone éteint");
  const auto late = Sign(forgotten);
  ASSERT_OK(late);
  EXPECT_TRUE(late->late());
  pb::GetAttendanceSheetRequest get;
  get.set_name(Cat(kMorning, "/sheet"));
  EXPECT_THAT(Call(attendance_, &Attendance::GetAttendanceSheet, get)
                  ->entries_to_attest(),
              ElementsAre(late->name()));
  pb::AttestAttendanceEntryRequest attest;
  attest.set_name(late->name());
  attest.set_trainer(Person("t1").text());
  ASSERT_OK(Call(attendance_, &Attendance::AttestAttendanceEntry, attest));
  const auto sheet = Call(attendance_, &Attendance::GetAttendanceSheet, get);
  ASSERT_OK(sheet);
  EXPECT_THAT(sheet->entries_to_attest(), IsEmpty());
  EXPECT_THAT(sheet->missing_enrolments(), IsEmpty());

  pb::ListAttendanceEntriesRequest list;
  list.set_parent(kMorning);
  list.set_page_size(3);
  const auto first =
      Call(attendance_, &Attendance::ListAttendanceEntries, list);
  ASSERT_OK(first);
  EXPECT_THAT(first->attendance_entries(), SizeIs(3));
  list.set_page_token(first->next_page_token());
  const auto second =
      Call(attendance_, &Attendance::ListAttendanceEntries, list);
  ASSERT_OK(second);
  ASSERT_THAT(second->attendance_entries(), SizeIs(1));
  EXPECT_EQ(second->attendance_entries(0).sequence(), 4);
}

}  // namespace
}  // namespace parcours::scheduling
