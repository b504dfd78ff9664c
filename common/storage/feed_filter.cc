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

}  // namespace

FeedFilter::FeedFilter(const FeedQuery& query,
                       absl::flat_hash_set<std::string> owned)
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

bool FeedFilter::IsOwned(const std::string& name) const {
  if (owned_.contains(name)) return true;
  for (std::size_t end = name.rfind('/'); end != std::string::npos && end > 0;
       end = name.rfind('/', end - 1)) {
    if (owned_.contains(AbslView(std::string_view(name).substr(0, end)))) {
      return true;
    }
  }
  return false;
}

bool FeedFilter::IsOwn(const std::string& name,
                       const std::vector<std::string>& scopes) const {
  for (const std::string& key : query_.scope.keys()) {
    if (Holds(scopes, key)) return true;
  }
  return IsOwned(name) || std::any_of(scopes.begin(), scopes.end(),
                                      [this](const std::string& scope) {
                                        return IsOwned(scope);
                                      });
}

bool FeedFilter::IsWithin(const std::string& name,
                          const std::vector<std::string>& scopes) const {
  return std::any_of(query_.within.begin(), query_.within.end(),
                     [&](const std::string& above) {
                       return IsAtOrBelow(name, above) ||
                              std::any_of(scopes.begin(), scopes.end(),
                                          [&](const std::string& scope) {
                                            return IsAtOrBelow(scope, above);
                                          });
                     });
}

}  // namespace parcours::storage
