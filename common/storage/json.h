#ifndef PARCOURS_COMMON_STORAGE_JSON_H_
#define PARCOURS_COMMON_STORAGE_JSON_H_

#include <optional>
#include <stdexcept>
#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/types/enum_names.h"
#include "common/types/resource_name.h"
#include "nlohmann/json.hpp"

// How values of the domain stand in JSON columns: names, dates and enums as
// text, instants as µs since the epoch, absent options as null. With these, a
// store declares a struct by
//   NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Address, street, city)
// in the struct's namespace.

namespace parcours::storage {

// Enums that are stored by name.
template <typename T>
concept NamedEnum = std::is_enum_v<T> && requires {
  EnumNames<T>::values;
};

// µs since the epoch; the infinities are kept.
inline int64_t ToMicros(absl::Time time) { return absl::ToUnixMicros(time); }
absl::Time FromMicros(int64_t micros);

std::string CivilDayText(absl::CivilDay day);
// Nothing for text that is not YYYY-MM-DD.
std::optional<absl::CivilDay> CivilDayFrom(const std::string& text);

// The value of a JSON column; discarded (is_discarded) for text that is no
// JSON, or holds a number that is no int64_t: no column does, and converting
// one is undefined.
nlohmann::json ParseColumn(const std::string& text);

}  // namespace parcours::storage

namespace nlohmann {

template <parcours::NamePattern kPattern>
struct adl_serializer<parcours::ResourceName<kPattern>> {
  static void to_json(json& j, const parcours::ResourceName<kPattern>& name) {
    j = name.text();
  }
  static void from_json(const json& j, parcours::ResourceName<kPattern>& name) {
    name = parcours::ResourceName<kPattern>::FromRecord(j.get<std::string>());
  }
};

template <typename T>
requires parcours::storage::NamedEnum<T>
struct adl_serializer<T, void> {
  static void to_json(json& j, T value) {
    j = std::string(parcours::NameOf(value));
  }
  static void from_json(const json& j, T& value) {
    const auto found = parcours::FromName<T>(j.get<std::string>());
    if (!found) throw std::invalid_argument("unknown enum value");
    value = *found;
  }
};

template <>
struct adl_serializer<absl::Time> {
  static void to_json(json& j, absl::Time time) {
    j = parcours::storage::ToMicros(time);
  }
  static void from_json(const json& j, absl::Time& time) {
    time = parcours::storage::FromMicros(j.get<int64_t>());
  }
};

template <>
struct adl_serializer<absl::CivilDay> {
  static void to_json(json& j, absl::CivilDay day) {
    j = parcours::storage::CivilDayText(day);
  }
  static void from_json(const json& j, absl::CivilDay& day) {
    const auto found = parcours::storage::CivilDayFrom(j.get<std::string>());
    if (!found) throw std::invalid_argument("not a date");
    day = *found;
  }
};

template <typename T>
struct adl_serializer<std::optional<T>> {
  static void to_json(json& j, const std::optional<T>& value) {
    if (value) {
      j = *value;
    } else {
      j = nullptr;
    }
  }
  static void from_json(const json& j, std::optional<T>& value) {
    if (j.is_null()) {
      value.reset();
    } else {
      value = j.get<T>();
    }
  }
};

}  // namespace nlohmann

#endif  // PARCOURS_COMMON_STORAGE_JSON_H_
