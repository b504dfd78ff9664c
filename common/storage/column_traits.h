#ifndef PARCOURS_COMMON_STORAGE_COLUMN_TRAITS_H_
#define PARCOURS_COMMON_STORAGE_COLUMN_TRAITS_H_

#include <concepts>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/storage/json.h"
#include "common/storage/session.h"
#include "common/types/enum_names.h"
#include "common/types/resource_name.h"
#include "nlohmann/json.hpp"

namespace parcours::storage {

// How a C++ type stands in a column:
//   Encode   the value of the record;
//   Decode   the other way; false when the record holds something else.
template <typename T>
struct ColumnTraits;

template <>
struct ColumnTraits<std::string> {
  static Value Encode(const std::string& text) { return text; }
  static bool Decode(const Value& value, std::string& text) {
    const auto* found = std::get_if<std::string>(&value);
    if (found != nullptr) text = *found;
    return found != nullptr;
  }
};

// A string of bytes, which may hold NUL and is not text.
struct BytesColumnTraits {
  static Value Encode(const std::string& bytes) { return Blob{bytes}; }
  static bool Decode(const Value& value, std::string& bytes) {
    const auto* found = std::get_if<Blob>(&value);
    if (found != nullptr) bytes = found->bytes;
    return found != nullptr;
  }
};

template <>
struct ColumnTraits<Blob> {
  static Value Encode(const Blob& blob) { return blob; }
  static bool Decode(const Value& value, Blob& blob) {
    const auto* found = std::get_if<Blob>(&value);
    if (found != nullptr) blob = *found;
    return found != nullptr;
  }
};

template <>
struct ColumnTraits<bool> {
  static Value Encode(bool flag) { return int64_t{flag ? 1 : 0}; }
  static bool Decode(const Value& value, bool& flag) {
    const auto* found = std::get_if<int64_t>(&value);
    if (found == nullptr || (*found != 0 && *found != 1)) return false;
    flag = *found == 1;
    return true;
  }
};

template <std::signed_integral T>
struct ColumnTraits<T> {
  static Value Encode(T integer) { return int64_t{integer}; }
  static bool Decode(const Value& value, T& integer) {
    const auto* found = std::get_if<int64_t>(&value);
    if (found == nullptr || *found < std::numeric_limits<T>::min() ||
        *found > std::numeric_limits<T>::max()) {
      return false;
    }
    integer = static_cast<T>(*found);
    return true;
  }
};

template <>
struct ColumnTraits<absl::Time> {
  static Value Encode(absl::Time time) { return ToMicros(time); }
  static bool Decode(const Value& value, absl::Time& time) {
    const auto* found = std::get_if<int64_t>(&value);
    if (found != nullptr) time = FromMicros(*found);
    return found != nullptr;
  }
};

template <>
struct ColumnTraits<absl::CivilDay> {
  static Value Encode(absl::CivilDay day) { return CivilDayText(day); }
  static bool Decode(const Value& value, absl::CivilDay& day) {
    const auto* text = std::get_if<std::string>(&value);
    const auto found = text == nullptr ? std::nullopt : CivilDayFrom(*text);
    if (found) day = *found;
    return found.has_value();
  }
};

template <NamedEnum T>
struct ColumnTraits<T> {
  static Value Encode(T value) { return std::string(NameOf(value)); }
  static bool Decode(const Value& value, T& decoded) {
    const auto* text = std::get_if<std::string>(&value);
    const auto found = text == nullptr ? std::nullopt : FromName<T>(*text);
    if (found) decoded = *found;
    return found.has_value();
  }
};

template <NamePattern kPattern>
struct ColumnTraits<ResourceName<kPattern>> {
  static Value Encode(const ResourceName<kPattern>& name) {
    return name.text();
  }
  static bool Decode(const Value& value, ResourceName<kPattern>& name) {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr) name = ResourceName<kPattern>::FromRecord(*text);
    return text != nullptr;
  }
};

// NULL, or as T.
template <typename T>
struct ColumnTraits<std::optional<T>> {
  static Value Encode(const std::optional<T>& value) {
    return value ? ColumnTraits<T>::Encode(*value) : Value(nullptr);
  }
  static bool Decode(const Value& value, std::optional<T>& decoded) {
    decoded.reset();
    if (std::holds_alternative<std::nullptr_t>(value)) return true;
    return ColumnTraits<T>::Decode(value, decoded.emplace());
  }
};

// Text in JSON, for what nlohmann/json and common/storage/json.h can convert.
template <typename T>
struct JsonColumnTraits {
  static Value Encode(const T& value) {
    return nlohmann::json(value).dump(-1, ' ', false,
                                      nlohmann::json::error_handler_t::replace);
  }
  static bool Decode(const Value& value, T& decoded) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return false;
    const nlohmann::json parsed = ParseColumn(*text);
    try {
      parsed.get_to(decoded);
    } catch (const std::exception&) {
      return false;
    }
    return true;
  }
};

template <>
struct ColumnTraits<std::vector<std::string>>
    : JsonColumnTraits<std::vector<std::string>> {};

template <NamePattern kPattern>
struct ColumnTraits<std::vector<ResourceName<kPattern>>>
    : JsonColumnTraits<std::vector<ResourceName<kPattern>>> {};

template <NamedEnum T>
struct ColumnTraits<std::vector<T>> : JsonColumnTraits<std::vector<T>> {};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_COLUMN_TRAITS_H_
