#ifndef PARCOURS_COMMON_PRIVACY_LEGAL_HOLD_H_
#define PARCOURS_COMMON_PRIVACY_LEGAL_HOLD_H_

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/privacy/retention_period.h"
#include "common/rules/rule_book.h"

namespace parcours::privacy {

// Why something must be kept: dated by a rule, or because it is under way.
struct LegalHold {
  std::string kind;      // "funding_pieces"
  std::string resource;  // name of what is kept
  // Version and article of the rule; both empty for what is under way.
  std::string rule;
  std::string article;
  // Last day; absent for what is under way.
  std::optional<absl::CivilDay> until;
};

// What `rule`, in days, months or years, makes one keep of `resource` from
// `start`.
inline LegalHold HoldFrom(std::string kind, std::string resource,
                          absl::CivilDay start, const rules::DatedRule& rule) {
  return {.kind = std::move(kind),
          .resource = std::move(resource),
          .rule = rule.version,
          .article = rule.article,
          .until = LastDayKept(start, rule)};
}

// Kind "under_way": `resource` has to come to its end first.
inline LegalHold HoldWhileUnderWay(std::string resource) {
  return {.kind = "under_way", .resource = std::move(resource)};
}

// In order of resource and kind. Of those that two services have on one
// resource for one reason, the one that ends last.
inline std::vector<LegalHold> Merged(std::vector<LegalHold> holds) {
  std::sort(holds.begin(), holds.end(),
            [](const LegalHold& a, const LegalHold& b) {
              return std::tie(a.resource, a.kind, b.until) <
                     std::tie(b.resource, b.kind, a.until);
            });
  holds.erase(std::unique(holds.begin(), holds.end(),
                          [](const LegalHold& a, const LegalHold& b) {
                            return std::tie(a.resource, a.kind) ==
                                   std::tie(b.resource, b.kind);
                          }),
              holds.end());
  return holds;
}

// Those that still hold on `today`, Merged.
inline std::vector<LegalHold> InForce(std::vector<LegalHold> holds,
                                      absl::CivilDay today) {
  std::erase_if(holds, [today](const LegalHold& hold) {
    return hold.until.has_value() && *hold.until < today;
  });
  return Merged(std::move(holds));
}

// One kind of document that is kept for a time, and what of it is due.
struct RetentionClass {
  std::string kind;            // "application_pieces"
  std::string description_fr;  // "CV et lettres des candidatures …"
  rules::DatedRule rule;
  std::string starts_fr;  // "après la décision"
  // Names of the resources of which it is to be removed, sorted.
  std::vector<std::string> due;
};

}  // namespace parcours::privacy

#endif  // PARCOURS_COMMON_PRIVACY_LEGAL_HOLD_H_
