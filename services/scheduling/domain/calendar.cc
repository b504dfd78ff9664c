#include "services/scheduling/domain/calendar.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/text/view.h"

namespace parcours::scheduling {
namespace {

// The last minute of a civil day at which something may start or end.
constexpr int64_t kLastMinute = 24 * 60 - 1;

absl::CivilSecond LocalTime(absl::CivilDay date, int64_t minute) {
  return absl::CivilSecond(absl::CivilMinute(date) + minute);
}

// The instant of a local time, or nothing when clocks skip it.
std::optional<absl::Time> InstantOf(absl::TimeZone zone, absl::CivilSecond at) {
  const absl::TimeZone::TimeInfo info = zone.At(at);
  if (info.kind == absl::TimeZone::TimeInfo::SKIPPED) return std::nullopt;
  return info.pre;
}

// Who teaches and from which side, whatever the order and the spelling of the
// names.
std::set<std::pair<PersonName, TrainerKind>> TeachingOf(
    const HalfDay& half_day) {
  std::set<std::pair<PersonName, TrainerKind>> teaching;
  for (const TrainerAssignment& trainer : half_day.trainers) {
    teaching.emplace(trainer.person, trainer.kind);
  }
  return teaching;
}

bool ChangesDates(CalendarChangeKind kind) {
  return kind == CalendarChangeKind::kAdded ||
         kind == CalendarChangeKind::kRemoved ||
         kind == CalendarChangeKind::kMoved;
}

std::vector<Recipient> RecipientsOf(const Publication& publication,
                                    absl::Time now) {
  std::vector<Recipient> recipients;
  for (const RosterEntry& entry : publication.roster) {
    if (entry.until.has_value() && *entry.until <= now) continue;
    recipients.push_back(
        {entry.person, entry.display_name, RecipientRole::kLearner});
  }
  std::map<PersonName, std::string> trainers;
  const auto add = [&](const std::vector<HalfDay>& half_days) {
    for (const HalfDay& half_day : half_days) {
      for (const TrainerAssignment& trainer : half_day.trainers) {
        trainers[trainer.person] = trainer.display_name;
      }
    }
  };
  if (publication.previous.has_value()) add(publication.previous->half_days);
  add(publication.half_days);
  for (const auto& [person, display_name] : trainers) {
    recipients.push_back({person, display_name, RecipientRole::kTrainer});
  }
  return recipients;
}

std::vector<Amendment> AmendmentsOf(const std::vector<CalendarChange>& changes,
                                    const std::vector<RosterEntry>& roster,
                                    absl::Time now) {
  std::vector<Amendment> amendments;
  for (const RosterEntry& entry : roster) {
    if (HasLeft(entry.state) && entry.until.value_or(now) <= now) continue;
    Amendment amendment{entry.enrolment, entry.person, {}};
    for (const CalendarChange& change : changes) {
      if (!ChangesDates(change.kind)) continue;
      const bool concerned =
          (change.before.has_value() &&
           TakesPartAt(entry, change.before->start)) ||
          (change.after.has_value() && TakesPartAt(entry, change.after->start));
      if (concerned) amendment.half_days.push_back(change.half_day);
    }
    if (!amendment.half_days.empty()) {
      amendments.push_back(std::move(amendment));
    }
  }
  return amendments;
}

}  // namespace

const HalfDay* CalendarVersion::Find(const HalfDayName& half_day) const {
  auto found = std::find_if(
      half_days.begin(), half_days.end(),
      [&](const HalfDay& candidate) { return candidate.name == half_day; });
  return found == half_days.end() ? nullptr : &*found;
}

absl::TimeZone ZoneOf(std::string_view time_zone) {
  absl::TimeZone zone;
  absl::LoadTimeZone(AbslView(time_zone), &zone);
  return zone;
}

void Validate(const HalfDay& half_day, std::string_view prefix,
              FieldViolations& violations) {
  if (half_day.date == absl::CivilDay()) {
    violations.Add(Cat(prefix, "date"), Reason::kFieldRequired);
  }
  const auto check_minute = [&](std::string_view field, int64_t minute) {
    if (minute < 0 || minute > kLastMinute) {
      violations.Add(Cat(prefix, field), Reason::kFieldOutOfRange,
                     {{"minimum", "00:00"}, {"maximum", "23:59"}});
    }
  };
  check_minute("local_start", half_day.local_start);
  check_minute("local_end", half_day.local_end);
  if (half_day.local_end <= half_day.local_start) {
    violations.Add(Cat(prefix, "local_end"), Reason::kDatesOutOfOrder,
                   {{"earlier", Cat(prefix, "local_start")}});
  }
  std::set<std::string> modules;
  for (std::size_t i = 0; i < half_day.module_ids.size(); ++i) {
    if (!modules.insert(half_day.module_ids[i]).second) {
      violations.Add(Cat(prefix, "module_ids[", i, "]"),
                     Reason::kFieldMalformed, {{"expected", "named once"}});
    }
  }
  std::set<PersonName> people;
  for (std::size_t i = 0; i < half_day.trainers.size(); ++i) {
    if (half_day.trainers[i].person.body() != half_day.name.body()) {
      violations.Add(Cat(prefix, "trainers[", i, "].person"),
                     Reason::kUnknownReference);
    }
    if (!people.insert(half_day.trainers[i].person).second) {
      violations.Add(Cat(prefix, "trainers[", i, "].person"),
                     Reason::kFieldMalformed, {{"expected", "named once"}});
    }
  }
  if (!half_day.room.empty() &&
      half_day.room.Under<VenueName>() != half_day.venue) {
    violations.Add(Cat(prefix, "room"), Reason::kFieldMalformed,
                   {{"expected", "a room of the venue"}});
  }
}

void Resolve(absl::TimeZone zone, std::string_view prefix, HalfDay& half_day,
             FieldViolations& violations) {
  const auto resolve = [&](std::string_view field, int64_t minute,
                           absl::Time& instant) {
    const std::optional<absl::Time> found =
        InstantOf(zone, LocalTime(half_day.date, minute));
    if (found.has_value()) {
      instant = *found;
    } else {
      violations.Add(
          Cat(prefix, field), Reason::kFieldMalformed,
          {{"expected", Cat("a local time that exists in ", zone.name())}});
    }
  };
  resolve("local_start", half_day.local_start, half_day.start);
  resolve("local_end", half_day.local_end, half_day.end);
}

void CheckModules(const Calendar& calendar, const HalfDay& half_day,
                  std::string_view prefix, FieldViolations& violations) {
  for (std::size_t i = 0; i < half_day.module_ids.size(); ++i) {
    if (std::find(calendar.module_ids.begin(), calendar.module_ids.end(),
                  half_day.module_ids[i]) == calendar.module_ids.end()) {
      violations.Add(Cat(prefix, "module_ids[", i, "]"),
                     Reason::kUnknownReference);
    }
  }
}

bool SameTime(const HalfDay& a, const HalfDay& b) {
  return a.date == b.date && a.local_start == b.local_start &&
         a.local_end == b.local_end;
}

bool Copy(const CohortFacts& facts, Calendar& calendar) {
  const auto copied = [](const Calendar& c) {
    return std::tie(c.name, c.cohort_display_name, c.time_zone, c.programme,
                    c.module_ids, c.programme_minutes);
  };
  const Calendar before = calendar;
  calendar.name = CalendarOf(facts.name);
  calendar.cohort_display_name = facts.display_name;
  calendar.time_zone = facts.time_zone;
  calendar.programme = facts.programme;
  calendar.module_ids = facts.module_ids;
  calendar.programme_minutes = facts.programme_minutes;
  return copied(before) != copied(calendar);
}

std::vector<MissingItem> MissingIn(
    const std::vector<HalfDay>& half_days,
    const std::set<VenueName>& venues_with_rooms) {
  std::vector<MissingItem> missing;
  for (const HalfDay& half_day : half_days) {
    const auto add = [&](MissingWhat what) {
      missing.push_back({half_day.name, what});
    };
    if (half_day.day_kind == DayKind::kTbd) add(MissingWhat::kDayKind);
    if (half_day.venue.empty()) {
      add(MissingWhat::kVenue);
    } else if (half_day.room.empty() &&
               venues_with_rooms.contains(half_day.venue)) {
      add(MissingWhat::kRoom);
    }
    if (half_day.trainers.empty()) add(MissingWhat::kTrainers);
    if (half_day.day_kind == DayKind::kThematic &&
        half_day.module_ids.empty()) {
      add(MissingWhat::kModules);
    }
  }
  return missing;
}

CalendarTotals Sum(const std::vector<HalfDay>& half_days) {
  CalendarTotals totals;
  std::set<absl::CivilDay> days;
  for (const HalfDay& half_day : half_days) {
    days.insert(half_day.date);
    ++totals.half_days;
    totals.minutes += half_day.scheduled_minutes();
  }
  totals.days = static_cast<int64_t>(days.size());
  return totals;
}

std::vector<CalendarChange> Compare(const std::vector<HalfDay>& before,
                                    const std::vector<HalfDay>& after) {
  std::map<HalfDayName, std::pair<const HalfDay*, const HalfDay*>> pairs;
  for (const HalfDay& half_day : before) {
    pairs[half_day.name].first = &half_day;
  }
  for (const HalfDay& half_day : after) {
    pairs[half_day.name].second = &half_day;
  }
  std::vector<CalendarChange> changes;
  for (const auto& [name, pair] : pairs) {
    const auto [was, is] = pair;
    if (was == nullptr) {
      changes.push_back({CalendarChangeKind::kAdded, name, std::nullopt, *is});
      continue;
    }
    if (is == nullptr) {
      changes.push_back(
          {CalendarChangeKind::kRemoved, name, *was, std::nullopt});
      continue;
    }
    const auto add = [&, was = was, is = is](CalendarChangeKind kind) {
      changes.push_back({kind, was->name, *was, *is});
    };
    if (!SameTime(*was, *is)) add(CalendarChangeKind::kMoved);
    if (was->venue != is->venue || was->room != is->room) {
      add(CalendarChangeKind::kVenue);
    }
    if (TeachingOf(*was) != TeachingOf(*is)) add(CalendarChangeKind::kTrainers);
    if (was->module_ids != is->module_ids) add(CalendarChangeKind::kModules);
    if (was->day_kind != is->day_kind) add(CalendarChangeKind::kDayKind);
  }
  return changes;
}

absl::StatusOr<CalendarVersion> Publish(const Publication& publication,
                                        absl::Time now) {
  const Calendar& calendar = publication.calendar;
  if (publication.half_days.empty()) {
    return MakeError(Reason::kIllegalTransition,
                     {{"resource", calendar.name.text()},
                      {"state", "EMPTY"},
                      {"action", "PublishCalendar"}});
  }
  if (publication.previous.has_value() &&
      absl::StripAsciiWhitespace(publication.reason).empty()) {
    return MakeFieldError("reason", Reason::kReasonRequired);
  }
  CalendarVersion version;
  version.number = calendar.published_version + 1;
  version.name = ChildName<CalendarVersionName>(
      calendar.cohort(), "calendarVersions", Cat(version.number));
  version.reason = publication.reason;
  version.time_zone = calendar.time_zone;
  version.half_days = publication.half_days;
  std::sort(version.half_days.begin(), version.half_days.end(),
            [](const HalfDay& a, const HalfDay& b) {
              return std::tie(a.start, a.name) < std::tie(b.start, b.name);
            });
  version.missing_items =
      MissingIn(version.half_days, publication.venues_with_rooms);
  version.recipients = RecipientsOf(publication, now);
  if (publication.previous.has_value()) {
    version.amendments_needed = AmendmentsOf(
        Compare(publication.previous->half_days, version.half_days),
        publication.roster, now);
  }
  return version;
}

}  // namespace parcours::scheduling
