#include "services/evaluation/domain/roster.h"

#include <tuple>

namespace parcours::evaluation {
namespace {

auto Copied(const RosterEntry& entry) {
  return std::tie(entry.enrolment, entry.person, entry.display_name,
                  entry.payer_kind, entry.organisation, entry.funder_id,
                  entry.has_measures, entry.state);
}

}  // namespace

RosterEntryName RosterEntryOf(const EnrolmentName& enrolment) {
  return ChildName<RosterEntryName>(enrolment.Under<CohortName>(),
                                    "rosterEntries", enrolment.id());
}

bool Copy(const EnrolmentFacts& facts, RosterEntry& entry) {
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
  return Copied(before) != Copied(entry);
}

}  // namespace parcours::evaluation
