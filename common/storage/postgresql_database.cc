#include "common/storage/postgresql_database.h"

#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/storage/migration.h"
#include "common/storage/postgresql_session.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

constexpr absl::Duration kOpenTime = absl::Seconds(10);

absl::StatusOr<std::string> ReadPassword(const std::string& file) {
  if (file.empty()) return std::string();
  std::ifstream stream(file);
  std::string password;
  if (!std::getline(stream, password)) {
    return absl::FailedPreconditionError(
        Cat("cannot read the password in ", file));
  }
  return password;
}

// The file is read at each connection, so that a password can be rotated.
SessionPool::Factory Connects(const DatabaseOptions& options) {
  return [url = options.url, file = options.password_file,
          decorate = options.decorate_session](
             absl::Time deadline) -> absl::StatusOr<std::unique_ptr<Session>> {
    ASSIGN_OR_RETURN(const std::string password, ReadPassword(file));
    ASSIGN_OR_RETURN(std::unique_ptr<Session> session,
                     PostgresqlSession::Connect(url, password, deadline));
    return decorate ? decorate(std::move(session)) : std::move(session);
  };
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> PostgresqlDatabase::Open(
    const DatabaseOptions& options, absl::Span<const Migration> migrations) {
  std::unique_ptr<PostgresqlDatabase> database(
      new PostgresqlDatabase(options, Connects(options)));
  ASSIGN_OR_RETURN(const SessionPool::Lease session,
                   database->sessions_.Acquire(absl::Now() + kOpenTime));
  ASSIGN_OR_RETURN(Marker marker, CheckSchema(*session, migrations, options));
  database->set_marker(std::move(marker));
  database->set_person_secrets(options.person_secrets);
  return database;
}

absl::StatusOr<std::unique_ptr<Session>> PostgresqlDatabase::Connect(
    const DatabaseOptions& options) {
  return Connects(options)(absl::Now() + kOpenTime);
}

absl::Status PostgresqlDatabase::Migrate(
    const DatabaseOptions& options, absl::Span<const Migration> migrations) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Connect(options));
  RETURN_IF_ERROR(ApplyMigrations(*session, migrations, options));
  return CheckSchema(*session, migrations, options).status();
}

absl::StatusOr<SessionPool::Lease> PostgresqlDatabase::Acquire(
    SessionTransaction::Mode, absl::Time deadline) {
  return sessions_.Acquire(deadline);
}

}  // namespace parcours::storage
