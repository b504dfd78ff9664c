#include "services/scheduling/generation/generation.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/time/clock.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/storage/made_up_data.h"
#include "common/text/view.h"
#include "common/types/seeded_stream.h"
#include "services/scheduling/domain/attendance.h"
#include "services/scheduling/domain/calendar.h"

namespace parcours::scheduling {
namespace {

constexpr char kSubject[] = "parcours:generate";
constexpr absl::Duration kPatience = absl::Minutes(5);
constexpr uint64_t kStreams = uint64_t{1} << 33;
constexpr int64_t kDays = 15;
constexpr int64_t kDaysApart = 17;
constexpr int64_t kWithAttendance = 5;
constexpr std::size_t kSignedHalfDays = 4;
constexpr int64_t kMorning = 9 * 60 + 30;
constexpr int64_t kMorningEnd = 12 * 60 + 30;
constexpr int64_t kAfternoon = 14 * 60;
constexpr int64_t kAfternoonEnd = 17 * 60;

HalfDay MakeHalfDay(const MadeUpCourse& course, absl::CivilDay date, Half half,
                    const std::string& module, absl::TimeZone zone) {
  const bool morning = half == Half::kMorning;
  HalfDay half_day;
  half_day.name = ChildName<HalfDayName>(
      course.cohort.name, "halfDays",
      Cat(absl::FormatCivilTime(date), morning ? "-morning" : "-afternoon"));
  half_day.date = date;
  half_day.half = half;
  half_day.local_start = morning ? kMorning : kAfternoon;
  half_day.local_end = morning ? kMorningEnd : kAfternoonEnd;
  half_day.day_kind = DayKind::kThematic;
  half_day.module_ids = {module};
  FieldViolations violations;
  Resolve(zone, "", half_day, violations);
  return half_day;
}

std::vector<HalfDay> MakeHalfDays(const MadeUpCourse& course) {
  const absl::TimeZone zone = ZoneOf(course.cohort.time_zone);
  std::vector<HalfDay> half_days;
  for (int64_t day = 0; day < kDays; ++day) {
    const std::vector<std::string>& modules = course.cohort.module_ids;
    const std::string& module =
        modules[static_cast<std::size_t>(day) % modules.size()];
    for (const Half half : {Half::kMorning, Half::kAfternoon}) {
      half_days.push_back(MakeHalfDay(
          course, course.start_date + day * kDaysApart, half, module, zone));
    }
  }
  return half_days;
}

CalendarVersion MakeVersion(const MadeUpCourse& course,
                            const std::vector<HalfDay>& half_days) {
  CalendarVersion version;
  version.number = 1;
  version.name = ChildName<CalendarVersionName>(
      course.cohort.name, "calendarVersions", Cat(version.number));
  version.reason = "Première publication, fictive.";
  version.time_zone = course.cohort.time_zone;
  version.half_days = half_days;
  for (const EnrolmentFacts& learner : course.enrolments) {
    version.recipients.push_back(
        {.person = learner.person, .display_name = learner.display_name});
  }
  return version;
}

AttendanceEntry MakeEntry(const RosterEntry& learner, const HalfDay& half_day,
                          SeededStream& chance) {
  AttendanceEntry entry;
  entry.signer = learner.person;
  entry.enrolment = learner.enrolment;
  const int64_t share = chance.Below(100);
  if (share >= 95) {
    entry.claim.status = AttendanceStatus::kAbsent;
  } else if (share >= 88) {
    entry.claim.status = AttendanceStatus::kLate;
    entry.claim.arrival = half_day.start + absl::Minutes(10 + chance.Below(20));
  }
  entry.attended_minutes = AttendedMinutes(half_day, entry.claim);
  return entry;
}

}  // namespace

access::Caller Generation::Caller() const {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = kSubject;
  caller.method = "Generate";
  caller.deadline = absl::Now() + kPatience;
  caller.now = now_;
  return caller;
}

absl::Status Generation::Change(
    absl::FunctionRef<absl::Status(SchedulingUnit&)> body) {
  return store_
      .Change(Caller(),
              [&](SchedulingUnit& unit) -> absl::StatusOr<std::string> {
                RETURN_IF_ERROR(body(unit));
                return std::string("generation");
              })
      .status();
}

absl::Status Generation::Begin() {
  return storage::CheckTakesMadeUpData(database_, absl::Now() + kPatience);
}

absl::Status Generation::Add(const MadeUpCourse& course) {
  SeededStream chance(seed_, kStreams + static_cast<uint64_t>(courses_));
  ++courses_;
  const bool with_attendance = course.begun && begun_++ % kWithAttendance == 0;
  const std::vector<HalfDay> half_days = MakeHalfDays(course);
  std::vector<RosterEntry> roster;
  for (const EnrolmentFacts& facts : course.enrolments) {
    RosterEntry entry;
    Copy(facts, ZoneOf(course.cohort.time_zone), now_, entry);
    roster.push_back(std::move(entry));
  }
  RETURN_IF_ERROR(Change([&](SchedulingUnit& unit) -> absl::Status {
    Calendar calendar;
    calendar.name = CalendarOf(course.cohort.name);
    Copy(course.cohort, calendar);
    calendar.published_version = 1;
    unit.calendars().Insert(calendar);
    std::vector<HalfDay> inserted = half_days;
    for (HalfDay& half_day : inserted) {
      unit.half_days().Insert(half_day);
      unit.Book(half_day, {course.cohort.name.text()});
    }
    CalendarVersion version = MakeVersion(course, inserted);
    unit.calendar_versions().Insert(version);
    for (RosterEntry entry : roster) unit.roster().Insert(entry);
    return absl::OkStatus();
  }));
  summary_.half_days += static_cast<int64_t>(half_days.size());
  summary_.roster_entries += static_cast<int64_t>(roster.size());
  if (!with_attendance) return absl::OkStatus();
  for (std::size_t i = 0; i < kSignedHalfDays; ++i) {
    const HalfDay& half_day = half_days[i];
    if (half_day.end > now_) break;
    SeededStream again = chance;
    int64_t count = 0;
    RETURN_IF_ERROR(Change([&](SchedulingUnit& unit) -> absl::Status {
      chance = again;
      count = 0;
      AttendanceSheet sheet;
      sheet.name = SheetOf(half_day.name);
      for (const RosterEntry& learner : roster) {
        if (!TakesPartAt(learner, half_day.start)) continue;
        AttendanceEntry entry = MakeEntry(learner, half_day, chance);
        RETURN_IF_ERROR(Append(now_, kSubject, sheet, entry));
        unit.entries().Insert(entry);
        ++count;
      }
      unit.sheets().Insert(sheet);
      return absl::OkStatus();
    }));
    summary_.attendance_entries += count;
  }
  return absl::OkStatus();
}

absl::Status Generation::Finish(const std::string& enrolment_token) {
  return Change([&](SchedulingUnit& unit) {
    unit.SetEnrolmentPosition(enrolment_token);
    return absl::OkStatus();
  });
}

}  // namespace parcours::scheduling
