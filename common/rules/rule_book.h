// Dated values of the law and of the house, looked up as of a day.

#ifndef PARCOURS_COMMON_RULES_RULE_BOOK_H_
#define PARCOURS_COMMON_RULES_RULE_BOOK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/types/span.h"

namespace parcours::rules {

// What a value is counted in.
enum class RuleUnit {
  kDays,         // calendar days
  kWorkingDays,  // days as IsWorkingDay counts them
  kHours,
  kMinutes,
  kMonths,
  kYears,
  kBasisPoints,  // 3000 is 30 %
  kCents,        // hundredths of a euro
  kCount,
  kFlag,  // 0 or 1
};

// Where a value has its authority.
enum class RuleCertainty {
  kVerified,   // read in the official text
  kUncertain,  // relayed, or sources disagree
  kHouse,      // a decision of the training body; no law sets it
};

// A rule as it stands on a day.
struct DatedRule {
  std::string id;  // "withdrawal.distance"
  std::int64_t value = 0;
  RuleUnit unit = RuleUnit::kCount;
  std::string article;  // as a refusal cites it: "C. conso. L221-18"
  std::string source;
  RuleCertainty certainty = RuleCertainty::kHouse;
  // Which version this is: "fr/withdrawal.distance@2016-07-01". Kept beside
  // every decision that used the rule.
  std::string version;
  absl::CivilDay effective_from;
  std::optional<absl::CivilDay> effective_until;  // last day, included

  bool IsSet() const { return value != 0; }  // of a kFlag
};

// The rules of one file (see proto/parcours/type/v1/rule_book.proto). It only
// looks up: the arithmetic of an article is a function named after it, beside
// the code that applies it. Immutable: safe for concurrent use; cheap to move.
class RuleBook {
 public:
  // Reads the file at `path`. Errors: NOT_FOUND without such a file;
  // INVALID_ARGUMENT with every problem on a line of its own, as
  // "path:line:column: what".
  static absl::StatusOr<RuleBook> Load(const std::string& path);

  // The same for a text; `name` stands for it in what is reported.
  static absl::StatusOr<RuleBook> Parse(std::string_view text,
                                        std::string_view name);

  // The rule `id` as it stands on `day`. Errors: INTERNAL when the book has no
  // such rule or none of its versions applies on `day`.
  absl::StatusOr<DatedRule> AsOf(std::string_view id, absl::CivilDay day) const;

  // Checked at start: OK when the book has every rule of `ids`; otherwise
  // FAILED_PRECONDITION that names all that are missing.
  absl::Status Require(absl::Span<const std::string_view> ids) const;

  // As Require; besides, each of `ids` is a time in days, months or years.
  absl::Status RequirePeriods(absl::Span<const std::string_view> ids) const;

  // The ids of all rules, sorted.
  std::vector<std::string> Ids() const;

 private:
  RuleBook() = default;

  // By id, in order of the first day.
  absl::flat_hash_map<std::string, std::vector<DatedRule>> versions_;
};

}  // namespace parcours::rules

#endif  // PARCOURS_COMMON_RULES_RULE_BOOK_H_
