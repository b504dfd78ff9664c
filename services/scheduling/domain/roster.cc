#include "services/scheduling/domain/roster.h"

#include <algorithm>
#include <tuple>

namespace parcours::scheduling {
namespace {

auto Copied(const RosterEntry& entry) {
  return std::tie(entry.enrolment, entry.person, entry.display_name,
                  entry.payer_kind, entry.organisation, entry.funder_id,
                  entry.has_measures, entry.state, entry.since, entry.until);
}

// The instant from which somebody who has left takes no part any more.
std::optional<absl::Time> EndOf(const EnrolmentFacts& facts,
                                const std::optional<absl::Time>& known,
                                absl::TimeZone zone, absl::Time now) {
  if (facts.end_date.has_value()) {
    return absl::FromCivil(*facts.end_date + 1, zone);
  }
  if (!HasLeft(facts.state)) return std::nullopt;
  return known.has_value() ? known : now;
}

}  // namespace

RosterEntryName RosterEntryOf(const EnrolmentName& enrolment) {
  return ChildName<RosterEntryName>(enrolment.Under<CohortName>(),
                                    "rosterEntries", enrolment.id());
}

bool Copy(const EnrolmentFacts& facts, absl::TimeZone zone, absl::Time now,
          RosterEntry& entry) {
  const RosterEntry before = entry;
  entry.name = RosterEntryOf(facts.name);
  entry.enrolment = facts.name;
  entry.person = facts.person;
  entry.display_name = facts.display_name;
  entry.payer_kind = facts.payer_kind;
  entry.organisation = facts.organisation;
  entry.funder_id = facts.funder_id;
  entry.has_measures = facts.has_measures;
  entry.state = facts.state;
  entry.since = facts.enrol_time;
  entry.until = EndOf(facts, before.until, zone, now);
  return Copied(before) != Copied(entry);
}

bool TakesPartAt(const RosterEntry& entry, absl::Time start) {
  return entry.since <= start &&
         (!entry.until.has_value() || start < *entry.until);
}

const RosterEntry* FindParticipant(const std::vector<RosterEntry>& roster,
                                   const PersonName& person, absl::Time start) {
  auto found =
      std::find_if(roster.begin(), roster.end(), [&](const RosterEntry& entry) {
        return entry.person == person && TakesPartAt(entry, start);
      });
  return found == roster.end() ? nullptr : &*found;
}

}  // namespace parcours::scheduling
