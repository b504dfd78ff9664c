#ifndef PARCOURS_SERVICES_SCHEDULING_DOMAIN_RETENTION_H_
#define PARCOURS_SERVICES_SCHEDULING_DOMAIN_RETENTION_H_

#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/access/caller.h"
#include "common/privacy/legal_hold.h"
#include "common/rules/rule_book.h"
#include "services/scheduling/domain/calendar.h"
#include "services/scheduling/domain/names.h"
#include "services/scheduling/domain/scheduling_store.h"

namespace parcours::scheduling {

// What is kept for a time and no longer: what entries say in words, after the
// training (retention.absence_reason). That somebody was there, late, absent or
// excused stays, and so does who helped to sign.

inline constexpr std::string_view kAbsenceReasonRetention =
    "retention.absence_reason";

// Whether on `today` the years of `rule` after the last half-day of the
// published calendar are over.
bool IsOverdue(const CalendarVersion& published, const rules::DatedRule& rule,
               absl::CivilDay today);

// The class "absence_reason", with the entries of `body` that are due at
// caller.now; at most 500. PERMISSION_DENIED.
absl::StatusOr<std::vector<privacy::RetentionClass>> DueIn(
    SchedulingStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const BodyName& body);

// Removes what is due, in one transaction, after `check` agreed to what was
// found in it; answers that. A repeated request changes nothing and answers
// what is due now. Errors of `check`.
absl::StatusOr<std::vector<privacy::RetentionClass>> RemoveDue(
    SchedulingStore& store, const rules::RuleBook& rules,
    const access::Caller& caller, const BodyName& body,
    absl::FunctionRef<absl::Status(const std::vector<privacy::RetentionClass>&)>
        check);

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_DOMAIN_RETENTION_H_
