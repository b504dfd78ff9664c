#ifndef PARCOURS_COMMON_TYPES_RECORD_H_
#define PARCOURS_COMMON_TYPES_RECORD_H_

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/types/etag.h"
#include "common/types/repository.h"

namespace parcours {

// Which resource a change made or changed, and whether it had been made before.
struct ChangeOutcome {
  std::string name;
  bool replayed = false;
};

// The record of a service, on whichever engine. `Unit` is what the service sees
// of it within one transaction: its repositories and queries, of one moment,
// committed together or not at all. Thread-safe.
//
// Both calls return what the body returns, or OVERLOADED, DEADLINE_EXCEEDED,
// DATABASE_UNAVAILABLE, CONFLICT, COMMIT_IN_DOUBT or INTERNAL.
template <typename Unit>
class Record {
 public:
  virtual ~Record() = default;

  // Reads within one snapshot.
  virtual absl::Status View(const access::Caller& caller,
                            absl::FunctionRef<absl::Status(Unit&)> body) = 0;

  // Changes in one transaction, once for each request id: a repeated call has
  // no effect and returns the name that the first one returned. `body` may run
  // several times and must have no effect but through the unit.
  virtual absl::StatusOr<ChangeOutcome> Change(
      const access::Caller& caller,
      absl::FunctionRef<absl::StatusOr<std::string>(Unit&)> body) = 0;
};

// How `Unit` gives the resources of one kind: &EnrolmentUnit::cohorts.
template <typename Unit, typename Resource>
using RepositoryOf = Repository<Resource>& (Unit::*)();

// Whether a change is made, or only checked.
enum class Mode { kCommit, kValidateOnly };

// PERMISSION_DENIED when `body` is outside the caller's scope: for what is
// written where nothing is read first.
inline absl::Status CheckWithin(const access::Caller& caller,
                                const std::string& body) {
  return caller.scope.Covers(body) ? absl::OkStatus()
                                   : MakeError(Reason::kPermissionDenied);
}

// PERMISSION_DENIED when one who calls within their own scope acts in the name
// of another: `person` is not theirs.
inline absl::Status CheckSelf(const access::Caller& caller,
                              const std::string& person) {
  return !caller.scope.is_own() || caller.principal.person == person
             ? absl::OkStatus()
             : MakeError(Reason::kPermissionDenied);
}

// The resource `name`, read in a snapshot of its own.
template <typename Resource, typename Unit>
absl::StatusOr<Resource> GetResource(
    Record<Unit>& record, const access::Caller& caller,
    RepositoryOf<Unit, Resource> repository,
    const typename Repository<Resource>::Name& name) {
  std::optional<Resource> found;
  RETURN_IF_ERROR(record.View(caller, [&](Unit& unit) -> absl::Status {
    ASSIGN_OR_RETURN(found, (unit.*repository)().Get(caller.scope, name));
    return absl::OkStatus();
  }));
  return *std::move(found);
}

// The call as it goes on within the whole of its body, once the resource `name`
// was found within its own scope: a decision looks at more than its caller
// sees.
template <typename Resource, typename Unit>
absl::StatusOr<access::Caller> WithinBody(
    Record<Unit>& record, const access::Caller& caller,
    RepositoryOf<Unit, Resource> repository,
    const typename Repository<Resource>::Name& name) {
  access::Caller whole = caller;
  if (!caller.scope.is_own()) return whole;
  RETURN_IF_ERROR(
      GetResource<Resource>(record, caller, repository, name).status());
  whole.scope = caller.scope.Whole();
  return whole;
}

// Sets `page` to what `list` returns, with the position of the change feed at
// which it was read.
template <typename Resource, typename Unit>
absl::Status ReadPage(
    Unit& unit, Page<Resource>& page,
    absl::FunctionRef<absl::StatusOr<Page<Resource>>()> list) {
  ASSIGN_OR_RETURN(const int64_t position, unit.FeedPosition());
  ASSIGN_OR_RETURN(page, list());
  page.feed_position = position;
  return absl::OkStatus();
}

// One page of the children of `parent`, by name.
template <typename Resource, typename Unit>
absl::StatusOr<Page<Resource>> ListResources(
    Record<Unit>& record, const access::Caller& caller,
    RepositoryOf<Unit, Resource> repository, const std::string& parent,
    const PageRequest& request) {
  Page<Resource> page;
  RETURN_IF_ERROR(record.View(caller, [&](Unit& unit) -> absl::Status {
    return ReadPage<Resource>(unit, page, [&] {
      return (unit.*repository)().List(caller.scope, parent, request);
    });
  }));
  return page;
}

// Makes one change whose outcome is a resource, and returns that resource: as
// the change left it, or, for a call that repeats an earlier one, as it is now.
template <typename Resource, typename Unit>
absl::StatusOr<Resource> ChangeResource(
    Record<Unit>& record, const access::Caller& caller,
    RepositoryOf<Unit, Resource> repository,
    absl::FunctionRef<absl::StatusOr<Resource>(std::type_identity_t<Unit>&)>
        body,
    Mode mode = Mode::kCommit) {
  std::optional<Resource> changed;
  const absl::StatusOr<ChangeOutcome> outcome =
      record.Change(caller, [&](Unit& unit) -> absl::StatusOr<std::string> {
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
      record, caller, repository,
      Repository<Resource>::Name::FromRecord(outcome->name));
}

// Adds `resource`, which must not exist: ALREADY_EXISTS.
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

// Creates `resource`. ALREADY_EXISTS, or the violations of `validate`.
template <typename Resource, typename Unit>
absl::StatusOr<Resource> CreateResource(
    Record<Unit>& record, const access::Caller& caller,
    RepositoryOf<Unit, Resource> repository, Resource resource, Mode mode,
    absl::FunctionRef<absl::Status(std::type_identity_t<Unit>&,
                                   const Resource&)>
        validate) {
  return ChangeResource<Resource>(
      record, caller, repository,
      [&](Unit& unit) -> absl::StatusOr<Resource> {
        RETURN_IF_ERROR(validate(unit, resource));
        Resource created = resource;
        RETURN_IF_ERROR(InsertNew((unit.*repository)(), caller, created));
        return created;
      },
      mode);
}

// Locks the resource `name`, checks its etag, applies `transition` and writes
// it. ETAG_MISMATCH and the errors of the transition.
template <typename Resource, typename Unit>
absl::StatusOr<Resource> ApplyTransition(
    Record<Unit>& record, const access::Caller& caller,
    RepositoryOf<Unit, Resource> repository,
    const typename Repository<Resource>::Name& name, const std::string& etag,
    absl::FunctionRef<absl::Status(std::type_identity_t<Unit>&, Resource&)>
        transition) {
  return ChangeResource<Resource>(
      record, caller, repository, [&](Unit& unit) -> absl::StatusOr<Resource> {
        ASSIGN_OR_RETURN(Resource resource,
                         (unit.*repository)().Lock(caller.scope, name));
        RETURN_IF_ERROR(CheckEtag(etag, name.text(), resource.version));
        RETURN_IF_ERROR(transition(unit, resource));
        (unit.*repository)().Update(resource);
        return resource;
      });
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
template <typename Resource, typename Unit>
absl::StatusOr<Resource> UpdateResource(
    Record<Unit>& record, const access::Caller& caller,
    RepositoryOf<Unit, Resource> repository, const Update<Resource>& update,
    absl::FunctionRef<absl::Status(std::type_identity_t<Unit>&,
                                   const std::optional<Resource>& before,
                                   Resource& after)>
        validate) {
  return ChangeResource<Resource>(
      record, caller, repository,
      [&](Unit& unit) -> absl::StatusOr<Resource> {
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

}  // namespace parcours

#endif  // PARCOURS_COMMON_TYPES_RECORD_H_
