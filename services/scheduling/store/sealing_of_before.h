#ifndef PARCOURS_SERVICES_SCHEDULING_STORE_SEALING_OF_BEFORE_H_
#define PARCOURS_SERVICES_SCHEDULING_STORE_SEALING_OF_BEFORE_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/storage/database.h"

namespace parcours::scheduling {

// Seals the texts of attendance that were written before persons had keys, once
// through the table: neither versions nor the change feed tell of it, for
// nobody reads anything else. Not thread-safe.
class SealingOfBefore {
 public:
  // `database` outlives this.
  explicit SealingOfBefore(storage::Database& database) : database_(database) {}

  // The next entries, at most 200, in one transaction; false when nothing is
  // left. Errors of Transact.
  absl::StatusOr<bool> Step(const access::Caller& caller);

 private:
  storage::Database& database_;
  // Up to which entry everything is sealed.
  std::string after_;
};

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_STORE_SEALING_OF_BEFORE_H_
