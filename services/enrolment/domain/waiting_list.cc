#include "services/enrolment/domain/waiting_list.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/status/macros.h"
#include "services/enrolment/domain/place.h"

namespace parcours::enrolment {
namespace {

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

}  // namespace

void CountMove(PlaceCounts& counts, PlaceState from, PlaceState to) {
  if (int64_t* left = Counter(counts, from)) --*left;
  if (int64_t* reached = Counter(counts, to)) ++*reached;
}

absl::Status OfferFreePlaces(EnrolmentUnit& unit, const rules::RuleBook& rules,
                             const access::Caller& caller, const Cohort& cohort,
                             PlaceCounts& counts,
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
    CountMove(counts, PlaceState::kWaitlisted, PlaceState::kOffered);
    situation.counts = counts;
  }
  return absl::OkStatus();
}

}  // namespace parcours::enrolment
