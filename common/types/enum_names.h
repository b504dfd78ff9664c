#ifndef PARCOURS_COMMON_TYPES_ENUM_NAMES_H_
#define PARCOURS_COMMON_TYPES_ENUM_NAMES_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace parcours {

// The names under which the values of `Enum` are stored and travel, in the
// order of declaration from 0 on. Specialise beside the enum:
//
//   template <>
//   struct EnumNames<PlaceState> {
//     static constexpr std::string_view values[] = {"NONE", "HELD"};
//   };
template <typename Enum>
struct EnumNames;

// The name of `value`. REQUIRES: a declared value.
template <typename Enum>
constexpr std::string_view NameOf(Enum value) {
  return EnumNames<Enum>::values[static_cast<std::size_t>(value)];
}

// The value of that name, if there is one.
template <typename Enum>
constexpr std::optional<Enum> FromName(std::string_view name) {
  for (std::size_t i = 0; i < std::size(EnumNames<Enum>::values); ++i) {
    if (EnumNames<Enum>::values[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace parcours

#endif  // PARCOURS_COMMON_TYPES_ENUM_NAMES_H_
