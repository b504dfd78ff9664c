#ifndef PARCOURS_COMMON_TEXT_VIEW_H_
#define PARCOURS_COMMON_TEXT_VIEW_H_

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace parcours {

// Debian builds Abseil with a string_view of its own, which knows nothing of
// std::string_view. These are the bridges; nothing is copied.

constexpr absl::string_view AbslView(std::string_view text) {
  return {text.data(), text.size()};
}

constexpr std::string_view StdView(absl::string_view text) {
  return {text.data(), text.size()};
}

template <typename T>
decltype(auto) CatPart(const T& part) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return AbslView(part);
  } else {
    return (part);
  }
}

// absl::StrCat and absl::StrAppend that also take std::string_view.
template <typename... Parts>
std::string Cat(const Parts&... parts) {
  return absl::StrCat(CatPart(parts)...);
}

template <typename... Parts>
void CatTo(std::string& target, const Parts&... parts) {
  absl::StrAppend(&target, CatPart(parts)...);
}

}  // namespace parcours

#endif  // PARCOURS_COMMON_TEXT_VIEW_H_
