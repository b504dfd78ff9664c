#include "common/types/etag.h"

#include "absl/strings/numbers.h"
#include "common/status/error.h"
#include "common/text/view.h"

namespace parcours {

std::string EtagOf(int64_t version) { return Cat("\"v", version, "\""); }

std::optional<int64_t> VersionOf(std::string_view etag) {
  int64_t version = 0;
  if (etag.size() < 4 || etag.substr(0, 2) != "\"v" || etag.back() != '"' ||
      !absl::SimpleAtoi(AbslView(etag.substr(2, etag.size() - 3)), &version)) {
    return std::nullopt;
  }
  // " 8" and "08" are 8 to the parser, and no etag of ours.
  if (etag != EtagOf(version)) return std::nullopt;
  return version;
}

absl::Status CheckEtag(std::string_view etag, std::string_view resource,
                       int64_t version) {
  if (etag.empty() || etag == EtagOf(version)) return absl::OkStatus();
  return MakeError(Reason::kEtagMismatch,
                   {{"resource", std::string(resource)}});
}

}  // namespace parcours
