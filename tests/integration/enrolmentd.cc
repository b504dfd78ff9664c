#include "tests/integration/enrolmentd.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "common/documents/upload_repository.h"
#include "common/storage/database.h"
#include "common/text/view.h"
#include "services/enrolment/store/migrations.h"

namespace parcours::integration {

void PrepareEnrolment(testing::TestDatabase& database) {
  if (database.engine() == storage::Engine::kPostgresql) {
    const absl::Status migrated = storage::Database::Migrate(
        database.options(),
        documents::WithUploadMigrations(enrolment::Migrations()));
    if (!migrated.ok()) {
      std::fprintf(stderr, "%s\n", migrated.ToString().c_str());
      std::abort();
    }
  }
}

namespace {

std::string Prepared(testing::TestDatabase& database) {
  database.options().create_as_simulation = true;
  PrepareEnrolment(database);
  return database.options().url;
}

std::vector<std::string> Flags(const std::string& url,
                               const std::vector<std::string>& more) {
  std::vector<std::string> flags = {
      Cat("--database_url=", url),
      "--documents_inspector=" PARCOURS_DOCUMENTS_INSPECTOR, "--simulation",
      "--simulation_start=2025-09-02T09:00:00+02:00"};
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

}  // namespace

Enrolmentd::Enrolmentd(const std::string& program, storage::Engine engine,
                       const std::vector<std::string>& flags)
    : program_(program),
      database_(engine),
      database_url_(Prepared(database_)),
      process_(program, Flags(database_url_, flags)) {}

std::unique_ptr<testing::DaemonFixture> Enrolmentd::MakeReplica(
    const std::vector<std::string>& flags) {
  std::vector<std::string> all = Flags(database_url_, flags);
  // The last of two flags counts.
  all.push_back(Cat("--secret_file=", process_.File("secret")));
  all.push_back(Cat("--upload_dir=", process_.upload_folder()));
  all.push_back(Cat("--identity_file=", process_.authority().identity_file()));
  return std::make_unique<testing::DaemonFixture>(program_, std::move(all));
}

}  // namespace parcours::integration
