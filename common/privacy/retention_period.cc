#include "common/privacy/retention_period.h"

#include <cassert>

namespace parcours::privacy {
namespace {

// The date of `start` that many months later; the first of the month after one
// that has no such date.
absl::CivilDay SameDateAfter(absl::CivilDay start, absl::civil_diff_t months) {
  const absl::CivilMonth month = absl::CivilMonth(start) + months;
  const absl::CivilDay next(month + 1);
  const absl::CivilDay date = absl::CivilDay(month) + (start.day() - 1);
  return date < next ? date : next;
}

}  // namespace

absl::CivilDay LastDayKept(absl::CivilDay start, const rules::DatedRule& rule) {
  switch (rule.unit) {
    case rules::RuleUnit::kYears:
      return SameDateAfter(start, 12 * rule.value) - 1;
    case rules::RuleUnit::kMonths:
      return SameDateAfter(start, rule.value) - 1;
    case rules::RuleUnit::kDays:
      return start + rule.value;
    case rules::RuleUnit::kWorkingDays:
    case rules::RuleUnit::kHours:
    case rules::RuleUnit::kMinutes:
    case rules::RuleUnit::kBasisPoints:
    case rules::RuleUnit::kCents:
    case rules::RuleUnit::kCount:
    case rules::RuleUnit::kFlag:
      break;
  }
  assert(false);  // RuleBook::RequirePeriods refused it.
  return absl::CivilDay::max();
}

bool IsOverdue(absl::CivilDay start, const rules::DatedRule& rule,
               absl::CivilDay today) {
  return LastDayKept(start, rule) < today;
}

absl::CivilDay FirstStartKept(const rules::DatedRule& rule,
                              absl::CivilDay today) {
  // LastDayKept(today) lies as far ahead as the start lies back, but for the
  // lengths of months.
  absl::CivilDay start = today - (LastDayKept(today, rule) - today);
  while (IsOverdue(start, rule, today)) ++start;
  while (!IsOverdue(start - 1, rule, today)) --start;
  return start;
}

}  // namespace parcours::privacy
