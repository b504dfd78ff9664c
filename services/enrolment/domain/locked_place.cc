#include "services/enrolment/domain/locked_place.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "common/status/macros.h"
#include "services/enrolment/domain/erasure.h"
#include "services/enrolment/domain/waiting_list.h"

namespace parcours::enrolment {
namespace {

constexpr std::string_view kTimer = "PlaceDeadline";

absl::StatusOr<LockedPlace> LockAsStored(EnrolmentUnit& unit,
                                         const rules::RuleBook& rules,
                                         const access::Caller& caller,
                                         const ApplicationName& name,
                                         std::string_view cause) {
  ASSIGN_OR_RETURN(LockedPlaces places,
                   unit.LockPlaces(caller.scope, name.Under<CohortName>()));
  ASSIGN_OR_RETURN(Application application,
                   unit.applications().Lock(caller.scope, name));
  const PlaceState before = application.place_state;
  return LockedPlace{.places = std::move(places),
                     .application = std::move(application),
                     .before = before,
                     .cause = std::string(cause),
                     .now = caller.now,
                     .rules = rules};
}

// REQUIRES: IsDue.
absl::Status LapsePlace(EnrolmentUnit& unit, const access::Caller& caller,
                        LockedPlace& locked) {
  PlaceSituation situation = locked.Situation();
  situation.cause = kTimer;
  const PlaceEvent event = Lapse(locked.application, situation);
  unit.Append(event);
  RETURN_IF_ERROR(EndParticipation(unit, caller, locked.places.cohort,
                                   locked.application.name, event.text_fr));
  return SettlePlace(unit, caller, locked);
}

}  // namespace

absl::StatusOr<LockedPlace> LockPlace(EnrolmentUnit& unit,
                                      const rules::RuleBook& rules,
                                      const access::Caller& caller,
                                      const ApplicationName& name,
                                      std::string_view cause) {
  ASSIGN_OR_RETURN(LockedPlace locked,
                   LockAsStored(unit, rules, caller, name, cause));
  RETURN_IF_ERROR(CheckNotErased(locked.application));
  if (IsDue(locked.application, caller.now) &&
      locked.before != PlaceState::kOffered) {
    RETURN_IF_ERROR(LapsePlace(unit, caller, locked));
  }
  return locked;
}

absl::StatusOr<bool> LapseIfDue(EnrolmentUnit& unit,
                                const rules::RuleBook& rules,
                                const access::Caller& caller,
                                const ApplicationName& name) {
  ASSIGN_OR_RETURN(LockedPlace locked,
                   LockAsStored(unit, rules, caller, name, kTimer));
  if (!IsDue(locked.application, caller.now)) return false;
  RETURN_IF_ERROR(LapsePlace(unit, caller, locked));
  return true;
}

absl::Status SettlePlace(EnrolmentUnit& unit, const access::Caller& caller,
                         LockedPlace& locked) {
  unit.applications().Update(locked.application);
  const bool passed = locked.before == PlaceState::kOffered &&
                      locked.application.place_state == PlaceState::kWaitlisted;
  CountMove(locked.places.counts, locked.before,
            locked.application.place_state);
  locked.before = locked.application.place_state;
  return OfferFreePlaces(unit, locked.rules, caller, locked.places.cohort,
                         locked.places.counts,
                         passed ? locked.application.name : ApplicationName());
}

absl::StatusOr<bool> HasSignedAgreement(EnrolmentUnit& unit,
                                        const access::Caller& caller,
                                        const ApplicationName& application) {
  ASSIGN_OR_RETURN(const std::vector<Agreement> agreements,
                   unit.AgreementsOf(caller.scope, application));
  return std::any_of(agreements.begin(), agreements.end(), IsSigned);
}

absl::Status EndAgreements(EnrolmentUnit& unit, const access::Caller& caller,
                           const ApplicationName& application,
                           const std::string& reason) {
  ASSIGN_OR_RETURN(std::vector<Agreement> agreements,
                   unit.AgreementsOf(caller.scope, application));
  for (Agreement& agreement : agreements) {
    if (End(agreement, reason).ok()) unit.agreements().Update(agreement);
  }
  return absl::OkStatus();
}

absl::Status EndParticipation(EnrolmentUnit& unit, const access::Caller& caller,
                              const Cohort& cohort,
                              const ApplicationName& application,
                              const std::string& reason) {
  ASSIGN_OR_RETURN(std::optional<Enrolment> enrolment,
                   unit.EnrolmentOf(caller.scope, application));
  if (enrolment.has_value() && IsActive(*enrolment)) {
    const bool started = enrolment->state == EnrolmentState::kStarted;
    LosePlace(*enrolment, reason, LocalDay(cohort, caller.now));
    unit.enrolments().Update(*enrolment);
    if (started) return absl::OkStatus();
  }
  return EndAgreements(unit, caller, application, reason);
}

}  // namespace parcours::enrolment
