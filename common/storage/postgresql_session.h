#ifndef PARCOURS_COMMON_STORAGE_POSTGRESQL_SESSION_H_
#define PARCOURS_COMMON_STORAGE_POSTGRESQL_SESSION_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/storage/session.h"

struct pg_conn;
struct pg_result;

namespace parcours::storage {

// A connection to PostgreSQL through libpq's pipeline mode. Never waits beyond
// a deadline by more than `kGrace`, whatever the server or the network does;
// when that is reached the connection is lost. Not thread-safe.
class PostgresqlSession final : public Session {
 public:
  // How long after a deadline the server's own answer is still awaited.
  static constexpr absl::Duration kGrace = absl::Milliseconds(250);

  // Connects to `url`, which must not hold a password; `password` may be empty.
  // Of several hosts, the first that answers and is what the URL's
  // target_session_attrs wants; one that is silent costs two seconds.
  // UNAVAILABLE when none can be reached.
  static absl::StatusOr<std::unique_ptr<PostgresqlSession>> Connect(
      const std::string& url, const std::string& password, absl::Time deadline);

  ~PostgresqlSession() override;
  PostgresqlSession(const PostgresqlSession&) = delete;
  PostgresqlSession& operator=(const PostgresqlSession&) = delete;

  Engine engine() const override { return Engine::kPostgresql; }
  absl::StatusOr<std::vector<Result>> Run(
      absl::Span<const Statement> statements, absl::Time deadline) override;
  void Rollback() override;
  absl::Status RunScript(std::string_view sql) override;
  bool usable() const override;
  bool in_transaction() const override;

 private:
  struct ClearResult {
    void operator()(pg_result* result) const;
  };
  using ResultHandle = std::unique_ptr<pg_result, ClearResult>;

  // One thing sent, whose answer is awaited.
  struct Sent {
    std::size_t statement;
    // Empty for an execution; else the text that this prepares under `name`.
    std::string prepares;
    std::string name;
  };

  explicit PostgresqlSession(pg_conn* connection) : connection_(connection) {}

  absl::Status FinishConnecting(absl::Time deadline);
  absl::Status Send(std::size_t index, const Statement& statement,
                    std::vector<Sent>& sent);
  absl::StatusOr<std::vector<Result>> Receive(
      absl::Span<const Statement> statements, const std::vector<Sent>& sent,
      absl::Time deadline);
  // NOLINTNEXTLINE(google-runtime-int): the type of poll(2).
  absl::Status Await(short events, absl::Time deadline);
  absl::StatusOr<ResultHandle> NextResult(absl::Time deadline);
  absl::Status ErrorOf(const pg_result* result, std::string_view sql);
  // Reads one result of a rollback that was not awaited; the session is lost
  // when it failed.
  void TakeOfRollback(const pg_result* result) const;
  absl::Status FinishRollback(absl::Time deadline);
  absl::Status Lost(std::string_view what);

  pg_conn* const connection_;
  // Looking whether the session is usable reads what has come of a rollback.
  mutable bool lost_ = false;
  // Whether the end of a rollback is still to be read.
  mutable bool rolling_back_ = false;
  int next_name_ = 0;
  // Text as given -> name of the prepared statement.
  absl::flat_hash_map<std::string, std::string> prepared_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_POSTGRESQL_SESSION_H_
