// Dates of the contract, and how they are printed.

#ifndef PARCOURS_CLIENTS_CLI_DATES_H_
#define PARCOURS_CLIENTS_CLI_DATES_H_

#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/type/date.pb.h"
#include "google/type/timeofday.pb.h"

namespace parcours::cli {

// REQUIRES: a whole date.
absl::CivilDay DayOf(const google::type::Date& date);
google::type::Date DateOf(absl::CivilDay day);

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);
google::protobuf::Timestamp TimestampOf(absl::Time time);

// "2026-03-16", or "2026-06" for a month.
std::string Print(const google::type::Date& date);

// "09:30".
std::string Print(const google::type::TimeOfDay& time);

// "lundi 16 mars 2026".
std::string PrintFrench(absl::CivilDay day);

// "lundi 16 mars 2026, 9 h 30", in `zone`.
std::string PrintFrench(absl::Time time, absl::TimeZone zone);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_DATES_H_
