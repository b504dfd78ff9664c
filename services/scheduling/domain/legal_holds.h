#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_LEGAL_HOLDS_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_LEGAL_HOLDS_H_

#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/privacy/legal_hold.h"
#include "common/rules/rule_book.h"
#include "services/scheduling/domain/attendance.h"
#include "services/scheduling/domain/calendar.h"
#include "services/scheduling/domain/completion.h"
#include "services/scheduling/domain/names.h"
#include "services/scheduling/domain/roster.h"

namespace parcours::scheduling {

// How long is kept what proves that a training was followed.
inline constexpr std::string_view kCompletionRecordRetention =
    "retention.completion_record";
inline constexpr std::string_view kFundingPiecesRetention =
    "retention.funding_pieces";

// Everything that this service holds on a person, each kind by name.
struct PersonRecord {
  PersonName person;
  std::vector<RosterEntry> roster;
  // About them, or by them about somebody else.
  std::vector<AttendanceEntry> entries;
  std::vector<CompletionRecord> completion_records;
  // As a trainer, with the planned half-days that they teach.
  std::optional<Trainer> trainer;
  std::vector<HalfDay> half_days;
  // Where they learn, sign or have been planned to teach.
  std::set<CohortName> cohorts;
  // All published calendars of these, by cohort, then number.
  std::vector<CalendarVersion> versions;
};

// Whether somebody else than the learner and their employer pays for the
// participation, and may ask for its proof.
bool IsFunded(const RosterEntry& learner);

// Why the person must be kept at `now`, by resource, then kind:
//   under_way          a published half-day to come that they teach;
//   completion_record  a participation with attendance: from the last half-day;
//   funding_pieces     the same, where a funder pays.
// Holds that are over are left out. INTERNAL when a rule is missing.
absl::StatusOr<std::vector<privacy::LegalHold>> LegalHoldsOn(
    const PersonRecord& record, const rules::RuleBook& rules, absl::Time now);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_LEGAL_HOLDS_H_
