#include "services/enrolment/domain/due_work.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "common/status/macros.h"
#include "services/enrolment/domain/cohort.h"
#include "services/enrolment/domain/locked_place.h"

namespace parcours::enrolment {
namespace {

constexpr int kDecisionsPerRound = 100;

bool IsDue(const Cohort& cohort, absl::Time now) {
  return NextStepTime(cohort).value_or(absl::InfiniteFuture()) <= now;
}

// What time decides on at `now`, longest due first within each kind.
struct Due {
  std::vector<Application> applications;
  std::vector<Cohort> cohorts;
};

absl::StatusOr<Due> FindDue(EnrolmentStore& store, const access::Caller& caller,
                            absl::Time now, int limit) {
  Due due;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(due.applications, unit.PlacesDue(now, limit));
    ASSIGN_OR_RETURN(due.cohorts, unit.CohortsToStepOn(now));
    return absl::OkStatus();
  }));
  due.cohorts.erase(std::remove_if(due.cohorts.begin(), due.cohorts.end(),
                                   [now](const Cohort& cohort) {
                                     return !IsDue(cohort, now);
                                   }),
                    due.cohorts.end());
  return due;
}

absl::StatusOr<bool> DecidePlace(EnrolmentStore& store,
                                 const rules::RuleBook& rules,
                                 const access::Caller& caller,
                                 const ApplicationName& name) {
  bool decided = false;
  const auto decide = [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(decided, LapseIfDue(unit, rules, caller, name));
    return name.text();
  };
  RETURN_IF_ERROR(store.Change(caller, decide).status());
  return decided;
}

absl::StatusOr<bool> StepCohortOn(EnrolmentStore& store, access::Caller caller,
                                  const CohortName& name) {
  caller.method = "CohortCalendar";
  bool stepped = false;
  const auto step = [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(Cohort cohort, unit.cohorts().Lock(caller.scope, name));
    stepped = IsDue(cohort, caller.now);
    if (!stepped) return name.text();
    StepOn(cohort);
    unit.cohorts().Update(cohort);
    return name.text();
  };
  RETURN_IF_ERROR(store.Change(caller, step).status());
  return stepped;
}

}  // namespace

absl::StatusOr<int> DecideDue(EnrolmentStore& store,
                              const rules::RuleBook& rules,
                              const access::Caller& caller) {
  int decisions = 0;
  while (true) {
    ASSIGN_OR_RETURN(const Due due,
                     FindDue(store, caller, caller.now, kDecisionsPerRound));
    const int decisions_before = decisions;
    for (const Application& application : due.applications) {
      ASSIGN_OR_RETURN(const bool decided,
                       DecidePlace(store, rules, caller, application.name));
      if (decided) ++decisions;
    }
    for (const Cohort& cohort : due.cohorts) {
      ASSIGN_OR_RETURN(const bool stepped,
                       StepCohortOn(store, caller, cohort.name));
      if (stepped) ++decisions;
    }
    if (decisions == decisions_before) return decisions;
  }
}

absl::StatusOr<absl::Time> NextDueTime(EnrolmentStore& store,
                                       const access::Caller& caller,
                                       absl::Time until) {
  ASSIGN_OR_RETURN(const Due due, FindDue(store, caller, until, /*limit=*/1));
  absl::Time next = absl::InfiniteFuture();
  for (const Application& application : due.applications) {
    next = std::min(
        {next, application.place_expire_time.value_or(absl::InfiniteFuture()),
         application.pieces_due_time.value_or(absl::InfiniteFuture())});
  }
  for (const Cohort& cohort : due.cohorts) {
    next = std::min(next, *NextStepTime(cohort));
  }
  return next;
}

}  // namespace parcours::enrolment
