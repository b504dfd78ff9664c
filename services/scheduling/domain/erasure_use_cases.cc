#include "services/scheduling/domain/erasure_use_cases.h"

#include <set>
#include <string>
#include <utility>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "services/scheduling/domain/erasure.h"

namespace parcours::scheduling {
namespace {

// Every name under which the person stands in the record.
std::set<std::string> NamesOf(const PersonRecord& record) {
  std::set<std::string> names;
  for (const RosterEntry& entry : record.roster) {
    names.insert(entry.display_name);
  }
  for (const CompletionRecord& issued : record.completion_records) {
    names.insert(issued.learner_display_name);
  }
  if (record.trainer.has_value()) names.insert(record.trainer->display_name);
  const auto add_trainer = [&](const HalfDay& half_day) {
    for (const TrainerAssignment& trainer : half_day.trainers) {
      if (trainer.person == record.person) names.insert(trainer.display_name);
    }
  };
  for (const HalfDay& half_day : record.half_days) add_trainer(half_day);
  for (const CalendarVersion& version : record.versions) {
    for (const HalfDay& half_day : version.half_days) add_trainer(half_day);
    for (const Recipient& recipient : version.recipients) {
      if (recipient.person == record.person) {
        names.insert(recipient.display_name);
      }
    }
  }
  names.erase("");
  return names;
}

// What others wrote in the cohort may name the person.
absl::Status EraseNamesIn(SchedulingUnit& unit, const access::Caller& caller,
                          const CohortName& cohort, const PersonName& person,
                          const std::set<std::string>& names) {
  ASSIGN_OR_RETURN(std::vector<AttendanceEntry> entries,
                   unit.EntriesWithTexts(cohort));
  for (AttendanceEntry& entry : entries) {
    if (entry.person == person) continue;
    if (EraseNames(names, entry)) unit.entries().Update(entry);
  }
  ASSIGN_OR_RETURN(const std::vector<AttendanceSheet> sheets,
                   unit.SheetsOf(caller.scope, cohort));
  for (const AttendanceSheet& read : sheets) {
    std::string reason = read.close_reason;
    if (!EraseNames(names, reason)) continue;
    ASSIGN_OR_RETURN(AttendanceSheet sheet,
                     unit.sheets().Lock(caller.scope, read.name));
    sheet.close_reason = reason;
    unit.sheets().Update(sheet);
  }
  return absl::OkStatus();
}

absl::Status EraseRecord(SchedulingUnit& unit, const access::Caller& caller,
                         PersonRecord record) {
  const std::set<std::string> names = NamesOf(record);
  for (RosterEntry& entry : record.roster) {
    Erase(entry);
    unit.roster().Update(entry);
  }
  for (AttendanceEntry& entry : record.entries) {
    // What they attested of others is not theirs, and says nothing of them.
    if (entry.person != record.person) continue;
    Erase(entry);
    unit.entries().Update(entry);
  }
  for (CompletionRecord& issued : record.completion_records) {
    Erase(issued);
    unit.completion_records().Update(issued);
  }
  if (record.trainer.has_value()) {
    Erase(*record.trainer);
    unit.trainers().Update(*record.trainer);
  }
  for (HalfDay& half_day : record.half_days) {
    if (EraseName(record.person, half_day)) unit.half_days().Update(half_day);
  }
  for (CalendarVersion& version : record.versions) {
    const bool named = EraseName(record.person, version);
    const bool written = EraseNames(names, version.reason);
    if (named || written) unit.calendar_versions().Update(version);
  }
  for (const CohortName& cohort : record.cohorts) {
    RETURN_IF_ERROR(EraseNamesIn(unit, caller, cohort, record.person, names));
  }
  unit.Forget(record.person);
  return absl::OkStatus();
}

access::Caller WithoutRequestId(access::Caller caller) {
  caller.request_id.clear();
  caller.request_digest.clear();
  return caller;
}

}  // namespace

absl::Status ErasePerson(SchedulingStore& store, privacy::ErasureLog& log,
                         const access::Caller& caller,
                         const PersonName& person) {
  bool erased = false;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(erased, unit.IsErased(person));
    return absl::OkStatus();
  }));
  if (erased) return absl::OkStatus();
  RETURN_IF_ERROR(log.Append(person.text(), caller.now));
  return EraseAgain(store, caller, person);
}

absl::Status EraseAgain(SchedulingStore& store, const access::Caller& asking,
                        const PersonName& person) {
  const access::Caller caller = WithoutRequestId(asking);
  return store
      .Change(caller,
              [&](SchedulingUnit& unit) -> absl::StatusOr<std::string> {
                ASSIGN_OR_RETURN(const bool erased,
                                 IsErasedForGood(unit, person));
                if (erased) return person.text();
                ASSIGN_OR_RETURN(PersonRecord record, unit.RecordOf(person));
                RETURN_IF_ERROR(EraseRecord(unit, caller, std::move(record)));
                return person.text();
              })
      .status();
}

absl::StatusOr<PersonRecord> ReadPerson(SchedulingStore& store,
                                        const access::Caller& caller,
                                        const PersonName& person) {
  RETURN_IF_ERROR(CheckSelf(caller, person.text()));
  if (!caller.scope.Whole().Covers(person.body())) {
    return MakeError(Reason::kPermissionDenied);
  }
  PersonRecord record;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(record, unit.RecordOf(person));
    return absl::OkStatus();
  }));
  return record;
}

absl::StatusOr<std::vector<privacy::LegalHold>> HoldsOn(
    SchedulingStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const PersonName& person) {
  ASSIGN_OR_RETURN(const PersonRecord record,
                   ReadPerson(store, caller, person));
  return LegalHoldsOn(record, rules, caller.now);
}

absl::StatusOr<bool> IsErasedForGood(SchedulingUnit& unit,
                                     const PersonName& person) {
  // Whoever erases or copies takes this row first.
  RETURN_IF_ERROR(unit.EnrolmentPosition().status());
  return unit.IsErased(person);
}

}  // namespace parcours::scheduling
