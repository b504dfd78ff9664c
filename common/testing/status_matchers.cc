#include "common/testing/status_matchers.h"

#include "absl/strings/cord.h"
#include "common/text/view.h"
#include "google/rpc/error_details.pb.h"

namespace parcours {

std::vector<std::string> ViolatedFields(const absl::Status& status) {
  std::vector<std::string> fields;
  const auto payload = status.GetPayload(AbslView(kBadRequestUrl));
  google::rpc::BadRequest bad_request;
  if (!payload || !bad_request.ParseFromString(std::string(*payload))) {
    return fields;
  }
  for (const auto& violation : bad_request.field_violations()) {
    fields.push_back(violation.field());
  }
  return fields;
}

}  // namespace parcours
