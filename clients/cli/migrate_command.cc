#include "clients/cli/migrate_command.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/storage/database.h"
#include "services/enrolment/store/migrations.h"
#include "services/evaluation/store/migrations.h"
#include "services/scheduling/store/migrations.h"

namespace parcours::cli {

absl::Status Migrate(const MigrateOptions& options) {
  std::vector<storage::Migration> migrations;
  if (options.service == "enrolment") {
    migrations = enrolment::AllMigrations();
  } else if (options.service == "scheduling") {
    const absl::Span<const storage::Migration> all = scheduling::Migrations();
    migrations.assign(all.begin(), all.end());
  } else if (options.service == "evaluation") {
    migrations = evaluation::AllMigrations();
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("--service: \"", options.service,
                     "\" is none of enrolment, scheduling, evaluation"));
  }
  return storage::Database::Migrate({.url = options.database_url,
                                     .password_file = options.password_file,
                                     .create_as_simulation = options.simulation,
                                     .create_as_local = options.local},
                                    migrations);
}

}  // namespace parcours::cli
