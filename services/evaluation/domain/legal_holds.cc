#include "services/evaluation/domain/legal_holds.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/status/macros.h"
#include "common/time/clock.h"

namespace parcours::evaluation {
namespace {

// The one of `those` that is about the enrolment; null without.
template <typename Resource>
const Resource* Of(const EnrolmentName& enrolment,
                   const std::vector<Resource>& those) {
  const auto found = std::find_if(
      those.begin(), those.end(),
      [&](const Resource& one) { return one.enrolment == enrolment; });
  return found == those.end() ? nullptr : &*found;
}

bool AwaitsResult(const ValidationNote& note, const PersonRecord& record) {
  if (note.version_count == 0) return false;
  if (Of(note.enrolment, record.results) != nullptr) return false;
  const RosterEntry* const learner = Of(note.enrolment, record.roster);
  return learner == nullptr || !HasLeft(learner->state);
}

}  // namespace

absl::StatusOr<std::vector<privacy::LegalHold>> LegalHoldsOn(
    const PersonRecord& record, const rules::RuleBook& rules, absl::Time now) {
  std::vector<privacy::LegalHold> holds;
  const auto under_way = [&holds](const std::string& resource) {
    holds.push_back(privacy::HoldWhileUnderWay(resource));
  };
  for (const ValidationNote& note : record.notes) {
    if (AwaitsResult(note, record)) under_way(note.name.text());
  }
  for (const Jury& session : record.sessions) under_way(session.name.text());
  for (const Result& result : record.results) {
    if (result.decision.empty()) continue;
    ASSIGN_OR_RETURN(const AppealPeriod period, AppealPeriodOf(result, rules));
    if (ParisDay(now) <= period.last_day) under_way(result.decision.text());
  }
  for (const Appeal& appeal : record.appeals) {
    if (appeal.state == AppealState::kLodged) under_way(appeal.name.text());
  }
  for (const Jury& jury : record.juries) {
    if (jury.state != JuryState::kClosed) under_way(jury.name.text());
  }
  return privacy::Merged(std::move(holds));
}

}  // namespace parcours::evaluation
