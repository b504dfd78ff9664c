#ifndef PARCOURS_SERVICES_ENROLMENT_STORE_SEALING_OF_BEFORE_H_
#define PARCOURS_SERVICES_ENROLMENT_STORE_SEALING_OF_BEFORE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/storage/database.h"

namespace parcours::enrolment {

// Seals what was written before persons had keys, and puts digests in place of
// the keys of candidates, once through the tables: neither versions nor the
// change feed tell of it, for nobody reads anything else. Not thread-safe.
class SealingOfBefore {
 public:
  // `database` outlives this.
  explicit SealingOfBefore(storage::Database& database) : database_(database) {}

  // The next rows, at most 200, in one transaction; false when nothing is left.
  // Errors of Transact.
  absl::StatusOr<bool> Step(const access::Caller& caller);

 private:
  storage::Database& database_;
  // Which of the tables, and up to which row of it everything is sealed.
  std::size_t table_ = 0;
  std::string after_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_STORE_SEALING_OF_BEFORE_H_
