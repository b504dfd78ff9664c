#include "services/scheduling/domain/legal_holds.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/status/macros.h"
#include "common/time/clock.h"

namespace parcours::scheduling {
namespace {

using privacy::HoldFrom;
using privacy::HoldWhileUnderWay;
using privacy::LegalHold;

// The calendar of the cohort that is in force; null before the first.
const CalendarVersion* PublishedOf(const PersonRecord& record,
                                   const CohortName& cohort) {
  const CalendarVersion* latest = nullptr;
  for (const CalendarVersion& version : record.versions) {
    if (version.name.Under<CohortName>() == cohort &&
        (latest == nullptr || version.number > latest->number)) {
      latest = &version;
    }
  }
  return latest;
}

// The last day of the published course on which the learner takes part, or
// of an entry about the participation; nothing without any entry.
std::optional<absl::CivilDay> LastDayOf(const PersonRecord& record,
                                        const RosterEntry& learner) {
  const CalendarVersion* published =
      PublishedOf(record, learner.enrolment.Under<CohortName>());
  std::optional<absl::CivilDay> last;
  const auto extend = [&last](absl::CivilDay day) {
    last = std::max(last.value_or(day), day);
  };
  for (const AttendanceEntry& entry : record.entries) {
    if (entry.enrolment != learner.enrolment) continue;
    const HalfDay* half_day =
        published == nullptr ? nullptr : published->Find(entry.half_day());
    extend(half_day == nullptr ? ParisDay(entry.create_time) : half_day->date);
  }
  if (!last.has_value() || published == nullptr) return last;
  for (const HalfDay& half_day : published->half_days) {
    if (TakesPartAt(learner, half_day.start)) extend(half_day.date);
  }
  return last;
}

}  // namespace

bool IsFunded(const RosterEntry& learner) {
  static const auto& payers_of_their_own = *new std::set<std::string>{
      "", "INDIVIDUAL", "EMPLOYER", "PUBLIC_EMPLOYER"};
  return !learner.funder_id.empty() ||
         !payers_of_their_own.contains(learner.payer_kind);
}

absl::StatusOr<std::vector<LegalHold>> LegalHoldsOn(
    const PersonRecord& record, const rules::RuleBook& rules, absl::Time now) {
  const absl::CivilDay today = ParisDay(now);
  ASSIGN_OR_RETURN(const rules::DatedRule completion,
                   rules.AsOf(kCompletionRecordRetention, today));
  ASSIGN_OR_RETURN(const rules::DatedRule funding,
                   rules.AsOf(kFundingPiecesRetention, today));
  std::vector<LegalHold> holds;
  for (const CohortName& cohort : record.cohorts) {
    const CalendarVersion* published = PublishedOf(record, cohort);
    if (published == nullptr) continue;
    for (const HalfDay& half_day : published->half_days) {
      if (half_day.end > now && Teaches(half_day, record.person)) {
        holds.push_back(HoldWhileUnderWay(half_day.name.text()));
      }
    }
  }
  for (const RosterEntry& learner : record.roster) {
    const std::optional<absl::CivilDay> last = LastDayOf(record, learner);
    if (!last.has_value()) continue;
    const std::string& resource = learner.enrolment.text();
    holds.push_back(HoldFrom("completion_record", resource, *last, completion));
    if (IsFunded(learner)) {
      holds.push_back(HoldFrom("funding_pieces", resource, *last, funding));
    }
  }
  return privacy::InForce(std::move(holds), today);
}

}  // namespace parcours::scheduling
