#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_CHANGE_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_CHANGE_H_

#include <functional>
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
#include "services/enrolment/domain/enrolment_store.h"

namespace parcours::enrolment {

// How EnrolmentUnit gives the resources of one kind.
template <typename Resource>
using RepositoryOf = Repository<Resource>& (EnrolmentUnit::*)();

// Whether a change is made, or only checked.
enum class Mode { kCommit, kValidateOnly };

// The resource `name`, read in a snapshot of its own.
template <typename Resource>
absl::StatusOr<Resource> GetResource(
    EnrolmentStore& store, const access::Caller& caller,
    RepositoryOf<Resource> repository,
    const typename Repository<Resource>::Name& name) {
  std::optional<Resource> found;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(found, (unit.*repository)().Get(caller.scope, name));
    return absl::OkStatus();
  }));
  return *std::move(found);
}

// Sets `page` to what `list` returns, with the position at which it was read.
template <typename Resource>
absl::Status ReadPage(
    EnrolmentUnit& unit, Page<Resource>& page,
    absl::FunctionRef<absl::StatusOr<Page<Resource>>()> list) {
  ASSIGN_OR_RETURN(const int64_t position, unit.FeedPosition());
  ASSIGN_OR_RETURN(page, list());
  page.feed_position = position;
  return absl::OkStatus();
}

// One page of the children of the body `parent`, or of all for an empty one, by
// name. NOT_FOUND or PERMISSION_DENIED without that body.
template <typename Resource>
absl::StatusOr<Page<Resource>> ListResources(EnrolmentStore& store,
                                             const access::Caller& caller,
                                             RepositoryOf<Resource> repository,
                                             const std::string& parent,
                                             const PageRequest& request) {
  Page<Resource> page;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    if (!parent.empty()) {
      RETURN_IF_ERROR(unit.bodies()
                          .Get(caller.scope, BodyName::FromRecord(parent))
                          .status());
    }
    return ReadPage<Resource>(unit, page, [&] {
      return (unit.*repository)().List(caller.scope, parent, request);
    });
  }));
  return page;
}

// Makes one change whose outcome is a resource, and returns that resource: as
// the change left it, or, for a call that repeats an earlier one, as it is now.
template <typename Resource>
absl::StatusOr<Resource> ChangeResource(
    EnrolmentStore& store, const access::Caller& caller,
    RepositoryOf<Resource> repository,
    absl::FunctionRef<absl::StatusOr<Resource>(EnrolmentUnit&)> body,
    Mode mode = Mode::kCommit) {
  std::optional<Resource> changed;
  const absl::StatusOr<ChangeOutcome> outcome = store.Change(
      caller, [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
        changed.reset();
        ASSIGN_OR_RETURN(changed, body(unit));
        // Refusing to commit is what makes a check write nothing.
        if (mode == Mode::kValidateOnly) return absl::CancelledError();
        return changed->name.text();
      });
  if (mode == Mode::kValidateOnly && changed.has_value()) return *changed;
  if (!outcome.ok()) return outcome.status();
  if (!outcome->replayed) return *std::move(changed);
  return GetResource<Resource>(
      store, caller, repository,
      Repository<Resource>::Name::FromRecord(outcome->name));
}

// Creates `resource`. ALREADY_EXISTS, or the violations of `validate`.
template <typename Resource>
absl::StatusOr<Resource> CreateResource(
    EnrolmentStore& store, const access::Caller& caller,
    RepositoryOf<Resource> repository, Resource resource, Mode mode,
    absl::FunctionRef<absl::Status(EnrolmentUnit&, const Resource&)> validate) {
  return ChangeResource<Resource>(
      store, caller, repository,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Resource> {
        ASSIGN_OR_RETURN(
            const std::optional<Resource> known,
            (unit.*repository)().Find(caller.scope, resource.name));
        if (known.has_value()) {
          return MakeError(Reason::kAlreadyExists,
                           {{"resource", resource.name.text()}});
        }
        RETURN_IF_ERROR(validate(unit, resource));
        Resource created = resource;
        (unit.*repository)().Insert(created);
        return created;
      },
      mode);
}

// What an update asks for (https://google.aip.dev/134).
template <typename Resource>
struct Update {
  typename Repository<Resource>::Name name;
  // Writes the fields of the mask into the stored resource.
  std::function<absl::Status(Resource&)> apply;
  std::string etag;
  // Create what does not exist: starts from a resource with nothing but a name.
  bool allow_missing = false;
  Mode mode = Mode::kCommit;
};

// Applies `update`; a resource that stays the same is not written, so that the
// same update twice changes nothing. `validate` sees the resource before and
// after; before is absent when it is created.
template <typename Resource>
absl::StatusOr<Resource> UpdateResource(
    EnrolmentStore& store, const access::Caller& caller,
    RepositoryOf<Resource> repository, const Update<Resource>& update,
    absl::FunctionRef<absl::Status(
        EnrolmentUnit&, const std::optional<Resource>& before, Resource& after)>
        validate) {
  return ChangeResource<Resource>(
      store, caller, repository,
      [&](EnrolmentUnit& unit) -> absl::StatusOr<Resource> {
        ASSIGN_OR_RETURN(const std::optional<Resource> known,
                         (unit.*repository)().Find(caller.scope, update.name));
        std::optional<Resource> before;
        if (known.has_value() || !update.allow_missing) {
          ASSIGN_OR_RETURN(
              before, (unit.*repository)().Lock(caller.scope, update.name));
          RETURN_IF_ERROR(
              CheckEtag(update.etag, update.name.text(), before->version));
        }
        Resource after = before.value_or(Resource{.name = update.name});
        RETURN_IF_ERROR(update.apply(after));
        RETURN_IF_ERROR(validate(unit, before, after));
        if (!before.has_value()) {
          (unit.*repository)().Insert(after);
        } else if (after != *before) {
          (unit.*repository)().Update(after);
        }
        return after;
      },
      update.mode);
}

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_CHANGE_H_
