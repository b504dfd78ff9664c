#include "common/rpc/convert.h"

#include <cstdint>

namespace parcours::rpc {

google::protobuf::Timestamp TimestampOf(absl::Time time) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) +
         absl::Nanoseconds(timestamp.nanos());
}

google::type::Date DateOf(absl::CivilDay day) {
  google::type::Date date;
  date.set_year(static_cast<int32_t>(day.year()));
  date.set_month(day.month());
  date.set_day(day.day());
  return date;
}

absl::CivilDay CivilDayOf(const google::type::Date& date) {
  return absl::CivilDay(date.year(), date.month() == 0 ? 1 : date.month(),
                        date.day() == 0 ? 1 : date.day());
}

google::type::TimeOfDay TimeOfDayOf(absl::CivilMinute minute) {
  google::type::TimeOfDay time;
  time.set_hours(minute.hour());
  time.set_minutes(minute.minute());
  return time;
}

absl::CivilMinute CivilMinuteOf(absl::CivilDay day,
                                const google::type::TimeOfDay& time) {
  return absl::CivilMinute(day.year(), day.month(), day.day(), time.hours(),
                           time.minutes());
}

}  // namespace parcours::rpc
