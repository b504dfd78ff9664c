#ifndef PARCOURS_SERVICES_SCHEDULING_RPC_CONVERT_H_
#define PARCOURS_SERVICES_SCHEDULING_RPC_CONVERT_H_

#include "absl/status/status.h"
#include "parcours/scheduling/v1/attendance.pb.h"
#include "parcours/scheduling/v1/calendar.pb.h"
#include "parcours/scheduling/v1/completion.pb.h"
#include "parcours/scheduling/v1/venue.pb.h"
#include "services/scheduling/domain/attendance_use_cases.h"
#include "services/scheduling/domain/calendar_use_cases.h"
#include "services/scheduling/domain/completion_use_cases.h"
#include "services/scheduling/domain/venue_use_cases.h"

namespace parcours::scheduling {

namespace pb = ::parcours::scheduling::v1;

// Between the contract and the domain. What comes in has passed validation:
// required fields are there, names follow their patterns, dates exist. Read
// takes everything but the name and what is output only.

pb::Venue ToProto(const Venue& venue);
// FIELD_REQUIRED for a kind that an update left out of a new venue.
absl::Status Read(const pb::Venue& message, Venue& venue);

pb::Room ToProto(const Room& room);
absl::Status Read(const pb::Room& message, Room& room);

pb::HalfDay ToProto(const HalfDay& half_day);
// FIELD_REQUIRED for what an update left out of a new half-day, FIELD_MALFORMED
// for times that are not whole minutes.
absl::Status Read(const pb::HalfDay& message, HalfDay& half_day);

pb::Calendar ToProto(const CalendarView& view);
pb::CalendarChange ToProto(const CalendarChange& change);
// Without half-days and changes, which lists leave out.
pb::CalendarVersion ToProto(const CalendarVersion& version);
pb::CalendarVersion ToProto(const VersionView& view);

pb::AttendanceSheet ToProto(const SheetView& view);
pb::AttendanceEntry ToProto(const AttendanceEntry& entry);
Signature SignatureFrom(const pb::AttendanceEntry& message);
AttendanceClaim ClaimFrom(const pb::CorrectAttendanceEntryRequest& message);
pb::Receipt ToProto(const Receipt& receipt);
Receipt FromProto(const pb::Receipt& message);
pb::VerifyAttendanceSheetResponse ToProto(const Verification& verification);

pb::AttendanceSummary ToProto(const AttendanceSummary& summary);
pb::RosterEntry ToProto(const RosterEntry& entry);
pb::CompletionRecord ToProto(const CompletionRecord& record);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_RPC_CONVERT_H_
