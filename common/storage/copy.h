#ifndef PARCOURS_COMMON_STORAGE_COPY_H_
#define PARCOURS_COMMON_STORAGE_COPY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/storage/database.h"
#include "common/storage/session.h"

namespace parcours::storage {

struct CopiedTable {
  std::string name;
  int64_t rows = 0;
  // SHA-256 over all rows in the order of their keys, the same on both sides.
  std::string digest;
};

struct CopyResult {
  std::vector<CopiedTable> tables;
  // Of the copy: feed tokens of the original are refused by it.
  std::string incarnation;
};

// Copies a service's SQLite file into a PostgreSQL database that has been
// migrated and never used, in one transaction: on any error the target stays
// empty. No process may have the file open, and none can meanwhile. Every table
// is copied but the leases, and compared row by row; numbers that grow by
// insertion go on after the last one; the copy gets an incarnation of its own,
// so that followers read it anew, while the audit trail keeps its own. What it
// was created as, a simulation or local, it stays.
//
// `check` is asked, within the transaction, once all is there.
//
// FAILED_PRECONDITION, with what to do, when the two do not have the schema of
// `migrations`, the target holds anything, or a service runs; INVALID_ARGUMENT
// for other engines; DATA_LOSS, with table and row, when the copy differs.
absl::StatusOr<CopyResult> CopyDatabase(
    const DatabaseOptions& from, const DatabaseOptions& to,
    absl::Span<const Migration> migrations,
    const std::function<absl::Status(Session&)>& check = nullptr);

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_COPY_H_
