#include "clients/cli/dates.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/text/view.h"

namespace parcours::cli {
namespace {

constexpr std::string_view kMonths[] = {
    "janvier", "février", "mars",      "avril",   "mai",      "juin",
    "juillet", "août",    "septembre", "octobre", "novembre", "décembre"};

std::string_view WeekdayName(absl::CivilDay day) {
  switch (absl::GetWeekday(day)) {
    case absl::Weekday::monday:
      return "lundi";
    case absl::Weekday::tuesday:
      return "mardi";
    case absl::Weekday::wednesday:
      return "mercredi";
    case absl::Weekday::thursday:
      return "jeudi";
    case absl::Weekday::friday:
      return "vendredi";
    case absl::Weekday::saturday:
      return "samedi";
    case absl::Weekday::sunday:
      return "dimanche";
  }
  return "";
}

}  // namespace

absl::CivilDay DayOf(const google::type::Date& date) {
  return absl::CivilDay(date.year(), date.month(), date.day());
}

google::type::Date DateOf(absl::CivilDay day) {
  google::type::Date date;
  date.set_year(static_cast<int>(day.year()));
  date.set_month(day.month());
  date.set_day(day.day());
  return date;
}

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) +
         absl::Nanoseconds(timestamp.nanos());
}

google::protobuf::Timestamp TimestampOf(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

std::string Print(const google::type::Date& date) {
  if (date.day() == 0) {
    return absl::StrFormat("%04d-%02d", date.year(), date.month());
  }
  return absl::StrFormat("%04d-%02d-%02d", date.year(), date.month(),
                         date.day());
}

std::string Print(const google::type::TimeOfDay& time) {
  return absl::StrFormat("%02d:%02d", time.hours(), time.minutes());
}

std::string PrintFrench(absl::CivilDay day) {
  return Cat(WeekdayName(day), " ", day.day(), day.day() == 1 ? "er" : "", " ",
             kMonths[day.month() - 1], " ", day.year());
}

std::string PrintFrench(absl::Time time, absl::TimeZone zone) {
  const absl::CivilSecond civil = absl::ToCivilSecond(time, zone);
  return absl::StrFormat("%s, %d h %02d", PrintFrench(absl::CivilDay(civil)),
                         civil.hour(), civil.minute());
}

}  // namespace parcours::cli
