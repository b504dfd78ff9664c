#include "common/testing/database_fixture.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/time/clock.h"
#include "common/storage/postgresql_session.h"
#include "common/testing/postgresql_cluster.h"
#include "common/text/view.h"

namespace parcours::testing {
namespace {

void MustBeOk(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "test database: %s\n", status.ToString().c_str());
  std::abort();
}

void Administer(const std::string& sql) {
  auto session = storage::PostgresqlSession::Connect(
      PostgresqlCluster::Get().Url("postgres"), "",
      absl::Now() + absl::Seconds(10));
  MustBeOk(session.status());
  MustBeOk((*session)->RunScript(sql));
}

}  // namespace

std::vector<storage::Engine> EnginesUnderTest() {
  return {storage::Engine::kSqlite, storage::Engine::kPostgresql};
}

TestDatabase::TestDatabase(storage::Engine engine) : engine_(engine) {
  auto master_keys = crypto::Keyring::Load(folder_.File("master"));
  MustBeOk(master_keys.status());
  options_.person_secrets =
      std::make_shared<storage::PersonSecrets>(storage::PersonSecrets{
          .master_keys = *std::move(master_keys),
          .blind_index_key = "a key of thirty-two bytes, fixed"});
  if (engine == storage::Engine::kSqlite) {
    options_.url = Cat("sqlite://", folder_.File("test.db"));
    return;
  }
  static std::atomic<int> count = 0;
  name_ = Cat("test_", getpid(), "_", ++count);
  Administer(Cat("CREATE DATABASE ", name_));
  options_.url = PostgresqlCluster::Get().Url(name_);
}

TestDatabase::~TestDatabase() {
  if (!name_.empty()) Administer(Cat("DROP DATABASE ", name_, " WITH (FORCE)"));
}

std::unique_ptr<storage::Database> TestDatabase::Open(
    absl::Span<const storage::Migration> migrations) {
  if (engine_ == storage::Engine::kPostgresql) {
    storage::DatabaseOptions plain = options_;
    plain.decorate_session = nullptr;
    MustBeOk(storage::Database::Migrate(plain, migrations));
  }
  auto database = storage::Database::Open(options_, migrations);
  MustBeOk(database.status());
  return *std::move(database);
}

}  // namespace parcours::testing
