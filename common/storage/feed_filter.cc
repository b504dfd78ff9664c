#include "common/storage/feed_filter.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/text/view.h"

namespace parcours::storage {
namespace {

bool Holds(const std::vector<std::string>& names, const std::string& wanted) {
  return std::find(names.begin(), names.end(), wanted) != names.end();
}

// Whether `name` is the resource `above` or lies below it.
bool IsAtOrBelow(std::string_view name, std::string_view above) {
  return name.starts_with(above) &&
         (name.size() == above.size() || name[above.size()] == '/');
}

using Names = absl::flat_hash_set<std::string>;

// Whether `name` or what it lies below is among `owned`.
bool IsOwned(const Names& owned, const std::string& name) {
  if (owned.contains(name)) return true;
  for (std::size_t end = name.rfind('/'); end != std::string::npos && end > 0;
       end = name.rfind('/', end - 1)) {
    if (owned.contains(AbslView(std::string_view(name).substr(0, end)))) {
      return true;
    }
  }
  return false;
}

// Whether who owns `owned` reaches what has `name` when it lies within
// `scopes`.
bool IsReached(const Names& owned, const std::string& name,
               const std::vector<std::string>& scopes) {
  return IsOwned(owned, name) ||
         std::any_of(scopes.begin(), scopes.end(),
                     [&owned](const std::string& scope) {
                       return IsOwned(owned, scope);
                     });
}

}  // namespace

std::vector<std::string> KeysWithin(const FeedQuery& query) {
  std::vector<std::string> keys;
  for (const std::string& name : query.within) {
    // Names of resources have no colon.
    if (name.find(':') != std::string::npos) keys.push_back(name);
  }
  return keys;
}

bool DependsOnOwners(const FeedQuery& query) {
  return query.scope.is_own() || !KeysWithin(query).empty();
}

FeedFilter::FeedFilter(const FeedQuery& query, OwnedNames owned)
    : query_(query), owned_(std::move(owned)) {}

bool FeedFilter::Concerns(const Change& change, bool& removed) const {
  if (!query_.kinds.empty() && !Holds(query_.kinds, change.kind)) return false;
  removed = !Sees(change.name, change.scopes_after);
  // Whoever sees everything sees what lay nowhere, too.
  if (query_.scope.is_full() && query_.within.empty()) return true;
  return !removed || Sees(change.name, change.scopes_before);
}

bool FeedFilter::Sees(const std::string& name,
                      const std::vector<std::string>& scopes) const {
  // Without a scope there is no resource: not yet, or no longer.
  if (scopes.empty()) return false;
  if (!query_.scope.is_full() && !Holds(scopes, query_.scope.body())) {
    return false;
  }
  if (query_.scope.is_own() && !IsOwn(name, scopes)) return false;
  return query_.within.empty() || IsWithin(name, scopes);
}

bool FeedFilter::IsOwn(const std::string& name,
                       const std::vector<std::string>& scopes) const {
  for (const std::string& key : query_.scope.keys()) {
    if (Holds(scopes, key)) return true;
  }
  return IsReached(owned_.by_scope, name, scopes);
}

bool FeedFilter::IsWithin(const std::string& name,
                          const std::vector<std::string>& scopes) const {
  const auto holds = [&](const std::string& above) {
    return IsAtOrBelow(name, above) ||
           std::any_of(scopes.begin(), scopes.end(),
                       [&](const std::string& scope) {
                         return IsAtOrBelow(scope, above);
                       });
  };
  return std::any_of(query_.within.begin(), query_.within.end(), holds) ||
         IsReached(owned_.by_within, name, scopes);
}

}  // namespace parcours::storage
