#ifndef PARCOURS_COMMON_PRIVACY_RETENTION_PERIOD_H_
#define PARCOURS_COMMON_PRIVACY_RETENTION_PERIOD_H_

#include "absl/time/civil_time.h"
#include "common/rules/rule_book.h"

namespace parcours::privacy {

// Last day of the time that `rule`, in days, months or years, gives from
// `start`: as many days after it; or the day before its date comes again, which
// is the last of a month without that date (C. proc. civ. art. 641).
absl::CivilDay LastDayKept(absl::CivilDay start, const rules::DatedRule& rule);

// Whether that time is over on `today`.
bool IsOverdue(absl::CivilDay start, const rules::DatedRule& rule,
               absl::CivilDay today);

// The first start of which that time is not over on `today`; of every earlier
// one it is.
absl::CivilDay FirstStartKept(const rules::DatedRule& rule,
                              absl::CivilDay today);

}  // namespace parcours::privacy

#endif  // PARCOURS_COMMON_PRIVACY_RETENTION_PERIOD_H_
