#ifndef PARCOURS_COMMON_IDENTITY_STRICT_JSON_H_
#define PARCOURS_COMMON_IDENTITY_STRICT_JSON_H_

#include <optional>
#include <string>
#include <string_view>

#include "nlohmann/json.hpp"

namespace parcours::identity {

// The JSON object that `text` is. Nothing when it is none, is not UTF-8, has a
// member twice in one object (RFC 7515, 4 and RFC 7519, 4), or is nested more
// than 8 deep.
std::optional<nlohmann::json> ParseStrictObject(std::string_view text);

// The bytes of base64url without padding (RFC 7515, 2). Nothing when a
// character is of no such text, or the last one carries bits that are lost:
// every value has exactly one form.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_STRICT_JSON_H_
