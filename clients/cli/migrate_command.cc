#include "clients/cli/migrate_command.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/status/macros.h"
#include "common/storage/database.h"
#include "services/enrolment/store/migrations.h"
#include "services/evaluation/store/migrations.h"
#include "services/scheduling/store/migrations.h"

namespace parcours::cli {

absl::StatusOr<std::vector<storage::Migration>> MigrationsOf(
    const std::string& service) {
  if (service == "enrolment") return enrolment::AllMigrations();
  if (service == "scheduling") {
    const absl::Span<const storage::Migration> all = scheduling::Migrations();
    return std::vector<storage::Migration>(all.begin(), all.end());
  }
  if (service == "evaluation") return evaluation::AllMigrations();
  return absl::InvalidArgumentError(
      absl::StrCat("--service: \"", service,
                   "\" is none of enrolment, scheduling, evaluation"));
}

absl::Status Migrate(const MigrateOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<storage::Migration> migrations,
                   MigrationsOf(options.service));
  return storage::Database::Migrate({.url = options.database_url,
                                     .password_file = options.password_file,
                                     .create_as_simulation = options.simulation,
                                     .create_as_local = options.local},
                                    migrations);
}

}  // namespace parcours::cli
