#ifndef PARCOURS_SERVICES_EVALUATION_DOMAIN_ROSTER_H_
#define PARCOURS_SERVICES_EVALUATION_DOMAIN_ROSTER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "common/types/enum_names.h"
#include "services/evaluation/domain/names.h"

namespace parcours::evaluation {

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

// Whether a jury may look at the learner: the course is followed or has been.
constexpr bool MayBeAssessed(EnrolmentState state) {
  return state == EnrolmentState::kStarted ||
         state == EnrolmentState::kCompleted;
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
  int64_t version = 0;
  absl::Time create_time;
  absl::Time update_time;
};

RosterEntryName RosterEntryOf(const EnrolmentName& enrolment);

// Makes `entry` say what `facts` say. True when something has changed.
bool Copy(const EnrolmentFacts& facts, RosterEntry& entry);

}  // namespace parcours::evaluation

namespace parcours {

template <>
struct EnumNames<evaluation::EnrolmentState> {
  static constexpr std::string_view values[] = {
      "ENROLLED", "STARTED", "COMPLETED",   "DROPPED_OUT", "EXCLUDED",
      "REPLACED", "NO_SHOW", "TRANSFERRED", "WITHDRAWN"};
};

}  // namespace parcours

#endif  // PARCOURS_SERVICES_EVALUATION_DOMAIN_ROSTER_H_
