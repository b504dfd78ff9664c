#ifndef PARCOURS_COMMON_STORAGE_FEED_FILTER_H_
#define PARCOURS_COMMON_STORAGE_FEED_FILTER_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "common/storage/feed.h"

namespace parcours::storage {

// What the owners of a query own now: by the keys of its own scope, and by
// those that it is to lie within.
struct OwnedNames {
  absl::flat_hash_set<std::string> by_scope;
  absl::flat_hash_set<std::string> by_within;
};

// The keys of owners among the names of query.within: "funder:afdas".
std::vector<std::string> KeysWithin(const FeedQuery& query);

// Whether who owns what decides on the query: then the database is asked.
bool DependsOnOwners(const FeedQuery& query);

// Which changes concern the reader of a FeedQuery, and which of them take
// something out of their sight. The same for what is read from the database and
// what is kept in memory. Safe to share once made.
class FeedFilter {
 public:
  // Of a query that does not DependsOnOwners.
  explicit FeedFilter(const FeedQuery& query) : FeedFilter(query, {}) {}
  FeedFilter(const FeedQuery& query, OwnedNames owned);

  // Whether `change` concerns the reader; `removed` then says whether it lies
  // outside what they see.
  bool Concerns(const Change& change, bool& removed) const;

 private:
  // Whether what has `name` is seen by the reader when it lies within `scopes`.
  bool Sees(const std::string& name,
            const std::vector<std::string>& scopes) const;
  bool IsOwn(const std::string& name,
             const std::vector<std::string>& scopes) const;
  bool IsWithin(const std::string& name,
                const std::vector<std::string>& scopes) const;

  const FeedQuery query_;
  const OwnedNames owned_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_FEED_FILTER_H_
