#include "common/rules/rule_book.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/span.h"
#include "common/status/macros.h"
#include "common/textproto/text_proto.h"
#include "google/protobuf/text_format.h"
#include "google/type/date.pb.h"
#include "parcours/type/v1/rule_book.pb.h"

namespace parcours::rules {
namespace {

namespace pb = ::parcours::type::v1;
using google::protobuf::TextFormat;

// Debian's Abseil has its own string_view.
absl::string_view View(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

std::optional<RuleUnit> UnitOf(pb::Rule::Unit unit) {
  switch (unit) {
    case pb::Rule::UNIT_DAYS:
      return RuleUnit::kDays;
    case pb::Rule::UNIT_WORKING_DAYS:
      return RuleUnit::kWorkingDays;
    case pb::Rule::UNIT_HOURS:
      return RuleUnit::kHours;
    case pb::Rule::UNIT_MINUTES:
      return RuleUnit::kMinutes;
    case pb::Rule::UNIT_MONTHS:
      return RuleUnit::kMonths;
    case pb::Rule::UNIT_YEARS:
      return RuleUnit::kYears;
    case pb::Rule::UNIT_BASIS_POINTS:
      return RuleUnit::kBasisPoints;
    case pb::Rule::UNIT_CENTS:
      return RuleUnit::kCents;
    case pb::Rule::UNIT_COUNT:
      return RuleUnit::kCount;
    case pb::Rule::UNIT_FLAG:
      return RuleUnit::kFlag;
    default:
      return std::nullopt;
  }
}

std::optional<RuleCertainty> CertaintyOf(pb::DatedValue::Certainty certainty) {
  switch (certainty) {
    case pb::DatedValue::CERTAINTY_VERIFIED:
      return RuleCertainty::kVerified;
    case pb::DatedValue::CERTAINTY_UNCERTAIN:
      return RuleCertainty::kUncertain;
    case pb::DatedValue::CERTAINTY_HOUSE:
      return RuleCertainty::kHouse;
    default:
      return std::nullopt;
  }
}

std::optional<absl::CivilDay> DayOf(const google::type::Date& date) {
  const absl::CivilDay day(date.year(), date.month(), date.day());
  // CivilDay normalises 31 February to 3 March.
  if (date.year() < 1 || day.year() != date.year() ||
      day.month() != date.month() || day.day() != date.day()) {
    return std::nullopt;
  }
  return day;
}

bool IsRuleId(std::string_view id) {
  if (id.empty() || !absl::ascii_islower(static_cast<unsigned char>(id[0]))) {
    return false;
  }
  char previous = 'a';
  for (const char c : id) {
    const auto u = static_cast<unsigned char>(c);
    const bool is_word = absl::ascii_islower(u) || absl::ascii_isdigit(u);
    const bool is_joint = c == '.' || c == '_';
    if (!is_word && !is_joint) return false;
    if (is_joint && (previous == '.' || previous == '_')) return false;
    previous = c;
  }
  return previous != '.' && previous != '_';
}

// Checks one message of the file and says where each problem stands.
class Checker {
 public:
  explicit Checker(std::string_view name) : name_(name) {}

  void Report(TextFormat::ParseLocation location, absl::string_view what) {
    problems_.push_back(location.line < 0
                            ? absl::StrCat(name_, ": ", what)
                            : absl::StrCat(name_, ":", location.line + 1, ":",
                                           location.column + 1, ": ", what));
  }

  absl::Status status() const {
    if (problems_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(problems_, "\n"));
  }

 private:
  std::string name_;
  std::vector<std::string> problems_;
};

// The versions of `rule`, or nothing more than reports when it is wrong.
std::vector<DatedRule> CheckRule(const pb::Rule& rule, absl::string_view book,
                                 TextFormat::ParseLocation location,
                                 const TextFormat::ParseInfoTree* tree,
                                 Checker& checker) {
  const std::string subject = absl::StrCat("rule \"", rule.id(), "\"");
  if (!IsRuleId(rule.id())) {
    checker.Report(location, absl::StrCat(subject,
                                          ": id must be lower-case words "
                                          "joined by dots or underscores"));
  }
  if (rule.description_fr().empty()) {
    checker.Report(location, absl::StrCat(subject, ": no description_fr"));
  }
  const std::optional<RuleUnit> unit = UnitOf(rule.unit());
  if (!unit.has_value()) {
    checker.Report(location, absl::StrCat(subject, ": no unit"));
  }
  if (rule.values().empty()) {
    checker.Report(location, absl::StrCat(subject, ": no values"));
  }

  std::vector<DatedRule> versions;
  const google::protobuf::FieldDescriptor* values_field =
      pb::Rule::descriptor()->FindFieldByNumber(pb::Rule::kValuesFieldNumber);
  for (int i = 0; i < rule.values_size(); ++i) {
    const pb::DatedValue& value = rule.values(i);
    const TextFormat::ParseLocation at =
        tree == nullptr ? location : tree->GetLocation(values_field, i);
    DatedRule version;
    version.id = rule.id();
    version.value = value.value();
    version.unit = unit.value_or(RuleUnit::kCount);
    version.article = value.article();
    version.source = value.source();

    const std::optional<absl::CivilDay> from = DayOf(value.effective_from());
    if (!from.has_value()) {
      checker.Report(
          at, absl::StrCat(subject, ": effective_from is not a calendar day"));
    }
    if (value.has_effective_until()) {
      version.effective_until = DayOf(value.effective_until());
      if (!version.effective_until.has_value()) {
        checker.Report(
            at,
            absl::StrCat(subject, ": effective_until is not a calendar day"));
      } else if (from.has_value() && *version.effective_until < *from) {
        checker.Report(at, absl::StrCat(subject,
                                        ": effective_until is before "
                                        "effective_from"));
      }
    }
    if (absl::StripAsciiWhitespace(value.article()).empty()) {
      checker.Report(at, absl::StrCat(subject, ": no article"));
    }
    if (absl::StripAsciiWhitespace(value.source()).empty()) {
      checker.Report(at, absl::StrCat(subject, ": no source"));
    }
    const std::optional<RuleCertainty> certainty =
        CertaintyOf(value.certainty());
    if (!certainty.has_value()) {
      checker.Report(at, absl::StrCat(subject, ": no certainty"));
    }
    if (value.value() < 0) {
      checker.Report(at, absl::StrCat(subject, ": value is negative"));
    }
    if (unit == RuleUnit::kFlag && value.value() > 1) {
      checker.Report(at, absl::StrCat(subject, ": a flag is 0 or 1"));
    }
    if (unit == RuleUnit::kBasisPoints && value.value() > 10'000) {
      checker.Report(at,
                     absl::StrCat(subject, ": more than 10000 basis points"));
    }
    if (!from.has_value()) continue;
    if (!versions.empty()) {
      DatedRule& previous = versions.back();
      if (*from <= previous.effective_from) {
        checker.Report(at, absl::StrCat(subject,
                                        ": effective_from is not after that "
                                        "of the version before"));
      } else if (!previous.effective_until.has_value()) {
        previous.effective_until = *from - 1;
      } else if (*previous.effective_until >= *from) {
        checker.Report(at,
                       absl::StrCat(subject, ": overlaps the version before"));
      }
    }
    version.certainty = certainty.value_or(RuleCertainty::kUncertain);
    version.effective_from = *from;
    version.version =
        absl::StrCat(book, "/", rule.id(), "@", absl::FormatCivilTime(*from));
    versions.push_back(std::move(version));
  }
  return versions;
}

}  // namespace

absl::StatusOr<RuleBook> RuleBook::Load(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, textproto::ReadTextFile(path));
  return Parse(text, path);
}

absl::StatusOr<RuleBook> RuleBook::Parse(std::string_view text,
                                         std::string_view name) {
  pb::RuleBook file;
  TextFormat::ParseInfoTree locations;
  RETURN_IF_ERROR(textproto::Parse(text, name, file, &locations));

  Checker checker(name);
  const TextFormat::ParseLocation nowhere;
  if (!IsRuleId(file.book())) {
    checker.Report(nowhere, "book must be a lower-case word");
  }
  if (file.rules().empty()) checker.Report(nowhere, "no rules");

  RuleBook book;
  const google::protobuf::FieldDescriptor* rules_field =
      pb::RuleBook::descriptor()->FindFieldByNumber(
          pb::RuleBook::kRulesFieldNumber);
  for (int i = 0; i < file.rules_size(); ++i) {
    const pb::Rule& rule = file.rules(i);
    const TextFormat::ParseLocation location =
        locations.GetLocation(rules_field, i);
    std::vector<DatedRule> versions =
        CheckRule(rule, file.book(), location,
                  locations.GetTreeForNested(rules_field, i), checker);
    if (!book.versions_.try_emplace(rule.id(), std::move(versions)).second) {
      checker.Report(location, absl::StrCat("rule \"", rule.id(),
                                            "\" is in the book already"));
    }
  }
  RETURN_IF_ERROR(checker.status());
  return book;
}

absl::StatusOr<DatedRule> RuleBook::AsOf(std::string_view id,
                                         absl::CivilDay day) const {
  const auto found = versions_.find(View(id));
  if (found == versions_.end()) {
    return absl::InternalError(absl::StrCat("no rule \"", View(id), "\""));
  }
  const std::vector<DatedRule>& versions = found->second;
  const auto after =
      std::upper_bound(versions.begin(), versions.end(), day,
                       [](absl::CivilDay wanted, const DatedRule& version) {
                         return wanted < version.effective_from;
                       });
  if (after != versions.begin()) {
    const DatedRule& version = *std::prev(after);
    if (!version.effective_until.has_value() ||
        day <= *version.effective_until) {
      return version;
    }
  }
  return absl::InternalError(absl::StrCat(
      "rule \"", View(id), "\" has no value on ", absl::FormatCivilTime(day)));
}

absl::Status RuleBook::Require(absl::Span<const std::string_view> ids) const {
  std::vector<absl::string_view> missing;
  for (const std::string_view id : ids) {
    if (!versions_.contains(View(id))) missing.push_back(View(id));
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the rule book lacks ", absl::StrJoin(missing, ", ")));
}

absl::Status RuleBook::RequirePeriods(
    absl::Span<const std::string_view> ids) const {
  if (absl::Status present = Require(ids); !present.ok()) return present;
  std::vector<absl::string_view> others;
  for (const std::string_view id : ids) {
    const RuleUnit unit = versions_.at(View(id)).front().unit;
    if (unit != RuleUnit::kDays && unit != RuleUnit::kMonths &&
        unit != RuleUnit::kYears) {
      others.push_back(View(id));
    }
  }
  if (others.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the rule book counts ", absl::StrJoin(others, ", "),
                   " in something else than days, months or years"));
}

std::vector<std::string> RuleBook::Ids() const {
  std::vector<std::string> ids;
  ids.reserve(versions_.size());
  for (const auto& [id, versions] : versions_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace parcours::rules
