#ifndef PARCOURS_COMMON_TESTING_ENUM_AGREEMENT_H_
#define PARCOURS_COMMON_TESTING_ENUM_AGREEMENT_H_

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "common/types/enum_names.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/generated_enum_reflection.h"
#include "gtest/gtest.h"

namespace parcours {

// Success when the values of `ProtoEnum` after its unspecified one are named
// and ordered as EnumNames<Enum>: what EnumToProto and EnumFromProto rely on.
template <typename ProtoEnum, typename Enum>
::testing::AssertionResult EnumsAgree() {
  const google::protobuf::EnumDescriptor& type =
      *google::protobuf::GetEnumDescriptor<ProtoEnum>();
  constexpr std::string_view kUnspecified = "UNSPECIFIED";
  const std::string& first = type.value(0)->name();
  const std::string prefix =
      first.substr(0, first.size() - kUnspecified.size());
  const std::size_t count = std::size(EnumNames<Enum>::values);
  if (static_cast<std::size_t>(type.value_count()) != count + 1) {
    return ::testing::AssertionFailure()
           << type.full_name() << " has " << type.value_count() - 1
           << " values, the code has " << count;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::string expected =
        prefix + std::string(EnumNames<Enum>::values[i]);
    const auto* value = type.FindValueByNumber(static_cast<int>(i) + 1);
    if (value == nullptr || value->name() != expected) {
      return ::testing::AssertionFailure()
             << type.full_name() << " has not " << expected << " = " << i + 1;
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace parcours

#endif  // PARCOURS_COMMON_TESTING_ENUM_AGREEMENT_H_
