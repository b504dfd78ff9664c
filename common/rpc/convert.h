#ifndef PARCOURS_COMMON_RPC_CONVERT_H_
#define PARCOURS_COMMON_RPC_CONVERT_H_

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/type/date.pb.h"
#include "google/type/timeofday.pb.h"

namespace parcours::rpc {

// Between the contract's types and those of the code. What comes in has passed
// validation: dates and instants exist.

google::protobuf::Timestamp TimestampOf(absl::Time time);
absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);

google::type::Date DateOf(absl::CivilDay day);
// A date that names only a month or a year becomes its first day.
absl::CivilDay CivilDayOf(const google::type::Date& date);

google::type::TimeOfDay TimeOfDayOf(absl::CivilMinute minute);
// The minute of `day` at that time.
absl::CivilMinute CivilMinuteOf(absl::CivilDay day,
                                const google::type::TimeOfDay& time);

// The enums of the contract begin with their unspecified value, those of the
// code with the first real one; the values follow in the same order.
template <typename ProtoEnum, typename Enum>
ProtoEnum EnumToProto(Enum value) {
  return static_cast<ProtoEnum>(static_cast<int>(value) + 1);
}

// REQUIRES: `value` is not the unspecified one.
template <typename Enum, typename ProtoEnum>
Enum EnumFromProto(ProtoEnum value) {
  return static_cast<Enum>(static_cast<int>(value) - 1);
}

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_CONVERT_H_
