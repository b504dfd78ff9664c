#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_ROSTER_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_ROSTER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/types/enum_names.h"
#include "services/scheduling/domain/names.h"

namespace parcours::scheduling {

// Where a participation stands, as enrolment says.
enum class EnrolmentState {
  kEnrolled,
  kStarted,
  kCompleted,
  kDroppedOut,
  kExcluded,
  kReplaced,
  kNoShow,
  kTransferred,
  kWithdrawn,
};

// Whether the learner takes part, or has taken part to the end.
constexpr bool HasLeft(EnrolmentState state) {
  return state > EnrolmentState::kCompleted;
}

// A participation as its owner states it at one moment.
struct EnrolmentFacts {
  EnrolmentName name;
  PersonName person;
  std::string display_name;
  // Name of the contract's PayerKind, without its prefix.
  std::string payer_kind;
  OrganisationName organisation;
  std::string funder_id;
  EnrolmentState state = EnrolmentState::kEnrolled;
  absl::Time enrol_time;
  // Last day of taking part; absent: the cohort's last.
  std::optional<absl::CivilDay> end_date;
  bool has_measures = false;
};

// A learner on the roster of a cohort: a copy of what enrolment owns.
struct RosterEntry {
  RosterEntryName name;
  EnrolmentName enrolment;
  PersonName person;
  std::string display_name;
  std::string payer_kind;
  // The employer, where one signs; empty otherwise.
  OrganisationName organisation;
  std::string funder_id;
  bool has_measures = false;
  EnrolmentState state = EnrolmentState::kEnrolled;
  absl::Time since;
  // The learner takes no part from then on.
  std::optional<absl::Time> until;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

// A trainer whom a half-day names: a copy of the name that enrolment owns, and
// the row that bookings of the person lock.
struct Trainer {
  PersonName name;
  std::string display_name;
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

RosterEntryName RosterEntryOf(const EnrolmentName& enrolment);

// Makes `entry` say what `facts` say. `now` stands for the end of somebody who
// has left without an end date. Local days are those of `zone`. True when
// something has changed.
bool Copy(const EnrolmentFacts& facts, absl::TimeZone zone, absl::Time now,
          RosterEntry& entry);

// Whether a half-day that starts at `start` is due from the learner.
bool TakesPartAt(const RosterEntry& entry, absl::Time start);

// The entry of `person` that takes part at `start`, or null.
const RosterEntry* FindParticipant(const std::vector<RosterEntry>& roster,
                                   const PersonName& person, absl::Time start);

}  // namespace parcours::scheduling

namespace parcours {

template <>
struct EnumNames<scheduling::EnrolmentState> {
  static constexpr std::string_view values[] = {
      "ENROLLED", "STARTED", "COMPLETED",   "DROPPED_OUT", "EXCLUDED",
      "REPLACED", "NO_SHOW", "TRANSFERRED", "WITHDRAWN"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_ROSTER_H_
