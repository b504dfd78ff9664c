#include "services/enrolment/domain/waiting_list.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/status/macros.h"
#include "services/enrolment/domain/place.h"

namespace parcours::enrolment {
namespace {

constexpr int kPlacesPerRound = 100;

int64_t* Counter(PlaceCounts& counts, PlaceState state) {
  switch (state) {
    case PlaceState::kHeld:
      return &counts.held;
    case PlaceState::kOffered:
      return &counts.offered;
    case PlaceState::kConfirmed:
      return &counts.confirmed;
    case PlaceState::kAtRisk:
      return &counts.at_risk;
    case PlaceState::kWaitlisted:
      return &counts.waitlisted;
    case PlaceState::kNone:
    case PlaceState::kReleased:
      return nullptr;
  }
  return nullptr;
}

// Time decides on one application, unless somebody else did meanwhile.
absl::StatusOr<bool> DecideDuePlace(EnrolmentStore& store,
                                    const rules::RuleBook& rules,
                                    const access::Caller& caller,
                                    const ApplicationName& name) {
  bool decided = false;
  RETURN_IF_ERROR(
      store
          .Change(caller,
                  [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
                    decided = false;
                    ASSIGN_OR_RETURN(LockedPlaces places,
                                     unit.LockPlaces(caller.scope,
                                                     name.Under<CohortName>()));
                    ASSIGN_OR_RETURN(
                        Application application,
                        unit.applications().Lock(caller.scope, name));
                    if (!IsDue(application, caller.now)) return name.text();
                    const PlaceState before = application.place_state;
                    unit.Append(Lapse(application, {.cohort = places.cohort,
                                                    .counts = places.counts,
                                                    .now = caller.now,
                                                    .cause = "PlaceDeadline",
                                                    .rules = rules}));
                    unit.applications().Update(application);
                    CountMove(places.counts, before, application.place_state);
                    RETURN_IF_ERROR(OfferFreePlaces(
                        unit, rules, caller, places.cohort, places.counts));
                    decided = true;
                    return name.text();
                  })
          .status());
  return decided;
}

}  // namespace

void CountMove(PlaceCounts& counts, PlaceState from, PlaceState to) {
  if (int64_t* left = Counter(counts, from)) --*left;
  if (int64_t* reached = Counter(counts, to)) ++*reached;
}

absl::Status OfferFreePlaces(EnrolmentUnit& unit, const rules::RuleBook& rules,
                             const access::Caller& caller, const Cohort& cohort,
                             PlaceCounts counts,
                             const ApplicationName& passed) {
  PlaceSituation situation{.cohort = cohort,
                           .counts = counts,
                           .now = caller.now,
                           .cause = "OfferPlace",
                           .rules = rules};
  if (counts.waitlisted == 0 || !MayOffer(situation)) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      std::vector<Application> waitlisted,
      unit.ApplicationsByPlace(access::Scope::Body(cohort.name.body()),
                               cohort.name, {PlaceState::kWaitlisted}));
  while (MayOffer(situation)) {
    const Application* next = NextInLine(waitlisted, passed);
    if (next == nullptr) break;
    auto& application =
        waitlisted[static_cast<std::size_t>(next - waitlisted.data())];
    ASSIGN_OR_RETURN(const PlaceEvent event, Offer(application, situation));
    unit.Append(event);
    unit.applications().Update(application);
    CountMove(situation.counts, PlaceState::kWaitlisted, PlaceState::kOffered);
  }
  return absl::OkStatus();
}

absl::StatusOr<int> DecideDuePlaces(EnrolmentStore& store,
                                    const rules::RuleBook& rules,
                                    const access::Caller& caller) {
  int decisions = 0;
  while (true) {
    std::vector<Application> due;
    RETURN_IF_ERROR(
        store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
          ASSIGN_OR_RETURN(due, unit.PlacesDue(caller.now, kPlacesPerRound));
          return absl::OkStatus();
        }));
    const int decisions_before = decisions;
    for (const Application& application : due) {
      ASSIGN_OR_RETURN(const bool decided,
                       DecideDuePlace(store, rules, caller, application.name));
      if (decided) ++decisions;
    }
    if (decisions == decisions_before) return decisions;
  }
}

absl::StatusOr<absl::Time> NextDueTime(EnrolmentStore& store,
                                       const access::Caller& caller,
                                       absl::Time until) {
  absl::Time next = absl::InfiniteFuture();
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<Application> due,
                     unit.PlacesDue(until, 1));
    for (const Application& application : due) {
      next = std::min(
          {next, application.place_expire_time.value_or(absl::InfiniteFuture()),
           application.pieces_due_time.value_or(absl::InfiniteFuture())});
    }
    return absl::OkStatus();
  }));
  return next;
}

}  // namespace parcours::enrolment
