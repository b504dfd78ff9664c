#include "common/identity/strict_json.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "common/text/view.h"

namespace parcours::identity {
namespace {

constexpr std::size_t kMaxDepth = 8;

}  // namespace

std::optional<nlohmann::json> ParseStrictObject(std::string_view text) {
  using Event = nlohmann::json::parse_event_t;
  bool strict = true;
  std::vector<std::set<std::string>> members;
  std::size_t depth = 0;
  const auto look = [&](int, Event event, nlohmann::json& parsed) {
    switch (event) {
      case Event::object_start:
        members.emplace_back();
        strict = strict && ++depth <= kMaxDepth;
        break;
      case Event::object_end:
        members.pop_back();
        --depth;
        break;
      case Event::array_start:
        strict = strict && ++depth <= kMaxDepth;
        break;
      case Event::array_end:
        --depth;
        break;
      case Event::key:
        strict =
            strict && members.back().insert(parsed.get<std::string>()).second;
        break;
      case Event::value:
        break;
    }
    return true;
  };
  nlohmann::json parsed = nlohmann::json::parse(text.begin(), text.end(), look,
                                                /*allow_exceptions=*/false);
  if (!strict || parsed.is_discarded() || !parsed.is_object()) {
    return std::nullopt;
  }
  return parsed;
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  const bool only_its_alphabet =
      std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
               c == '_';
      });
  std::string bytes;
  if (!only_its_alphabet ||
      !absl::WebSafeBase64Unescape(AbslView(text), &bytes)) {
    return std::nullopt;
  }
  if (absl::WebSafeBase64Escape(bytes) != AbslView(text)) return std::nullopt;
  return bytes;
}

}  // namespace parcours::identity
