#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_COMPLETION_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_COMPLETION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "services/scheduling/domain/attendance.h"
#include "services/scheduling/domain/calendar.h"
#include "services/scheduling/domain/enrolment_port.h"
#include "services/scheduling/domain/names.h"
#include "services/scheduling/domain/roster.h"

namespace parcours::scheduling {

// What was recorded over the published calendar of a cohort.
struct CohortAttendance {
  CalendarVersion calendar;
  std::vector<AttendanceSheet> sheets;
  // Of all sheets, each in the order of its chain.
  std::vector<AttendanceEntry> entries;
};

// Minutes of one learner over the published calendar. What is due counts the
// half-days that start during the enrolment, past and to come; what is absent
// counts those that have ended.
struct AttendanceSummary {
  EnrolmentName enrolment;
  PersonName person;
  std::string display_name;
  int64_t due_minutes = 0;
  int64_t attended_minutes = 0;
  int64_t justified_minutes = 0;
  int64_t absent_minutes = 0;
  int64_t half_days = 0;
  // Half-days that have ended and whose sheet is open.
  std::vector<HalfDayName> open_half_days;
};

// A closed sheet on which the figures of a completion record rest.
struct Evidence {
  SheetName sheet;
  std::string root;
};

// The "certificat de réalisation" of one learner (art. R6332-26 of the Labour
// Code; order of 21 December 2018). It says that the course was followed and
// nothing on what was achieved. Frozen when issued.
struct CompletionRecord {
  CompletionRecordName name;
  EnrolmentName enrolment;
  PersonName person;
  std::string learner_display_name;
  std::string organisation_display_name;
  std::string body_display_name;
  std::string action_title;
  absl::CivilDay start_date;
  absl::CivilDay end_date;
  int64_t scheduled_minutes = 0;
  int64_t due_minutes = 0;
  int64_t attended_minutes = 0;
  int64_t justified_minutes = 0;
  bool partial = false;
  std::vector<std::string> text;
  std::vector<Evidence> evidence;
  int64_t version = 0;
  // When it was issued.
  absl::Time create_time;
  absl::Time update_time;
};

AttendanceSummary Summarise(const CohortAttendance& attendance,
                            const RosterEntry& learner, absl::Time now);

CompletionRecordName CompletionRecordOf(const EnrolmentName& enrolment);

// The record of `learner`, whose facts the owner has just stated. SHEET_OPEN
// naming the half-days, TOO_EARLY while the learner takes part and the course
// goes on, ILLEGAL_TRANSITION for somebody who never attended.
absl::StatusOr<CompletionRecord> IssueRecord(const CohortAttendance& attendance,
                                             const RosterEntry& learner,
                                             const ActionFacts& action,
                                             absl::Time now);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_COMPLETION_H_
