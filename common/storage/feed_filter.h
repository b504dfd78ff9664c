#ifndef PARCOURS_COMMON_STORAGE_FEED_FILTER_H_
#define PARCOURS_COMMON_STORAGE_FEED_FILTER_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "common/storage/feed.h"

namespace parcours::storage {

// Which changes concern the reader of a FeedQuery, and which of them take
// something out of their sight. The same for what is read from the database and
// what is kept in memory. Safe to share once made.
class FeedFilter {
 public:
  // Of a query whose scope is not is_own().
  explicit FeedFilter(const FeedQuery& query) : FeedFilter(query, {}) {}
  // `owned` is what the keys of the query's own scope own now.
  FeedFilter(const FeedQuery& query, absl::flat_hash_set<std::string> owned);

  // Whether `change` concerns the reader; `removed` then says whether it lies
  // outside what they see.
  bool Concerns(const Change& change, bool& removed) const;

 private:
  // Whether what has `name` is seen by the reader when it lies within `scopes`.
  bool Sees(const std::string& name,
            const std::vector<std::string>& scopes) const;
  bool IsOwned(const std::string& name) const;
  bool IsOwn(const std::string& name,
             const std::vector<std::string>& scopes) const;
  bool IsWithin(const std::string& name,
                const std::vector<std::string>& scopes) const;

  const FeedQuery query_;
  const absl::flat_hash_set<std::string> owned_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_FEED_FILTER_H_
