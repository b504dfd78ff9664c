#include "services/scheduling/domain/completion_use_cases.h"

#include <optional>
#include <utility>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "services/scheduling/domain/erasure_use_cases.h"
#include "services/scheduling/domain/session_record.h"

namespace parcours::scheduling {
namespace {

// The whole cohort's, of which a caller is shown what concerns their own.
absl::StatusOr<CohortAttendance> ReadAttendance(SchedulingUnit& unit,
                                                const access::Caller& caller,
                                                const CohortName& cohort) {
  const access::Scope whole = caller.scope.Whole();
  CohortAttendance attendance;
  ASSIGN_OR_RETURN(attendance.calendar, ReadPublished(unit, caller, cohort));
  ASSIGN_OR_RETURN(attendance.sheets, unit.SheetsOf(whole, cohort));
  ASSIGN_OR_RETURN(attendance.entries, unit.EntriesOfCohort(whole, cohort));
  return attendance;
}

}  // namespace

absl::StatusOr<AttendanceSummary> GetSummary(SchedulingStore& store,
                                             const access::Caller& caller,
                                             const EnrolmentName& enrolment) {
  AttendanceSummary summary;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(const RosterEntry learner,
                     unit.roster().Get(caller.scope, RosterEntryOf(enrolment)));
    ASSIGN_OR_RETURN(
        const CohortAttendance attendance,
        ReadAttendance(unit, caller, enrolment.Under<CohortName>()));
    summary = Summarise(attendance, learner, caller.now);
    return absl::OkStatus();
  }));
  return summary;
}

absl::StatusOr<Page<AttendanceSummary>> ListSummaries(
    SchedulingStore& store, const access::Caller& caller,
    const CohortName& cohort, const PageRequest& request) {
  Page<AttendanceSummary> page;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(const CohortAttendance attendance,
                     ReadAttendance(unit, caller, cohort));
    ASSIGN_OR_RETURN(const Page<RosterEntry> roster,
                     unit.roster().List(caller.scope, cohort.text(), request));
    page.items.clear();
    for (const RosterEntry& learner : roster.items) {
      page.items.push_back(Summarise(attendance, learner, caller.now));
    }
    page.next_key = roster.next_key;
    return absl::OkStatus();
  }));
  return page;
}

absl::StatusOr<CompletionRecord> CreateCompletionRecord(
    SchedulingStore& store, EnrolmentPort& owner, const access::Caller& caller,
    const EnrolmentName& enrolment) {
  RETURN_IF_ERROR(CheckWithin(caller, enrolment.body()));
  const absl::StatusOr<EnrolmentFacts> facts =
      owner.GetEnrolment(caller, enrolment);
  if (!facts.ok()) {
    return absl::IsNotFound(facts.status())
               ? MakeFieldError("completion_record.enrolment",
                                Reason::kUnknownReference)
               : facts.status();
  }
  if (facts->display_name.empty()) return MakeError(Reason::kPersonErased);
  ASSIGN_OR_RETURN(const ActionFacts action, owner.GetAction(caller, *facts));
  return ChangeResource<CompletionRecord>(
      store, caller, &SchedulingUnit::completion_records,
      [&](SchedulingUnit& unit) -> absl::StatusOr<CompletionRecord> {
        const CompletionRecordName name = CompletionRecordOf(enrolment);
        ASSIGN_OR_RETURN(const std::optional<CompletionRecord> issued,
                         unit.completion_records().Find(caller.scope, name));
        if (issued.has_value()) {
          return MakeError(Reason::kAlreadyExists, {{"resource", name.text()}});
        }
        ASSIGN_OR_RETURN(const bool erased,
                         IsErasedForGood(unit, facts->person));
        if (erased) return MakeError(Reason::kPersonErased);
        ASSIGN_OR_RETURN(
            const CohortAttendance attendance,
            ReadAttendance(unit, caller, enrolment.Under<CohortName>()));
        // The copy only remembers when somebody without an end date left.
        ASSIGN_OR_RETURN(
            const std::optional<RosterEntry> known,
            unit.roster().Find(caller.scope, RosterEntryOf(enrolment)));
        RosterEntry learner = known.value_or(RosterEntry());
        Copy(*facts, ZoneOf(attendance.calendar.time_zone), caller.now,
             learner);
        ASSIGN_OR_RETURN(CompletionRecord record,
                         IssueRecord(attendance, learner, action, caller.now));
        unit.completion_records().Insert(record);
        return record;
      });
}

}  // namespace parcours::scheduling
