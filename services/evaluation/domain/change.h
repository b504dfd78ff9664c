#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_CHANGE_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_CHANGE_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/types/etag.h"
#include "common/types/repository.h"
#include "services/evaluation/domain/evaluation_store.h"

namespace parcours::evaluation {

// How EvaluationUnit gives the resources of one kind.
template <typename Resource>
using RepositoryOf = Repository<Resource>& (EvaluationUnit::*)();

// The resource `name`, read in a snapshot of its own.
template <typename Resource>
absl::StatusOr<Resource> GetResource(
    EvaluationStore& store, const access::Caller& caller,
    RepositoryOf<Resource> repository,
    const typename Repository<Resource>::Name& name) {
  std::optional<Resource> found;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(found, (unit.*repository)().Get(caller.scope, name));
    return absl::OkStatus();
  }));
  return *std::move(found);
}

// One page of the children of `parent`, by name.
template <typename Resource>
absl::StatusOr<Page<Resource>> ListResources(EvaluationStore& store,
                                             const access::Caller& caller,
                                             RepositoryOf<Resource> repository,
                                             const std::string& parent,
                                             const PageRequest& request) {
  Page<Resource> page;
  RETURN_IF_ERROR(store.View(caller, [&](EvaluationUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(page,
                     (unit.*repository)().List(caller.scope, parent, request));
    return absl::OkStatus();
  }));
  return page;
}

// Makes one change whose outcome is a resource, and returns that resource: as
// the change left it, or, for a call that repeats an earlier one, as it is now.
template <typename Resource>
absl::StatusOr<Resource> ChangeResource(
    EvaluationStore& store, const access::Caller& caller,
    RepositoryOf<Resource> repository,
    absl::FunctionRef<absl::StatusOr<Resource>(EvaluationUnit&)> body) {
  std::optional<Resource> changed;
  ASSIGN_OR_RETURN(
      const ChangeOutcome outcome,
      store.Change(caller,
                   [&](EvaluationUnit& unit) -> absl::StatusOr<std::string> {
                     ASSIGN_OR_RETURN(changed, body(unit));
                     return changed->name.text();
                   }));
  if (!outcome.replayed) return *std::move(changed);
  return GetResource<Resource>(
      store, caller, repository,
      Repository<Resource>::Name::FromRecord(outcome.name));
}

// Adds `resource`, which must not exist; ALREADY_EXISTS.
template <typename Resource>
absl::Status InsertNew(Repository<Resource>& repository,
                       const access::Caller& caller, Resource& resource) {
  ASSIGN_OR_RETURN(const std::optional<Resource> known,
                   repository.Find(caller.scope, resource.name));
  if (known.has_value()) {
    return MakeError(Reason::kAlreadyExists,
                     {{"resource", resource.name.text()}});
  }
  repository.Insert(resource);
  return absl::OkStatus();
}

// Locks the resource `name`, checks its etag, applies `transition` and writes
// it. ETAG_MISMATCH and the errors of the transition.
template <typename Resource>
absl::StatusOr<Resource> ApplyTransition(
    EvaluationStore& store, const access::Caller& caller,
    RepositoryOf<Resource> repository,
    const typename Repository<Resource>::Name& name, const std::string& etag,
    absl::FunctionRef<absl::Status(EvaluationUnit&, Resource&)> transition) {
  return ChangeResource<Resource>(
      store, caller, repository,
      [&](EvaluationUnit& unit) -> absl::StatusOr<Resource> {
        ASSIGN_OR_RETURN(Resource resource,
                         (unit.*repository)().Lock(caller.scope, name));
        RETURN_IF_ERROR(CheckEtag(etag, name.text(), resource.version));
        RETURN_IF_ERROR(transition(unit, resource));
        (unit.*repository)().Update(resource);
        return resource;
      });
}

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_CHANGE_H_
