#include "services/enrolment/domain/programme_use_cases.h"

#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/status/error.h"
#include "common/status/macros.h"
#include "services/enrolment/domain/erasure.h"
#include "services/enrolment/domain/external_ids.h"
#include "services/enrolment/domain/locked_place.h"
#include "services/enrolment/domain/waiting_list.h"

namespace parcours::enrolment {
namespace {

template <typename Resource>
absl::Status Valid(const Resource& resource, std::string_view prefix) {
  FieldViolations violations;
  Validate(resource, prefix, violations);
  return violations.ToStatus();
}

// A resource stands under a body that exists.
absl::Status CheckBody(EnrolmentUnit& unit, const access::Caller& caller,
                       const std::string& body) {
  return unit.bodies().Get(caller.scope, BodyName::FromRecord(body)).status();
}

// A body is made by who serves the whole installation.
absl::Status ValidBody(const access::Caller& caller, const Body& body) {
  if (!caller.scope.Covers(body.name.text())) {
    return MakeError(Reason::kPermissionDenied);
  }
  return Valid(body, "body.");
}

// Creates a resource that is known in other systems.
template <typename Resource>
absl::StatusOr<Resource> CreateIdentified(
    EnrolmentStore& store, const access::Caller& caller,
    RepositoryOf<EnrolmentUnit, Resource> repository, Resource resource,
    Mode mode, std::string_view prefix) {
  return CreateResource<Resource>(
      store, caller, repository, std::move(resource), mode,
      [&](EnrolmentUnit& unit, const Resource& created) -> absl::Status {
        RETURN_IF_ERROR(CheckBody(unit, caller, created.name.body()));
        RETURN_IF_ERROR(Valid(created, prefix));
        return ClaimExternalIds(unit, created.name.text(), created.external_ids,
                                prefix);
      });
}

template <typename Resource>
absl::StatusOr<Resource> UpdateIdentified(
    EnrolmentStore& store, const access::Caller& caller,
    RepositoryOf<EnrolmentUnit, Resource> repository,
    const Update<Resource>& update, std::string_view prefix) {
  return UpdateResource<Resource>(
      store, caller, repository, update,
      [&](EnrolmentUnit& unit, const std::optional<Resource>& before,
          Resource& after) -> absl::Status {
        RETURN_IF_ERROR(CheckBody(unit, caller, after.name.body()));
        if constexpr (std::is_same_v<Resource, Person>) {
          if (before.has_value()) RETURN_IF_ERROR(CheckNotErased(*before));
        }
        RETURN_IF_ERROR(Valid(after, prefix));
        if (before.has_value() && before->external_ids == after.external_ids) {
          return absl::OkStatus();
        }
        return ClaimExternalIds(unit, after.name.text(), after.external_ids,
                                prefix);
      });
}

absl::Status ValidCohort(EnrolmentUnit& unit, const access::Caller& caller,
                         const Cohort& cohort) {
  FieldViolations violations;
  Validate(cohort, "cohort.", violations);
  if (cohort.programme.body() != cohort.name.body()) {
    violations.Add("cohort.programme", Reason::kUnknownReference);
  } else {
    ASSIGN_OR_RETURN(const std::optional<Programme> programme,
                     unit.programmes().Find(caller.scope, cohort.programme));
    if (!programme.has_value()) {
      violations.Add("cohort.programme", Reason::kUnknownReference);
    }
  }
  return violations.ToStatus();
}

std::vector<std::string> Holders(const std::vector<Application>& holding) {
  std::vector<std::string> names;
  names.reserve(holding.size());
  for (const Application& application : holding) {
    names.push_back(application.name.text());
  }
  return names;
}

// Every application of the cohort with a place, or one waited for, in order of
// rank.
absl::StatusOr<std::vector<Application>> Placed(EnrolmentUnit& unit,
                                                const access::Caller& caller,
                                                const CohortName& cohort) {
  return unit.ApplicationsByPlace(
      caller.scope, cohort,
      {PlaceState::kHeld, PlaceState::kWaitlisted, PlaceState::kOffered,
       PlaceState::kConfirmed, PlaceState::kAtRisk});
}

// The course does not take place: nobody keeps a place.
absl::Status GivePlacesUp(EnrolmentUnit& unit, const access::Caller& caller,
                          const PlaceSituation& situation,
                          const std::string& reason) {
  ASSIGN_OR_RETURN(std::vector<Application> placed,
                   Placed(unit, caller, situation.cohort.name));
  for (Application& application : placed) {
    unit.Append(Release(application, situation,
                        "La promotion n’aura pas lieu : la place est libérée.",
                        "The cohort will not take place: the place is given "
                        "up."));
    unit.applications().Update(application);
    RETURN_IF_ERROR(EndParticipation(unit, caller, situation.cohort,
                                     application.name, reason));
  }
  return absl::OkStatus();
}

// The course is put off: everybody keeps place and rank, and no time runs.
absl::Status SuspendPlaces(EnrolmentUnit& unit, const access::Caller& caller,
                           const PlaceSituation& situation) {
  ASSIGN_OR_RETURN(std::vector<Application> placed,
                   Placed(unit, caller, situation.cohort.name));
  for (Application& application : placed) {
    const std::optional<PlaceEvent> event = Suspend(application, situation);
    if (!event.has_value()) continue;
    unit.Append(*event);
    unit.applications().Update(application);
  }
  return absl::OkStatus();
}

// Time runs again for those whose payer is not committed, or whose funder has
// failed.
absl::Status ResumePlaces(EnrolmentUnit& unit, const access::Caller& caller,
                          const PlaceSituation& situation) {
  ASSIGN_OR_RETURN(
      std::vector<Application> waiting,
      unit.ApplicationsByPlace(caller.scope, situation.cohort.name,
                               {PlaceState::kHeld, PlaceState::kAtRisk}));
  for (Application& application : waiting) {
    ASSIGN_OR_RETURN(const bool is_signed,
                     HasSignedAgreement(unit, caller, application.name));
    if (is_signed && application.place_state == PlaceState::kHeld) continue;
    RETURN_IF_ERROR(ResumeDeadline(application, situation));
    unit.applications().Update(application);
  }
  PlaceCounts counts = situation.counts;
  return OfferFreePlaces(unit, situation.rules, caller, situation.cohort,
                         counts);
}

absl::Status CheckCapacityOf(EnrolmentUnit& unit, const access::Caller& caller,
                             const Cohort& cohort, const PlaceCounts& counts) {
  ASSIGN_OR_RETURN(
      const std::vector<Application> holding,
      unit.ApplicationsByPlace(caller.scope, cohort.name,
                               {PlaceState::kHeld, PlaceState::kOffered,
                                PlaceState::kConfirmed, PlaceState::kAtRisk}));
  return CheckCapacity(cohort.capacity, counts, Holders(holding));
}

}  // namespace

absl::StatusOr<Body> CreateBody(EnrolmentStore& store,
                                const access::Caller& caller, Body body,
                                Mode mode) {
  return CreateResource<Body>(store, caller, &EnrolmentUnit::bodies,
                              std::move(body), mode,
                              [&](EnrolmentUnit&, const Body& created) {
                                return ValidBody(caller, created);
                              });
}

absl::StatusOr<Body> UpdateBody(EnrolmentStore& store,
                                const access::Caller& caller,
                                const Update<Body>& update) {
  return UpdateResource<Body>(
      store, caller, &EnrolmentUnit::bodies, update,
      [&](EnrolmentUnit&, const std::optional<Body>&, Body& after) {
        return ValidBody(caller, after);
      });
}

absl::StatusOr<Programme> CreateProgramme(EnrolmentStore& store,
                                          const access::Caller& caller,
                                          Programme programme, Mode mode) {
  return CreateResource<Programme>(
      store, caller, &EnrolmentUnit::programmes, std::move(programme), mode,
      [&](EnrolmentUnit& unit, const Programme& created) {
        RETURN_IF_ERROR(CheckBody(unit, caller, created.name.body()));
        return Valid(created, "programme.");
      });
}

absl::StatusOr<Programme> UpdateProgramme(EnrolmentStore& store,
                                          const access::Caller& caller,
                                          const Update<Programme>& update) {
  return UpdateResource<Programme>(
      store, caller, &EnrolmentUnit::programmes, update,
      [&](EnrolmentUnit& unit, const std::optional<Programme>&,
          Programme& after) {
        RETURN_IF_ERROR(CheckBody(unit, caller, after.name.body()));
        return Valid(after, "programme.");
      });
}

absl::StatusOr<Cohort> CreateCohort(EnrolmentStore& store,
                                    const access::Caller& caller, Cohort cohort,
                                    Mode mode) {
  return CreateResource<Cohort>(
      store, caller, &EnrolmentUnit::cohorts, std::move(cohort), mode,
      [&](EnrolmentUnit& unit, const Cohort& created) {
        RETURN_IF_ERROR(CheckBody(unit, caller, created.name.body()));
        return ValidCohort(unit, caller, created);
      });
}

absl::StatusOr<Cohort> UpdateCohort(EnrolmentStore& store,
                                    const rules::RuleBook& rules,
                                    const access::Caller& caller,
                                    const Update<Cohort>& update) {
  return UpdateResource<Cohort>(
      store, caller, &EnrolmentUnit::cohorts, update,
      [&](EnrolmentUnit& unit, const std::optional<Cohort>& before,
          Cohort& after) -> absl::Status {
        RETURN_IF_ERROR(CheckBody(unit, caller, after.name.body()));
        RETURN_IF_ERROR(ValidCohort(unit, caller, after));
        if (!before.has_value()) return absl::OkStatus();
        if (after.programme != before->programme) {
          return MakeFieldError("cohort.programme", Reason::kUpdateMaskInvalid,
                                {{"path", "programme"}});
        }
        ASSIGN_OR_RETURN(PlaceCounts counts, unit.CountPlaces(after.name));
        RETURN_IF_ERROR(CheckCapacityOf(unit, caller, after, counts));
        return OfferFreePlaces(unit, rules, caller, after, counts);
      });
}

absl::StatusOr<Cohort> OpenCohort(EnrolmentStore& store,
                                  const rules::RuleBook& rules,
                                  const access::Caller& caller,
                                  const CohortName& name,
                                  const std::string& etag) {
  return ChangeResource<Cohort>(
      store, caller, &EnrolmentUnit::cohorts,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Cohort> {
        ASSIGN_OR_RETURN(LockedPlaces places,
                         unit.LockPlaces(caller.scope, name));
        Cohort& cohort = places.cohort;
        RETURN_IF_ERROR(CheckEtag(etag, name.text(), cohort.version));
        const bool was_postponed = cohort.state == CohortState::kPostponed;
        RETURN_IF_ERROR(Open(cohort));
        unit.cohorts().Update(cohort);
        if (was_postponed) {
          RETURN_IF_ERROR(ResumePlaces(unit, caller,
                                       {.cohort = cohort,
                                        .counts = places.counts,
                                        .now = caller.now,
                                        .cause = "OpenCohort",
                                        .rules = rules}));
        }
        return cohort;
      });
}

absl::StatusOr<Cohort> DecideCohort(EnrolmentStore& store,
                                    const rules::RuleBook& rules,
                                    const access::Caller& caller,
                                    const CohortName& name, GoDecision decision,
                                    const Decision& decided,
                                    const std::string& etag) {
  FieldViolations violations;
  Validate(decided, decision != GoDecision::kGo, violations);
  RETURN_IF_ERROR(violations.ToStatus());
  return ChangeResource<Cohort>(
      store, caller, &EnrolmentUnit::cohorts,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Cohort> {
        ASSIGN_OR_RETURN(LockedPlaces places,
                         unit.LockPlaces(caller.scope, name));
        Cohort& cohort = places.cohort;
        RETURN_IF_ERROR(CheckEtag(etag, name.text(), cohort.version));
        ASSIGN_OR_RETURN(const GoNoGoCounts counts,
                         unit.CountGoNoGo(name, LocalDay(cohort, caller.now)));
        RETURN_IF_ERROR(Decide(cohort, decision, decided, counts, caller.now));
        unit.cohorts().Update(cohort);
        const PlaceSituation situation{.cohort = cohort,
                                       .counts = places.counts,
                                       .now = caller.now,
                                       .cause = "DecideCohort",
                                       .rules = rules};
        if (decision == GoDecision::kCancel) {
          RETURN_IF_ERROR(
              GivePlacesUp(unit, caller, situation, decided.reason));
        } else if (decision == GoDecision::kPostpone) {
          RETURN_IF_ERROR(SuspendPlaces(unit, caller, situation));
        }
        return cohort;
      });
}

absl::StatusOr<GoNoGo> GetGoNoGo(EnrolmentStore& store,
                                 const access::Caller& caller,
                                 const CohortName& name) {
  GoNoGo answer;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(answer.cohort, unit.cohorts().Get(caller.scope, name));
    ASSIGN_OR_RETURN(
        answer.counts,
        unit.CountGoNoGo(name, LocalDay(answer.cohort, caller.now)));
    return absl::OkStatus();
  }));
  return answer;
}

absl::StatusOr<CohortView> GetCohort(EnrolmentStore& store,
                                     const access::Caller& caller,
                                     const CohortName& name) {
  CohortView view;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(view.cohort, unit.cohorts().Get(caller.scope, name));
    ASSIGN_OR_RETURN(view.counts, unit.CountPlaces(name));
    return absl::OkStatus();
  }));
  return view;
}

absl::StatusOr<Page<CohortView>> ListCohorts(EnrolmentStore& store,
                                             const access::Caller& caller,
                                             const BodyName& body,
                                             const PageRequest& request) {
  Page<CohortView> views;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    views.items.clear();
    RETURN_IF_ERROR(CheckBody(unit, caller, body.text()));
    Page<Cohort> page;
    RETURN_IF_ERROR(ReadPage<Cohort>(unit, page, [&] {
      return unit.cohorts().List(caller.scope, body.text(), request);
    }));
    for (const Cohort& cohort : page.items) {
      ASSIGN_OR_RETURN(const PlaceCounts counts, unit.CountPlaces(cohort.name));
      views.items.push_back({.cohort = cohort, .counts = counts});
    }
    views.next_key = page.next_key;
    views.feed_position = page.feed_position;
    return absl::OkStatus();
  }));
  return views;
}

absl::StatusOr<PlaceCounts> CountPlacesOf(EnrolmentStore& store,
                                          const access::Caller& caller,
                                          const CohortName& name) {
  PlaceCounts counts;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(counts, unit.CountPlaces(name));
    return absl::OkStatus();
  }));
  return counts;
}

absl::StatusOr<Person> CreatePerson(EnrolmentStore& store,
                                    const access::Caller& caller, Person person,
                                    Mode mode) {
  return CreateIdentified<Person>(store, caller, &EnrolmentUnit::persons,
                                  std::move(person), mode, "person.");
}

absl::StatusOr<Person> UpdatePerson(EnrolmentStore& store,
                                    const access::Caller& caller,
                                    const Update<Person>& update) {
  return UpdateIdentified<Person>(store, caller, &EnrolmentUnit::persons,
                                  update, "person.");
}

absl::StatusOr<Organisation> CreateOrganisation(EnrolmentStore& store,
                                                const access::Caller& caller,
                                                Organisation organisation,
                                                Mode mode) {
  return CreateIdentified<Organisation>(
      store, caller, &EnrolmentUnit::organisations, std::move(organisation),
      mode, "organisation.");
}

absl::StatusOr<Organisation> UpdateOrganisation(
    EnrolmentStore& store, const access::Caller& caller,
    const Update<Organisation>& update) {
  return UpdateIdentified<Organisation>(
      store, caller, &EnrolmentUnit::organisations, update, "organisation.");
}

}  // namespace parcours::enrolment
