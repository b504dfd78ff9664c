#ifndef PARCOURS_COMMON_TYPES_REPOSITORY_H_
#define PARCOURS_COMMON_TYPES_REPOSITORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/scope.h"

namespace parcours {

// One page of a list, in keyset order.
template <typename Resource>
struct Page {
  std::vector<Resource> items;
  // Where the next page begins; empty after the last.
  std::string next_key;
  // Position of the change feed at which the list was read.
  int64_t feed_position = 0;
};

struct PageRequest {
  int size = 50;
  std::string after_key;
};

// The resources of one kind within one transaction. `Resource` is a domain
// struct with `name`, `int64_t version`, `absl::Time create_time` and
// `absl::Time update_time`.
template <typename Resource>
class Repository {
 public:
  using Name = decltype(Resource::name);
  virtual ~Repository() = default;

  // The resource, or NOT_FOUND with full scope, or PERMISSION_DENIED without.
  virtual absl::StatusOr<Resource> Get(const access::Scope& scope,
                                       const Name& name) = 0;
  // The same, or nothing when it is absent or outside the scope.
  virtual absl::StatusOr<std::optional<Resource>> Find(
      const access::Scope& scope, const Name& name) = 0;
  // Get, locked against other writers until the end of the transaction. Take
  // locks in the order cohort or other parent first, then its rows by name.
  virtual absl::StatusOr<Resource> Lock(const access::Scope& scope,
                                        const Name& name) = 0;

  // Adds `resource` at version 1 and stamps its times; a name that exists
  // fails the transaction with ALREADY_EXISTS.
  virtual void Insert(Resource& resource) = 0;
  // Replaces the stored resource, raises `version` by one and stamps
  // `update_time`. The stored version must be the one that was read: otherwise
  // the transaction runs again.
  virtual void Update(Resource& resource) = 0;

  // The children of `parent` (a prefix of names, or empty for all in scope),
  // ordered by name.
  virtual absl::StatusOr<Page<Resource>> List(const access::Scope& scope,
                                              const std::string& parent,
                                              const PageRequest& page) = 0;
};

}  // namespace parcours

#endif  // PARCOURS_COMMON_TYPES_REPOSITORY_H_
