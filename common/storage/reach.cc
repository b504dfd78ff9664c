#include "common/storage/reach.h"

#include "common/text/view.h"

namespace parcours::storage {
namespace {

// Of the segments of names.
constexpr char kIdCharacters[] =
    "'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-'";
// No resource stands more segments below another that somebody may own.
constexpr int kSegmentsBelow = 4;

// The name in `column` and those above it, as a list: each is looked up, so
// that it does not matter how much somebody owns.
std::string NamesAbove(const std::string& column) {
  std::string names = column;
  std::string above = column;
  for (int i = 0; i < kSegmentsBelow; ++i) {
    above = Cat("rtrim(rtrim(", above, ", ", kIdCharacters, "), '/')");
    CatTo(names, ", ", above);
  }
  return names;
}

}  // namespace

std::string WithinScope(const access::Scope& scope, const Reach& reach,
                        Values& values) {
  if (scope.is_full()) return "";
  const bool by_owners = scope.is_own() && !reach.is_shared();
  if (by_owners && scope.keys().empty()) return "1 = 0";
  values.emplace_back(scope.body());
  const std::string in_body = Cat("body = $", values.size());
  if (!by_owners) return in_body;
  std::string keys;
  for (const std::string& key : scope.keys()) {
    values.emplace_back(key);
    CatTo(keys, keys.empty() ? "$" : ", $", values.size());
  }
  std::string opened;
  for (const std::string& column : reach.columns()) {
    CatTo(opened, opened.empty() ? "" : ", ", NamesAbove(column));
  }
  return Cat(in_body,
             " AND EXISTS (SELECT 1 FROM ownership WHERE owner_key IN (", keys,
             ") AND owned IN (", opened, "))");
}

std::string ScopePredicate(const access::Scope& scope, const Reach& reach,
                           Values& values) {
  const std::string within = WithinScope(scope, reach, values);
  return within.empty() ? "" : Cat(" AND ", within);
}

}  // namespace parcours::storage
