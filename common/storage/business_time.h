#ifndef PARCOURS_COMMON_STORAGE_BUSINESS_TIME_H_
#define PARCOURS_COMMON_STORAGE_BUSINESS_TIME_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/storage/database.h"
#include "common/time/clock.h"

namespace parcours::storage {

// The business time of a database: simulated and kept there when it was created
// as a simulation, else real. Thread-safe.
class DatabaseBusinessClock : public BusinessClock {
 public:
  // Whether time stands still until it is advanced.
  virtual bool is_simulated() const = 0;

  // Moves business time forward to `now`, first in the database.
  // NOT_A_SIMULATION on another database; TIME_MOVES_FORWARD_ONLY when `now` is
  // the past; errors of Database::Transact. The present is no error.
  virtual absl::Status AdvanceTo(absl::Time now, absl::Time deadline) = 0;

  // Takes over what another replica has advanced.
  virtual absl::Status Refresh(absl::Time deadline) = 0;
};

// The clock of `database`, which outlives it. A simulation that has no time yet
// begins at `initial`.
absl::StatusOr<std::unique_ptr<DatabaseBusinessClock>> OpenBusinessClock(
    Database& database, absl::Time initial);

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_BUSINESS_TIME_H_
