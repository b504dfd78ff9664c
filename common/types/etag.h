#ifndef PARCOURS_COMMON_TYPES_ETAG_H_
#define PARCOURS_COMMON_TYPES_ETAG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace parcours {

// The etag of a resource at `version` (https://google.aip.dev/154), quoted.
std::string EtagOf(int64_t version);

// The version that `etag` stands for; nothing for what is no etag.
std::optional<int64_t> VersionOf(std::string_view etag);

// OK when `etag` is empty or that of `version`; ETAG_MISMATCH otherwise.
absl::Status CheckEtag(std::string_view etag, std::string_view resource,
                       int64_t version);

}  // namespace parcours

#endif  // PARCOURS_COMMON_TYPES_ETAG_H_
