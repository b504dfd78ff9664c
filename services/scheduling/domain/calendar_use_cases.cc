#include "services/scheduling/domain/calendar_use_cases.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "services/scheduling/domain/erasure.h"
#include "services/scheduling/domain/erasure_use_cases.h"

namespace parcours::scheduling {
namespace {

constexpr std::string_view kPrefix = "half_day.";

// Steps that prepare a change are no part of it: made again, they do nothing.
access::Caller WithoutRequestId(access::Caller caller) {
  caller.request_id.clear();
  caller.request_digest.clear();
  return caller;
}

bool IsAbsent(const absl::Status& status) {
  return status.code() == absl::StatusCode::kNotFound ||
         status.code() == absl::StatusCode::kPermissionDenied;
}

CalendarVersionName VersionName(const CohortName& cohort, int64_t number) {
  return ChildName<CalendarVersionName>(cohort, "calendarVersions",
                                        Cat(number));
}

bool KnowsModules(const Calendar& calendar, const HalfDay& half_day) {
  FieldViolations violations;
  CheckModules(calendar, half_day, kPrefix, violations);
  return violations.empty();
}

// Copies what enrolment says of the cohort into its calendar, new or not.
absl::Status CopyCohort(SchedulingStore& store, EnrolmentPort& enrolment,
                        const access::Caller& caller,
                        const CohortName& cohort) {
  const absl::StatusOr<CohortFacts> facts = enrolment.GetCohort(caller, cohort);
  if (!facts.ok()) {
    return IsAbsent(facts.status())
               ? MakeFieldError(Cat(kPrefix, "name"), Reason::kUnknownReference)
               : facts.status();
  }
  const absl::Status copied =
      store
          .Change(WithoutRequestId(caller),
                  [&](SchedulingUnit& unit) -> absl::StatusOr<std::string> {
                    const CalendarName name = CalendarOf(cohort);
                    ASSIGN_OR_RETURN(const std::optional<Calendar> known,
                                     unit.calendars().Find(caller.scope, name));
                    Calendar calendar;
                    if (known.has_value()) {
                      ASSIGN_OR_RETURN(
                          calendar, unit.calendars().Lock(caller.scope, name));
                    }
                    if (!Copy(*facts, calendar)) return name.text();
                    if (known.has_value()) {
                      unit.calendars().Update(calendar);
                    } else {
                      unit.calendars().Insert(calendar);
                    }
                    return name.text();
                  })
          .status();
  // Somebody else has just added the same.
  return absl::IsAlreadyExists(copied) ? absl::OkStatus() : copied;
}

// Adds the trainers of `half_day` that are not known here and whom enrolment
// knows.
absl::Status CopyTrainers(SchedulingStore& store, EnrolmentPort& enrolment,
                          const access::Caller& caller,
                          const HalfDay& half_day) {
  for (const TrainerAssignment& trainer : half_day.trainers) {
    if (trainer.person.body() != half_day.name.body()) continue;
    bool known = false;
    RETURN_IF_ERROR(
        store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
          ASSIGN_OR_RETURN(const std::optional<Trainer> found,
                           unit.trainers().Find(caller.scope, trainer.person));
          known = found.has_value();
          return absl::OkStatus();
        }));
    if (known) continue;
    const absl::StatusOr<std::string> display_name =
        enrolment.GetPersonDisplayName(caller, trainer.person);
    if (!display_name.ok()) {
      if (IsAbsent(display_name.status())) continue;
      return display_name.status();
    }
    const absl::Status added =
        store
            .Change(WithoutRequestId(caller),
                    [&](SchedulingUnit& unit) -> absl::StatusOr<std::string> {
                      Trainer added_trainer{.name = trainer.person,
                                            .display_name = *display_name};
                      ASSIGN_OR_RETURN(const bool erased,
                                       IsErasedForGood(unit, trainer.person));
                      if (erased) Erase(added_trainer);
                      unit.trainers().Insert(added_trainer);
                      return trainer.person.text();
                    })
            .status();
    if (!added.ok() && !absl::IsAlreadyExists(added)) return added;
  }
  return absl::OkStatus();
}

// Makes known here what `update` refers to and enrolment owns.
absl::Status AskOwner(SchedulingStore& store, EnrolmentPort& enrolment,
                      const access::Caller& caller,
                      const Update<HalfDay>& update) {
  HalfDay wanted{.name = update.name};
  std::optional<Calendar> calendar;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<HalfDay> known,
                     unit.half_days().Find(caller.scope, update.name));
    if (known.has_value()) {
      wanted = *known;
    } else if (!update.allow_missing) {
      return unit.half_days().Get(caller.scope, update.name).status();
    }
    ASSIGN_OR_RETURN(calendar, unit.calendars().Find(
                                   caller.scope, CalendarOf(wanted.cohort())));
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(update.apply(wanted));
  FieldViolations violations;
  Validate(wanted, kPrefix, violations);
  absl::Status asked;
  if (!calendar.has_value() || !KnowsModules(*calendar, wanted)) {
    asked = CopyCohort(store, enrolment, caller, wanted.cohort());
  }
  if (asked.ok()) asked = CopyTrainers(store, enrolment, caller, wanted);
  // What is wrong with the request itself is said even with the owner down.
  if (!asked.ok() && !violations.empty()) return violations.ToStatus();
  return asked;
}

// Locks the trainers in the order of their names and copies theirs; unknown
// ones are violations.
absl::Status LockTrainers(SchedulingUnit& unit, const access::Caller& caller,
                          HalfDay& half_day, FieldViolations& violations) {
  std::map<PersonName, std::size_t> order;
  for (std::size_t i = 0; i < half_day.trainers.size(); ++i) {
    order.emplace(half_day.trainers[i].person, i);
  }
  for (const auto& [person, index] : order) {
    const absl::StatusOr<Trainer> trainer =
        unit.trainers().Lock(caller.scope, person);
    if (trainer.ok()) {
      half_day.trainers[index].display_name = trainer->display_name;
    } else if (!IsAbsent(trainer.status())) {
      return trainer.status();
    } else if (person.body() == half_day.name.body()) {
      violations.Add(Cat(kPrefix, "trainers[", index, "].person"),
                     Reason::kUnknownReference);
    }
  }
  return absl::OkStatus();
}

// What a half-day wants for itself, and what must then be free.
struct Wants {
  std::vector<std::string> booked;
  std::vector<std::string> to_be_free;
};

// Locks the place and adds it to `wants` unless it is visited or still to be
// decided; an unknown one is a violation.
absl::Status LockPlace(SchedulingUnit& unit, const access::Caller& caller,
                       const HalfDay& half_day, FieldViolations& violations,
                       Wants& wants) {
  if (half_day.venue.empty()) return absl::OkStatus();
  const absl::StatusOr<Venue> venue =
      unit.venues().Lock(caller.scope, half_day.venue);
  if (!venue.ok() || half_day.venue.body() != half_day.name.body()) {
    if (!venue.ok() && !IsAbsent(venue.status())) return venue.status();
    violations.Add(Cat(kPrefix, "venue"), Reason::kUnknownReference);
    return absl::OkStatus();
  }
  if (!half_day.room.empty()) {
    ASSIGN_OR_RETURN(const std::optional<Room> room,
                     unit.rooms().Find(caller.scope, half_day.room));
    if (!room.has_value()) {
      violations.Add(Cat(kPrefix, "room"), Reason::kUnknownReference);
      return absl::OkStatus();
    }
    // The venue may have been booked whole before it had rooms.
    wants.booked.push_back(half_day.room.text());
    wants.to_be_free.push_back(half_day.venue.text());
    return absl::OkStatus();
  }
  if (venue->kind == VenueKind::kVisit) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::set<VenueName> with_rooms,
                   unit.VenuesWithRooms(half_day.name.body()));
  if (!with_rooms.contains(half_day.venue)) {
    wants.booked.push_back(half_day.venue.text());
  }
  return absl::OkStatus();
}

absl::Status CheckWithoutAttendance(SchedulingUnit& unit,
                                    const access::Caller& caller,
                                    const HalfDayName& half_day) {
  const absl::StatusOr<AttendanceSheet> sheet =
      unit.sheets().Lock(caller.scope, SheetOf(half_day));
  if (!sheet.ok()) {
    return IsAbsent(sheet.status()) ? absl::OkStatus() : sheet.status();
  }
  if (sheet->entry_count == 0) return absl::OkStatus();
  return MakeError(Reason::kCalendarHasAttendance,
                   {{"half_day", half_day.text()}});
}

// A change of the plan is a change of its calendar.
void Touch(SchedulingUnit& unit, Calendar& calendar) {
  unit.calendars().Update(calendar);
}

absl::StatusOr<std::vector<HalfDay>> HalfDaysOfVersion(
    SchedulingUnit& unit, const access::Caller& caller,
    const CohortName& cohort, int64_t number) {
  if (number == 0) return std::vector<HalfDay>();
  ASSIGN_OR_RETURN(
      CalendarVersion version,
      unit.calendar_versions().Get(caller.scope, VersionName(cohort, number)));
  return std::move(version.half_days);
}

absl::StatusOr<Publication> ReadPublication(SchedulingUnit& unit,
                                            const access::Caller& caller,
                                            Calendar calendar,
                                            const std::string& reason) {
  const CohortName cohort = calendar.cohort();
  Publication publication;
  publication.reason = reason;
  ASSIGN_OR_RETURN(publication.half_days,
                   unit.HalfDaysOf(caller.scope, cohort));
  if (calendar.published_version != 0) {
    ASSIGN_OR_RETURN(
        publication.previous,
        unit.calendar_versions().Get(
            caller.scope, VersionName(cohort, calendar.published_version)));
  }
  ASSIGN_OR_RETURN(publication.roster, unit.RosterOf(caller.scope, cohort));
  ASSIGN_OR_RETURN(publication.venues_with_rooms,
                   unit.VenuesWithRooms(cohort.body()));
  publication.calendar = std::move(calendar);
  return publication;
}

// Opens a sheet for each half-day that has none.
absl::Status AddSheets(SchedulingUnit& unit, const access::Caller& caller,
                       const CalendarVersion& version) {
  ASSIGN_OR_RETURN(
      const std::vector<AttendanceSheet> known,
      unit.SheetsOf(caller.scope, version.name.Under<CohortName>()));
  std::set<SheetName> names;
  for (const AttendanceSheet& sheet : known) names.insert(sheet.name);
  for (const HalfDay& half_day : version.half_days) {
    AttendanceSheet sheet{.name = SheetOf(half_day.name)};
    if (!names.contains(sheet.name)) unit.sheets().Insert(sheet);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CalendarView> GetCalendar(SchedulingStore& store,
                                         const access::Caller& caller,
                                         const CalendarName& name) {
  CalendarView view;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(view.calendar, unit.calendars().Get(caller.scope, name));
    ASSIGN_OR_RETURN(const std::vector<HalfDay> half_days,
                     unit.HalfDaysOf(caller.scope, view.calendar.cohort()));
    ASSIGN_OR_RETURN(const std::set<VenueName> with_rooms,
                     unit.VenuesWithRooms(name.body()));
    ASSIGN_OR_RETURN(const std::vector<HalfDay> published,
                     HalfDaysOfVersion(unit, caller, view.calendar.cohort(),
                                       view.calendar.published_version));
    view.totals = Sum(half_days);
    view.missing_items = MissingIn(half_days, with_rooms);
    view.has_unpublished_changes = !Compare(published, half_days).empty();
    return absl::OkStatus();
  }));
  return view;
}

absl::StatusOr<HalfDay> UpdateHalfDay(SchedulingStore& store,
                                      EnrolmentPort& enrolment,
                                      const access::Caller& caller,
                                      const Update<HalfDay>& update) {
  RETURN_IF_ERROR(CheckWithin(caller, update.name.body()));
  RETURN_IF_ERROR(AskOwner(store, enrolment, caller, update));
  return ChangeResource<HalfDay>(
      store, caller, &SchedulingUnit::half_days,
      [&](SchedulingUnit& unit) -> absl::StatusOr<HalfDay> {
        ASSIGN_OR_RETURN(
            Calendar calendar,
            unit.calendars().Lock(caller.scope,
                                  CalendarOf(update.name.Under<CohortName>())));
        ASSIGN_OR_RETURN(const std::optional<HalfDay> before,
                         unit.half_days().Find(caller.scope, update.name));
        if (before.has_value()) {
          RETURN_IF_ERROR(
              CheckEtag(update.etag, update.name.text(), before->version));
        } else if (!update.allow_missing) {
          return unit.half_days().Get(caller.scope, update.name);
        }
        HalfDay after = before.value_or(HalfDay{.name = update.name});
        RETURN_IF_ERROR(update.apply(after));

        FieldViolations violations;
        Validate(after, kPrefix, violations);
        Resolve(ZoneOf(calendar.time_zone), kPrefix, after, violations);
        CheckModules(calendar, after, kPrefix, violations);
        Wants wants;
        wants.booked.push_back(calendar.cohort().text());
        RETURN_IF_ERROR(LockTrainers(unit, caller, after, violations));
        for (const TrainerAssignment& trainer : after.trainers) {
          wants.booked.push_back(trainer.person.text());
        }
        RETURN_IF_ERROR(LockPlace(unit, caller, after, violations, wants));
        RETURN_IF_ERROR(violations.ToStatus());

        if (before.has_value() && after == *before) return after;
        if (before.has_value() && !SameTime(*before, after)) {
          RETURN_IF_ERROR(CheckWithoutAttendance(unit, caller, after.name));
        }
        std::vector<std::string> resources = wants.booked;
        resources.insert(resources.end(), wants.to_be_free.begin(),
                         wants.to_be_free.end());
        ASSIGN_OR_RETURN(
            const std::optional<Booking> taken,
            unit.FindBooking(resources, after.start, after.end, after.name));
        if (taken.has_value()) {
          return MakeError(Reason::kAlreadyBooked,
                           {{"resource", taken->resource},
                            {"booked_by", taken->half_day.text()}});
        }
        if (before.has_value()) {
          unit.half_days().Update(after);
        } else {
          unit.half_days().Insert(after);
        }
        unit.Book(after, wants.booked);
        Touch(unit, calendar);
        return after;
      });
}

absl::Status DeleteHalfDay(SchedulingStore& store, const access::Caller& caller,
                           const HalfDayName& name, const std::string& etag) {
  return store
      .Change(caller,
              [&](SchedulingUnit& unit) -> absl::StatusOr<std::string> {
                ASSIGN_OR_RETURN(
                    Calendar calendar,
                    unit.calendars().Lock(
                        caller.scope, CalendarOf(name.Under<CohortName>())));
                ASSIGN_OR_RETURN(const HalfDay half_day,
                                 unit.half_days().Lock(caller.scope, name));
                RETURN_IF_ERROR(CheckEtag(etag, name.text(), half_day.version));
                RETURN_IF_ERROR(CheckWithoutAttendance(unit, caller, name));
                unit.Book(half_day, {});
                unit.Delete(half_day);
                Touch(unit, calendar);
                return name.text();
              })
      .status();
}

absl::StatusOr<CalendarVersion> PublishCalendar(SchedulingStore& store,
                                                const access::Caller& caller,
                                                const CalendarName& name,
                                                const std::string& reason,
                                                const std::string& etag) {
  return ChangeResource<CalendarVersion>(
      store, caller, &SchedulingUnit::calendar_versions,
      [&](SchedulingUnit& unit) -> absl::StatusOr<CalendarVersion> {
        ASSIGN_OR_RETURN(Calendar calendar,
                         unit.calendars().Lock(caller.scope, name));
        RETURN_IF_ERROR(CheckEtag(etag, name.text(), calendar.version));
        ASSIGN_OR_RETURN(const Publication publication,
                         ReadPublication(unit, caller, calendar, reason));
        if (publication.previous.has_value()) {
          const std::vector<CalendarChange> changes =
              Compare(publication.previous->half_days, publication.half_days);
          if (changes.empty()) return *publication.previous;
          for (const CalendarChange& change : changes) {
            if (change.kind == CalendarChangeKind::kMoved ||
                change.kind == CalendarChangeKind::kRemoved) {
              RETURN_IF_ERROR(
                  CheckWithoutAttendance(unit, caller, change.half_day));
            }
          }
        }
        ASSIGN_OR_RETURN(CalendarVersion version,
                         Publish(publication, caller.now));
        unit.calendar_versions().Insert(version);
        unit.KeepTrainers(version);
        calendar.published_version = version.number;
        unit.calendars().Update(calendar);
        RETURN_IF_ERROR(AddSheets(unit, caller, version));
        return version;
      });
}

absl::StatusOr<VersionView> GetCalendarVersion(
    SchedulingStore& store, const access::Caller& caller,
    const CalendarVersionName& name) {
  VersionView view;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(view.version,
                     unit.calendar_versions().Get(caller.scope, name));
    ASSIGN_OR_RETURN(const std::vector<HalfDay> before,
                     HalfDaysOfVersion(unit, caller, name.Under<CohortName>(),
                                       view.version.number - 1));
    view.changes = Compare(before, view.version.half_days);
    return absl::OkStatus();
  }));
  return view;
}

absl::StatusOr<Page<CalendarVersion>> ListCalendarVersions(
    SchedulingStore& store, const access::Caller& caller,
    const CohortName& cohort, const PageRequest& request) {
  int64_t after = 0;
  if (!request.after_key.empty() &&
      !absl::SimpleAtoi(request.after_key, &after)) {
    return MakeFieldError("page_token", Reason::kPageTokenInvalid);
  }
  Page<CalendarVersion> page;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(page.feed_position, unit.FeedPosition());
    ASSIGN_OR_RETURN(page.items, unit.VersionsOf(caller.scope, cohort, after,
                                                 request.size + 1));
    return absl::OkStatus();
  }));
  const auto size = static_cast<std::size_t>(request.size);
  if (page.items.size() > size) {
    page.items.resize(size);
    page.next_key = Cat(page.items.back().number);
  }
  return page;
}

absl::StatusOr<std::vector<CalendarChange>> CompareCalendarVersions(
    SchedulingStore& store, const access::Caller& caller,
    const CalendarName& name, int64_t base, int64_t head) {
  FieldViolations violations;
  if (base < 0) violations.Add("base_version", Reason::kFieldNegative);
  if (head < 0) violations.Add("head_version", Reason::kFieldNegative);
  RETURN_IF_ERROR(violations.ToStatus());
  std::vector<CalendarChange> changes;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(const Calendar calendar,
                     unit.calendars().Get(caller.scope, name));
    const CohortName cohort = calendar.cohort();
    ASSIGN_OR_RETURN(const std::vector<HalfDay> before,
                     HalfDaysOfVersion(unit, caller, cohort, base));
    std::vector<HalfDay> after;
    if (head == 0) {
      ASSIGN_OR_RETURN(after, unit.HalfDaysOf(caller.scope, cohort));
    } else {
      ASSIGN_OR_RETURN(after, HalfDaysOfVersion(unit, caller, cohort, head));
    }
    changes = Compare(before, after);
    return absl::OkStatus();
  }));
  return changes;
}

}  // namespace parcours::scheduling
