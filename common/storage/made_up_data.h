#ifndef PARCOURS_COMMON_STORAGE_MADE_UP_DATA_H_
#define PARCOURS_COMMON_STORAGE_MADE_UP_DATA_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/storage/database.h"

namespace parcours::storage {

// OK when made-up data may be written to `database`: it was created as a
// simulation or as local, and no change was ever made in it.
// FAILED_PRECONDITION says which of the two it is not. Whatever makes data up
// asks this itself, so that none can get among people who exist.
absl::Status CheckTakesMadeUpData(Database& database, absl::Time deadline);

// The same of the mark alone, without opening the database as a service does,
// which on SQLite migrates it. FAILED_PRECONDITION also where there is no
// database yet.
absl::Status CheckMarkedForMadeUpData(const DatabaseOptions& options);

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_MADE_UP_DATA_H_
