#include "services/evaluation/domain/erasure_use_cases.h"

#include <set>
#include <string>
#include <utility>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "services/evaluation/domain/erasure.h"
#include "services/evaluation/domain/legal_holds.h"

namespace parcours::evaluation {
namespace {

absl::StatusOr<bool> IsErased(EvaluationUnit& unit, const PersonName& person) {
  ASSIGN_OR_RETURN(const std::set<PersonName> erased,
                   unit.ErasedAmong({person}));
  return !erased.empty();
}

// What the record holds of the learner, and of the member and reader.
absl::Status EraseRecord(EvaluationUnit& unit, PersonRecord record) {
  RETURN_IF_ERROR(unit.ExpireFiles(record.person, record.versions));
  for (RosterEntry& entry : record.roster) {
    Erase(entry);
    unit.roster().Update(entry);
  }
  for (ValidationNote& note : record.notes) {
    Erase(note);
    unit.notes().Update(note);
  }
  for (NoteVersion& version : record.versions) {
    Erase(version);
    unit.versions().Update(version);
  }
  for (NoteReader& report : record.reports) {
    EraseReport(report);
    unit.readers().Update(report);
  }
  for (Decision& decision : record.decisions) {
    Erase(decision);
    unit.decisions().Update(decision);
  }
  for (Result& result : record.results) {
    Erase(result);
    unit.results().Update(result);
  }
  for (Appeal& appeal : record.appeals) {
    Erase(appeal);
    unit.appeals().Update(appeal);
  }
  for (Jury& jury : record.juries) {
    EraseMember(jury, record.person);
    unit.juries().Update(jury);
  }
  for (NoteReader& reading : record.readings) {
    EraseReader(reading);
    unit.readers().Update(reading);
  }
  return unit.Forget(record.person);
}

}  // namespace

absl::Status ErasePerson(EvaluationStore& store, privacy::ErasureLog& log,
                         const access::Caller& caller,
                         const PersonName& person) {
  bool erased = false;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(erased, IsErased(unit, person));
    return absl::OkStatus();
  }));
  if (erased) return absl::OkStatus();
  RETURN_IF_ERROR(log.Append(person.text(), caller.now));
  return EraseAgain(store, caller, person);
}

absl::Status EraseAgain(EvaluationStore& store, const access::Caller& caller,
                        const PersonName& person) {
  const auto erase = [&](EvaluationUnit& unit) -> absl::StatusOr<std::string> {
    // Nobody who has asked who is erased writes a name meanwhile.
    RETURN_IF_ERROR(unit.RosterPosition().status());
    ASSIGN_OR_RETURN(const bool erased, IsErased(unit, person));
    if (erased) return person.text();
    ASSIGN_OR_RETURN(PersonRecord record, unit.RecordOf(caller.scope, person));
    RETURN_IF_ERROR(EraseRecord(unit, std::move(record)));
    return person.text();
  };
  return store.Change(caller, erase).status();
}

absl::StatusOr<std::vector<privacy::LegalHold>> HoldsOn(
    EvaluationStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const PersonName& person) {
  std::vector<privacy::LegalHold> holds;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(const PersonRecord record,
                     unit.RecordOf(caller.scope, person));
    ASSIGN_OR_RETURN(holds, LegalHoldsOn(record, rules, caller.now));
    return absl::OkStatus();
  }));
  return holds;
}

absl::Status CheckNotErased(EvaluationUnit& unit,
                            const std::vector<PersonName>& persons) {
  ASSIGN_OR_RETURN(const std::set<PersonName> erased,
                   unit.ErasedAmong(persons));
  return erased.empty() ? absl::OkStatus() : MakeError(Reason::kPersonErased);
}

}  // namespace parcours::evaluation
