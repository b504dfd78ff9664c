#include "services/scheduling/domain/roster_use_cases.h"

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "services/scheduling/domain/erasure.h"
#include "services/scheduling/domain/erasure_use_cases.h"
#include "services/scheduling/domain/session_record.h"

namespace parcours::scheduling {
namespace {

// How many calendars are read at a time.
constexpr int kPageSize = 100;

// What the owner says of everything that changed, read before the transaction
// in which it is applied.
struct OwnerState {
  std::vector<EnrolmentFacts> enrolments;
  std::vector<CohortFacts> cohorts;
  std::map<PersonName, std::string> people;
};

access::Caller WithoutRequestId(access::Caller caller) {
  caller.request_id.clear();
  caller.request_digest.clear();
  return caller;
}

absl::StatusOr<std::vector<Calendar>> AllCalendars(
    SchedulingStore& store, const access::Caller& caller) {
  std::vector<Calendar> calendars;
  PageRequest request{.size = kPageSize};
  do {
    ASSIGN_OR_RETURN(
        Page<Calendar> page,
        ListResources<Calendar>(store, caller, &SchedulingUnit::calendars, "",
                                request));
    for (Calendar& calendar : page.items) {
      calendars.push_back(std::move(calendar));
    }
    request.after_key = page.next_key;
  } while (!request.after_key.empty());
  return calendars;
}

// The cohorts with a calendar here that a change of these touches, cohorts and
// programmes.
absl::StatusOr<std::set<CohortName>> TouchedCohorts(
    SchedulingStore& store, const access::Caller& caller,
    const std::set<CohortName>& cohorts,
    const std::set<ProgrammeName>& programmes) {
  std::set<CohortName> touched;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    touched.clear();
    for (const CohortName& cohort : cohorts) {
      ASSIGN_OR_RETURN(const std::optional<Calendar> calendar,
                       unit.calendars().Find(caller.scope, CalendarOf(cohort)));
      if (calendar.has_value()) touched.insert(cohort);
    }
    for (const ProgrammeName& programme : programmes) {
      ASSIGN_OR_RETURN(const std::vector<CohortName> found,
                       unit.CohortsOf(programme));
      touched.insert(found.begin(), found.end());
    }
    return absl::OkStatus();
  }));
  return touched;
}

// Whom the owner says that it has erased.
std::vector<PersonName> ErasedBy(const std::vector<EnrolmentChange>& changes) {
  std::vector<PersonName> persons;
  for (const EnrolmentChange& change : changes) {
    if (change.kind != "erasure") continue;
    persons.push_back(PersonOf(ErasureName::FromRecord(change.resource)));
  }
  return persons;
}

absl::StatusOr<OwnerState> ReadChanged(
    SchedulingStore& store, EnrolmentPort& enrolment,
    const access::Caller& caller, const std::vector<EnrolmentChange>& changes) {
  OwnerState state;
  std::set<std::string> enrolments;
  std::set<std::string> people;
  std::set<CohortName> cohorts;
  std::set<ProgrammeName> programmes;
  for (const EnrolmentChange& change : changes) {
    if (change.kind == "enrolment") enrolments.insert(change.resource);
    if (change.kind == "person") people.insert(change.resource);
    if (change.kind == "cohort") {
      cohorts.insert(CohortName::FromRecord(change.resource));
    }
    if (change.kind == "programme") {
      programmes.insert(ProgrammeName::FromRecord(change.resource));
    }
  }
  for (const std::string& name : enrolments) {
    absl::StatusOr<EnrolmentFacts> facts =
        enrolment.GetEnrolment(caller, EnrolmentName::FromRecord(name));
    if (facts.ok()) {
      state.enrolments.push_back(*std::move(facts));
    } else if (!absl::IsNotFound(facts.status())) {
      return facts.status();
    }
  }
  for (const std::string& name : people) {
    const PersonName person = PersonName::FromRecord(name);
    absl::StatusOr<std::string> display_name =
        enrolment.GetPersonDisplayName(caller, person);
    if (display_name.ok()) {
      state.people.emplace(person, *std::move(display_name));
    } else if (!absl::IsNotFound(display_name.status())) {
      return display_name.status();
    }
  }
  if (!cohorts.empty() || !programmes.empty()) {
    ASSIGN_OR_RETURN(const std::set<CohortName> touched,
                     TouchedCohorts(store, caller, cohorts, programmes));
    for (const CohortName& cohort : touched) {
      ASSIGN_OR_RETURN(CohortFacts facts, enrolment.GetCohort(caller, cohort));
      state.cohorts.push_back(std::move(facts));
    }
  }
  return state;
}

absl::StatusOr<OwnerState> ReadEverything(SchedulingStore& store,
                                          EnrolmentPort& enrolment,
                                          const access::Caller& caller) {
  OwnerState state;
  ASSIGN_OR_RETURN(const std::vector<Calendar> calendars,
                   AllCalendars(store, caller));
  for (const Calendar& calendar : calendars) {
    ASSIGN_OR_RETURN(CohortFacts facts,
                     enrolment.GetCohort(caller, calendar.cohort()));
    state.cohorts.push_back(std::move(facts));
    ASSIGN_OR_RETURN(std::vector<EnrolmentFacts> enrolments,
                     enrolment.ListEnrolments(caller, calendar.cohort()));
    for (EnrolmentFacts& found : enrolments) {
      state.enrolments.push_back(std::move(found));
    }
  }
  return state;
}

absl::Status ApplyEnrolment(SchedulingUnit& unit, const access::Caller& caller,
                            const EnrolmentFacts& facts) {
  ASSIGN_OR_RETURN(
      const std::optional<Calendar> calendar,
      unit.calendars().Find(caller.scope,
                            CalendarOf(facts.name.Under<CohortName>())));
  ASSIGN_OR_RETURN(const std::optional<RosterEntry> known,
                   unit.roster().Find(caller.scope, RosterEntryOf(facts.name)));
  RosterEntry entry = known.value_or(RosterEntry());
  const absl::TimeZone zone =
      ZoneOf(calendar.has_value() ? calendar->time_zone : "Europe/Paris");
  if (!Copy(facts, zone, caller.now, entry)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool erased, IsErasedForGood(unit, entry.person));
  if (erased) {
    // What the owner said before it erased somebody brings nobody back.
    Erase(entry);
  } else if (entry.display_name.empty() && known.has_value()) {
    // Erased by the owner: until that is done here too, the name tells where.
    entry.display_name = known->display_name;
  }
  if (known.has_value()) {
    unit.roster().Update(entry);
  } else {
    unit.roster().Insert(entry);
  }
  return absl::OkStatus();
}

absl::Status ApplyCohort(SchedulingUnit& unit, const access::Caller& caller,
                         const CohortFacts& facts) {
  ASSIGN_OR_RETURN(Calendar calendar,
                   unit.calendars().Lock(caller.scope, CalendarOf(facts.name)));
  if (Copy(facts, calendar)) unit.calendars().Update(calendar);
  return absl::OkStatus();
}

absl::Status ApplyName(SchedulingUnit& unit, const access::Caller& caller,
                       const PersonName& person,
                       const std::string& display_name) {
  // Somebody whom the owner has erased: that is done as an erasure.
  if (display_name.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool erased, IsErasedForGood(unit, person));
  if (erased) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<Trainer> trainer,
                   unit.trainers().Find(caller.scope, person));
  if (trainer.has_value() && trainer->display_name != display_name) {
    Trainer renamed = *trainer;
    renamed.display_name = display_name;
    unit.trainers().Update(renamed);
  }
  ASSIGN_OR_RETURN(std::vector<RosterEntry> entries,
                   unit.RosterEntriesOf(person));
  for (RosterEntry& entry : entries) {
    if (entry.display_name == display_name) continue;
    entry.display_name = display_name;
    unit.roster().Update(entry);
  }
  return absl::OkStatus();
}

// Applies `state` if the copy still stands at `from`, and moves it to `to`.
// False when another reader was faster.
absl::StatusOr<bool> Apply(SchedulingStore& store, const access::Caller& caller,
                           const OwnerState& state, const std::string& from,
                           const std::string& to) {
  bool applied = false;
  RETURN_IF_ERROR(
      store
          .Change(caller,
                  [&](SchedulingUnit& unit) -> absl::StatusOr<std::string> {
                    ASSIGN_OR_RETURN(const std::string position,
                                     unit.EnrolmentPosition());
                    applied = position == from;
                    if (!applied) return position;
                    for (const CohortFacts& facts : state.cohorts) {
                      RETURN_IF_ERROR(ApplyCohort(unit, caller, facts));
                    }
                    for (const EnrolmentFacts& facts : state.enrolments) {
                      RETURN_IF_ERROR(ApplyEnrolment(unit, caller, facts));
                    }
                    for (const auto& [person, display_name] : state.people) {
                      RETURN_IF_ERROR(
                          ApplyName(unit, caller, person, display_name));
                    }
                    unit.SetEnrolmentPosition(to);
                    return to;
                  })
          .status());
  return applied;
}

// Settles what waited on the sheets of the cohorts of `state`.
absl::Status Settle(SchedulingStore& store, const access::Caller& caller,
                    const OwnerState& state) {
  std::set<CohortName> cohorts;
  for (const EnrolmentFacts& facts : state.enrolments) {
    cohorts.insert(facts.name.Under<CohortName>());
  }
  for (const CohortName& cohort : cohorts) {
    std::vector<HalfDayName> waiting;
    RETURN_IF_ERROR(
        store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
          ASSIGN_OR_RETURN(waiting, unit.HalfDaysToReconcile(cohort));
          return absl::OkStatus();
        }));
    for (const HalfDayName& half_day : waiting) {
      RETURN_IF_ERROR(
          store
              .Change(caller,
                      [&](SchedulingUnit& unit) -> absl::StatusOr<std::string> {
                        ASSIGN_OR_RETURN(AttendanceSheet sheet,
                                         unit.sheets().Lock(caller.scope,
                                                            SheetOf(half_day)));
                        if (sheet.state == SheetState::kClosed) {
                          return sheet.name.text();
                        }
                        ASSIGN_OR_RETURN(Session session,
                                         ReadSession(unit, caller, half_day));
                        const int64_t before = sheet.entry_count;
                        RETURN_IF_ERROR(
                            RecordSettled(unit, caller, sheet, session));
                        if (sheet.entry_count != before) {
                          unit.sheets().Update(sheet);
                        }
                        return sheet.name.text();
                      })
              .status());
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AppliedChanges> ApplyEnrolmentChanges(
    SchedulingStore& store, EnrolmentPort& enrolment, privacy::ErasureLog& log,
    const access::Caller& asking) {
  const access::Caller caller = WithoutRequestId(asking);
  AppliedChanges applied;
  for (bool more = true; more;) {
    std::string from;
    RETURN_IF_ERROR(
        store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
          ASSIGN_OR_RETURN(from, unit.EnrolmentPosition());
          return absl::OkStatus();
        }));
    applied.token = from;
    const absl::StatusOr<EnrolmentChanges> read =
        enrolment.ListChanges(caller, from);
    OwnerState state;
    std::vector<PersonName> erased;
    std::string to;
    if (read.ok()) {
      if (read->changes.empty() && read->next_token == from) break;
      ASSIGN_OR_RETURN(state,
                       ReadChanged(store, enrolment, caller, read->changes));
      erased = ErasedBy(read->changes);
      to = read->next_token;
      more = read->more;
    } else if (read.status().code() == absl::StatusCode::kOutOfRange &&
               !from.empty()) {
      // The feed is followed again from its oldest change, after a copy of
      // everything makes up for what is no longer in it.
      ASSIGN_OR_RETURN(state, ReadEverything(store, enrolment, caller));
      ASSIGN_OR_RETURN(erased, enrolment.ListErasures(caller));
    } else {
      return read.status();
    }
    // Before the position says that it was done.
    for (const PersonName& person : erased) {
      RETURN_IF_ERROR(ErasePerson(store, log, caller, person));
    }
    ASSIGN_OR_RETURN(const bool moved, Apply(store, caller, state, from, to));
    if (!moved) {
      more = true;
      continue;
    }
    applied.token = to;
    if (read.ok()) {
      applied.count += static_cast<int64_t>(read->changes.size());
    }
    RETURN_IF_ERROR(Settle(store, caller, state));
  }
  return applied;
}

}  // namespace parcours::scheduling
