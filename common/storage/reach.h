#ifndef PARCOURS_COMMON_STORAGE_REACH_H_
#define PARCOURS_COMMON_STORAGE_REACH_H_

#include <string>
#include <utility>
#include <vector>

#include "common/access/scope.h"
#include "common/storage/session.h"

namespace parcours::storage {

// How the rows of a table lie within the scope of owners: which of its columns
// hold the names of resources that an access::Ownership may open.
class Reach {
 public:
  // Everybody of the body sees the rows: what is published, not personal.
  static Reach SharedWithinBody() { return Reach({}); }
  // Whoever owns what one of `columns` names, or a resource above it.
  static Reach Through(std::vector<std::string> columns) {
    return Reach(std::move(columns));
  }

  bool is_shared() const { return columns_.empty(); }
  const std::vector<std::string>& columns() const { return columns_; }

 private:
  explicit Reach(std::vector<std::string> columns)
      : columns_(std::move(columns)) {}
  std::vector<std::string> columns_;
};

// The condition that a row lies within `scope`, with its values added to
// `values`; empty for the whole installation.
std::string WithinScope(const access::Scope& scope, const Reach& reach,
                        Values& values);

// The same after " AND ", for the end of a WHERE clause.
std::string ScopePredicate(const access::Scope& scope, const Reach& reach,
                           Values& values);

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_REACH_H_
