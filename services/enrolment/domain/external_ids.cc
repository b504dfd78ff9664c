#include "services/enrolment/domain/external_ids.h"

#include <cstddef>

#include "common/status/error.h"
#include "common/text/view.h"

namespace parcours::enrolment {

std::string_view CollectionOf(std::string_view name) {
  // bodies / {body} / {collection} / {id}
  return NameSegments(name)[2];
}

absl::Status ClaimExternalIds(EnrolmentUnit& unit, const std::string& name,
                              const std::vector<ExternalId>& ids,
                              std::string_view prefix) {
  const std::string_view collection = CollectionOf(name);
  const BodyName body = BodyName::FromRecord(FirstSegments(name, 2));
  FieldViolations violations;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ASSIGN_OR_RETURN(const std::optional<std::string> holder,
                     unit.FindByExternalId(body, collection, ids[i]));
    if (holder.value_or(name) == name) continue;
    violations.Add(Cat(prefix, "external_ids[", i, "].value"),
                   Reason::kAlreadyExists,
                   {{"resource", Cat(ids[i].system, " ", ids[i].value)},
                    {"system", ids[i].system}});
  }
  RETURN_IF_ERROR(violations.ToStatus());
  unit.KeepExternalIds(collection, name, ids);
  return absl::OkStatus();
}

}  // namespace parcours::enrolment
