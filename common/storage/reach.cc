#include "common/storage/reach.h"

#include "common/text/view.h"

namespace parcours::storage {

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
    // A resource and all below it: the next character after / is 0.
    CatTo(opened, opened.empty() ? "" : " OR ", column, " = owned OR (", column,
          " > owned || '/' AND ", column, " < owned || '0')");
  }
  return Cat(in_body,
             " AND EXISTS (SELECT 1 FROM ownership WHERE owner_key IN (", keys,
             ") AND (", opened, "))");
}

std::string ScopePredicate(const access::Scope& scope, const Reach& reach,
                           Values& values) {
  const std::string within = WithinScope(scope, reach, values);
  return within.empty() ? "" : Cat(" AND ", within);
}

}  // namespace parcours::storage
