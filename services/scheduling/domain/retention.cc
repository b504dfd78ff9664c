#include "services/scheduling/domain/retention.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "common/privacy/retention_period.h"
#include "common/status/macros.h"
#include "common/time/clock.h"
#include "services/scheduling/domain/session_record.h"

namespace parcours::scheduling {
namespace {

using privacy::RetentionClass;

constexpr std::size_t kMost = 500;

struct Due {
  RetentionClass absence_reason;
  std::vector<AttendanceEntry> entries;
};

absl::StatusOr<Due> FindDue(SchedulingUnit& unit, const rules::RuleBook& rules,
                            const access::Caller& caller,
                            const BodyName& body) {
  const absl::CivilDay today = ParisDay(caller.now);
  ASSIGN_OR_RETURN(const rules::DatedRule rule,
                   rules.AsOf(kAbsenceReasonRetention, today));
  Due due;
  due.absence_reason = {
      .kind = "absence_reason",
      .description_fr = "Motifs et déclarations sur les feuilles d’émargement",
      .rule = rule,
      .starts_fr = "après la fin de la formation",
      .due = {}};
  ASSIGN_OR_RETURN(const std::vector<CohortName> cohorts,
                   unit.CohortsWithTexts(body));
  for (const CohortName& cohort : cohorts) {
    ASSIGN_OR_RETURN(const CalendarVersion published,
                     ReadPublished(unit, caller, cohort));
    if (!IsOverdue(published, rule, today)) continue;
    ASSIGN_OR_RETURN(std::vector<AttendanceEntry> entries,
                     unit.EntriesWithTexts(cohort));
    for (AttendanceEntry& entry : entries) {
      if (entry.statement.empty() && entry.reason.empty()) continue;
      if (due.entries.size() == kMost) break;
      due.entries.push_back(std::move(entry));
    }
  }
  std::sort(due.entries.begin(), due.entries.end(),
            [](const AttendanceEntry& a, const AttendanceEntry& b) {
              return a.name < b.name;
            });
  for (const AttendanceEntry& entry : due.entries) {
    due.absence_reason.due.push_back(entry.name.text());
  }
  return due;
}

}  // namespace

bool IsOverdue(const CalendarVersion& published, const rules::DatedRule& rule,
               absl::CivilDay today) {
  if (published.half_days.empty()) return false;
  absl::CivilDay last = published.half_days.front().date;
  for (const HalfDay& half_day : published.half_days) {
    last = std::max(last, half_day.date);
  }
  return privacy::IsOverdue(last, rule, today);
}

absl::StatusOr<std::vector<RetentionClass>> DueIn(SchedulingStore& store,
                                                  const rules::RuleBook& rules,
                                                  const access::Caller& caller,
                                                  const BodyName& body) {
  RETURN_IF_ERROR(CheckWithin(caller, body.text()));
  std::vector<RetentionClass> classes;
  RETURN_IF_ERROR(store.View(caller, [&](SchedulingUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(Due due, FindDue(unit, rules, caller, body));
    classes = {std::move(due.absence_reason)};
    return absl::OkStatus();
  }));
  return classes;
}

absl::StatusOr<std::vector<RetentionClass>> RemoveDue(
    SchedulingStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const BodyName& body,
    absl::FunctionRef<absl::Status(const std::vector<RetentionClass>&)> check) {
  RETURN_IF_ERROR(CheckWithin(caller, body.text()));
  std::vector<RetentionClass> removed;
  const auto remove = [&](SchedulingUnit& unit) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(Due due, FindDue(unit, rules, caller, body));
    removed = {std::move(due.absence_reason)};
    RETURN_IF_ERROR(check(removed));
    for (AttendanceEntry& entry : due.entries) {
      entry.statement.clear();
      entry.reason.clear();
      // Without it nothing can be guessed from the commitment, which stays.
      entry.salt.clear();
      unit.entries().Update(entry);
    }
    return body.text();
  };
  ASSIGN_OR_RETURN(const ChangeOutcome outcome, store.Change(caller, remove));
  if (!outcome.replayed) return removed;
  return DueIn(store, rules, caller, body);
}

}  // namespace parcours::scheduling
