#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_CALENDAR_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_CALENDAR_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/status/error.h"
#include "common/types/enum_names.h"
#include "services/scheduling/domain/enrolment_port.h"
#include "services/scheduling/domain/names.h"
#include "services/scheduling/domain/roster.h"

namespace parcours::scheduling {

// What happens on a half-day; TBD is to be decided.
enum class DayKind { kTbd, kThematic, kVisit, kTutoring };

// Which half of a day.
enum class Half { kMorning, kAfternoon };

// From which side a trainer speaks.
enum class TrainerKind { kResearcher, kPractitioner };

// Somebody who teaches a half-day; the name is enrolment's.
struct TrainerAssignment {
  PersonName person;
  TrainerKind kind = TrainerKind::kPractitioner;
  std::string display_name;

  friend bool operator==(const TrainerAssignment&,
                         const TrainerAssignment&) = default;
};

// Half a day of a cohort's course. Empty references are to be decided.
struct HalfDay {
  HalfDayName name;
  // The day 1970-01-01 stands for none.
  absl::CivilDay date;
  Half half = Half::kMorning;
  // Minutes after local midnight.
  int64_t local_start = 0;
  int64_t local_end = 0;
  DayKind day_kind = DayKind::kTbd;
  std::vector<std::string> module_ids;
  VenueName venue;
  RoomName room;
  std::vector<TrainerAssignment> trainers;
  // Instants of the local times; see Resolve.
  absl::Time start;
  absl::Time end;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;

  CohortName cohort() const { return name.Under<CohortName>(); }
  // Whole minutes between both instants.
  int64_t scheduled_minutes() const {
    return absl::ToInt64Minutes(end - start);
  }

  friend bool operator==(const HalfDay&, const HalfDay&) = default;
};

// The plan of a cohort, with the copy of what enrolment says of it. One row
// that every change of the plan locks.
struct Calendar {
  CalendarName name;
  std::string cohort_display_name;
  std::string time_zone;
  ProgrammeName programme;
  std::vector<std::string> module_ids;
  int64_t programme_minutes = 0;
  // 0 before the first.
  int64_t published_version = 0;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;

  CohortName cohort() const { return name.Under<CohortName>(); }
};

// What is still to be decided.
enum class MissingWhat { kDayKind, kVenue, kRoom, kTrainers, kModules };

struct MissingItem {
  HalfDayName half_day;
  MissingWhat what = MissingWhat::kDayKind;

  friend bool operator==(const MissingItem&, const MissingItem&) = default;
};

enum class CalendarChangeKind {
  kAdded,
  kRemoved,
  kMoved,
  kVenue,
  kTrainers,
  kModules,
  kDayKind,
};

// One difference between two calendars; `before` is absent of an addition,
// `after` of a removal.
struct CalendarChange {
  CalendarChangeKind kind = CalendarChangeKind::kAdded;
  HalfDayName half_day;
  std::optional<HalfDay> before;
  std::optional<HalfDay> after;
};

enum class RecipientRole { kLearner, kTrainer };

// Somebody who was told of a published version.
struct Recipient {
  PersonName person;
  std::string display_name;
  RecipientRole role = RecipientRole::kLearner;
};

// A learner whose agreement states dates that have changed.
struct Amendment {
  EnrolmentName enrolment;
  PersonName person;
  std::vector<HalfDayName> half_days;
};

// A calendar as it was published; never changes.
struct CalendarVersion {
  CalendarVersionName name;
  int64_t number = 0;
  std::string reason;
  std::string time_zone;
  // By start.
  std::vector<HalfDay> half_days;
  std::vector<MissingItem> missing_items;
  std::vector<Recipient> recipients;
  std::vector<Amendment> amendments_needed;
  int64_t version = 0;
  // When it was published.
  absl::Time create_time;
  absl::Time update_time;

  const HalfDay* Find(const HalfDayName& half_day) const;
};

// Days, half-days and minutes of a calendar.
struct CalendarTotals {
  int64_t days = 0;
  int64_t half_days = 0;
  int64_t minutes = 0;
};

// The zone of an IANA name that enrolment has checked; UTC for an unknown one.
absl::TimeZone ZoneOf(std::string_view time_zone);

// Checks what the half-day says by itself: FIELD_REQUIRED, DATES_OUT_OF_ORDER,
// FIELD_OUT_OF_RANGE, FIELD_MALFORMED for what is named twice and for a room
// that is not the venue's.
void Validate(const HalfDay& half_day, std::string_view prefix,
              FieldViolations& violations);

// Gives the half-day its instants in `zone`. A local time that occurs twice,
// when clocks go back, is its first occurrence; one that clocks skip is
// FIELD_MALFORMED.
void Resolve(absl::TimeZone zone, std::string_view prefix, HalfDay& half_day,
             FieldViolations& violations);

// Adds UNKNOWN_REFERENCE for each module that the programme does not have.
void CheckModules(const Calendar& calendar, const HalfDay& half_day,
                  std::string_view prefix, FieldViolations& violations);

// Whether both take place at the same local time.
bool SameTime(const HalfDay& a, const HalfDay& b);

// Makes the calendar say what enrolment says. True when something has changed.
bool Copy(const CohortFacts& facts, Calendar& calendar);

// What is to be decided in `half_days`; a room only in a venue of
// `venues_with_rooms`, modules only on a thematic half-day.
std::vector<MissingItem> MissingIn(
    const std::vector<HalfDay>& half_days,
    const std::set<VenueName>& venues_with_rooms);

CalendarTotals Sum(const std::vector<HalfDay>& half_days);

// What differs from `before` to `after`, by name of the half-day.
std::vector<CalendarChange> Compare(const std::vector<HalfDay>& before,
                                    const std::vector<HalfDay>& after);

// What a publication is made from: all of one moment.
struct Publication {
  Calendar calendar;
  std::vector<HalfDay> half_days;
  // Absent before the first publication.
  std::optional<CalendarVersion> previous;
  std::vector<RosterEntry> roster;
  std::set<VenueName> venues_with_rooms;
  std::string reason;
};

// The next version of the calendar. Learners who take part at `now` or later
// and trainers of this version and of the one before are told. A half-day
// added, removed or moved within an enrolment that has not ended makes an
// amendment needed, from the second version on. ILLEGAL_TRANSITION without a
// half-day, REASON_REQUIRED for a change after the first version.
absl::StatusOr<CalendarVersion> Publish(const Publication& publication,
                                        absl::Time now);

}  // namespace parcours::scheduling

namespace parcours {

template <>
struct EnumNames<scheduling::DayKind> {
  static constexpr std::string_view values[] = {"TBD", "THEMATIC", "VISIT",
                                                "TUTORING"};
};
template <>
struct EnumNames<scheduling::Half> {
  static constexpr std::string_view values[] = {"MORNING", "AFTERNOON"};
};
template <>
struct EnumNames<scheduling::TrainerKind> {
  static constexpr std::string_view values[] = {"RESEARCHER", "PRACTITIONER"};
};
template <>
struct EnumNames<scheduling::MissingWhat> {
  static constexpr std::string_view values[] = {"DAY_KIND", "VENUE", "ROOM",
                                                "TRAINERS", "MODULES"};
};
template <>
struct EnumNames<scheduling::CalendarChangeKind> {
  static constexpr std::string_view values[] = {
      "ADDED", "REMOVED", "MOVED", "VENUE", "TRAINERS", "MODULES", "DAY_KIND"};
};
template <>
struct EnumNames<scheduling::RecipientRole> {
  static constexpr std::string_view values[] = {"LEARNER", "TRAINER"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_CALENDAR_H_
