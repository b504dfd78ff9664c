#include "common/types/etag.h"

#include "common/status/error.h"
#include "common/text/view.h"

namespace parcours {

std::string EtagOf(int64_t version) { return Cat("\"v", version, "\""); }

absl::Status CheckEtag(std::string_view etag, std::string_view resource,
                       int64_t version) {
  if (etag.empty() || etag == EtagOf(version)) return absl::OkStatus();
  return MakeError(Reason::kEtagMismatch,
                   {{"resource", std::string(resource)}});
}

}  // namespace parcours
