#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_EXTERNAL_IDS_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_EXTERNAL_IDS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/status/macros.h"
#include "common/types/record.h"
#include "common/types/repository.h"
#include "services/enrolment/domain/enrolment_store.h"
#include "services/enrolment/domain/people.h"

namespace parcours::enrolment {

// Keeps the identifiers of the resource `name` in other systems, each unique in
// its system among the resources of the kind in the body. ALREADY_EXISTS names
// the field under `prefix`, the system and the identifier.
absl::Status ClaimExternalIds(EnrolmentUnit& unit, const std::string& name,
                              const std::vector<ExternalId>& ids,
                              std::string_view prefix);

// "persons" of "bodies/opale/persons/…".
std::string_view CollectionOf(std::string_view name);

// One page of the resources of the body, by name; with `external_id`, only the
// one that has it. NOT_FOUND or PERMISSION_DENIED without that body.
template <typename Resource>
absl::StatusOr<Page<Resource>> ListOfBody(
    EnrolmentStore& store, const access::Caller& caller,
    RepositoryOf<EnrolmentUnit, Resource> repository, const BodyName& body,
    const std::optional<ExternalId>& external_id, const PageRequest& request) {
  Page<Resource> page;
  RETURN_IF_ERROR(store.View(caller, [&](EnrolmentUnit& unit) -> absl::Status {
    RETURN_IF_ERROR(unit.bodies().Get(caller.scope, body).status());
    return ReadPage<Resource>(
        unit, page, [&]() -> absl::StatusOr<Page<Resource>> {
          using Name = typename Repository<Resource>::Name;
          Repository<Resource>& resources = (unit.*repository)();
          if (!external_id.has_value()) {
            return resources.List(caller.scope, body.text(), request);
          }
          Page<Resource> found;
          ASSIGN_OR_RETURN(
              const std::optional<std::string> name,
              unit.FindByExternalId(body, CollectionOf(Name::pattern()),
                                    *external_id));
          if (!name.has_value()) return found;
          ASSIGN_OR_RETURN(
              std::optional<Resource> resource,
              resources.Find(caller.scope, Name::FromRecord(*name)));
          if (resource.has_value()) {
            found.items.push_back(*std::move(resource));
          }
          return found;
        });
  }));
  return page;
}

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_EXTERNAL_IDS_H_
