#include "common/storage/made_up_data.h"

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/feed.h"
#include "common/storage/sqlite_database.h"
#include "common/storage/sqlite_session.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

constexpr absl::Duration kLookTime = absl::Seconds(10);
constexpr char kNotMarked[] =
    "the database was created neither as a simulation nor as local: made-up "
    "people do not go where real ones are";

}  // namespace

absl::Status CheckTakesMadeUpData(Database& database, absl::Time deadline) {
  if (!database.is_simulation() && !database.is_local()) {
    return absl::FailedPreconditionError(kNotMarked);
  }
  ASSIGN_OR_RETURN(const FeedBacklog feed, ReadBacklog(database, deadline));
  if (feed.head == 0 && feed.count == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      Cat("the database is not empty: ", feed.head + feed.count,
          " changes were made in it"));
}

absl::Status CheckMarkedForMadeUpData(const DatabaseOptions& options) {
  // PostgreSQL is only ever migrated by its own command: opening it is enough.
  if (!options.url.starts_with("sqlite://")) return absl::OkStatus();
  const std::string path = SqlitePath(options.url);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return absl::FailedPreconditionError(
        Cat(path,
            " does not exist: `parcours migrate` with --simulation or "
            "--local makes it"));
  }
  ASSIGN_OR_RETURN(const SqliteFileLock lock, SqliteFileLock::Take(path));
  ASSIGN_OR_RETURN(const std::unique_ptr<SqliteSession> session,
                   SqliteSession::Open(path, SqliteSession::Access::kReadOnly));
  const Statement statement{
      "SELECT simulation, local FROM database_marker WHERE id = 1", {}};
  const absl::StatusOr<std::vector<Result>> marker =
      session->Run(absl::MakeConstSpan(&statement, 1), absl::Now() + kLookTime);
  // One without the table, or from before there were local ones.
  if (!marker.ok() || marker->at(0).rows.empty()) {
    return absl::FailedPreconditionError(
        Cat(path,
            " is no database of a service: `parcours migrate` with "
            "--simulation or --local makes one"));
  }
  const Row& row = marker->at(0).rows.front();
  if (row.Integer(0) != 0 || row.Integer(1) != 0) return absl::OkStatus();
  return absl::FailedPreconditionError(kNotMarked);
}

}  // namespace parcours::storage
