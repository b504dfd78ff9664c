#include "common/storage/session_transaction.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/audit/entry.h"
#include "common/status/macros.h"
#include "common/storage/audit_row.h"
#include "common/storage/job_lease.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"

namespace parcours::storage {
namespace {

constexpr char kLookUp[] =
    "SELECT digest, outcome_name, outcome_version FROM idempotency "
    "WHERE caller = $1 AND method = $2 AND request_id = $3";
constexpr char kRemember[] =
    "INSERT INTO idempotency (caller, method, request_id, digest, "
    "outcome_name, outcome_version, create_time) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)";
constexpr char kRecordChange[] =
    "INSERT INTO change_feed (kind, name, version, cause, body, scopes_before, "
    "scopes_after, commit_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

constexpr char kLimitTime[] =
    "SELECT set_config('statement_timeout', $1, true)";
// What a service does by itself waits for nothing within a transaction: one
// that stands still belongs to a process that does, whose locks others await.
constexpr char kLimitTimeOfJob[] =
    "SELECT set_config('statement_timeout', $1, true), "
    "set_config('idle_in_transaction_session_timeout', '5000', true)";

// ROLLBACK is awaited although the deadline has passed.
constexpr absl::Duration kRollbackTime = absl::Seconds(2);

}  // namespace

SessionTransaction::SessionTransaction(Session& session,
                                       const access::Caller& caller, Mode mode,
                                       bool look_up_first,
                                       const PersonSecrets* secrets)
    : session_(session),
      caller_(caller),
      mode_(mode),
      look_up_first_(look_up_first),
      person_keys_(*this, secrets) {
  QueueBeginning();
}

void SessionTransaction::QueueBeginning() {
  const bool writes = mode_ == Mode::kWrite;
  if (session_.engine() == Engine::kSqlite) {
    queue_.push_back({{writes ? "BEGIN IMMEDIATE" : "BEGIN", {}}, -1});
  } else {
    queue_.push_back(
        {{writes ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
          {}},
         -1});
    if (caller_.deadline != absl::InfiniteFuture()) {
      const int64_t remaining = std::clamp<int64_t>(
          absl::ToInt64Milliseconds(caller_.deadline - absl::Now()), 1,
          int64_t{24} * 3600 * 1000);
      queue_.push_back(
          {{is_by_a_call() ? kLimitTime : kLimitTimeOfJob, {Cat(remaining)}},
           -1});
    }
  }
  if (writes && caller_.lease) {
    check_lease_ = queue_.size();
    queue_.push_back({CheckLease(*caller_.lease), -1});
  }
  if (writes && has_request_id()) {
    look_up_ = queue_.size();
    queue_.push_back({LookUp(), -1});
  }
}

Statement SessionTransaction::LookUp() const {
  return {kLookUp,
          {caller_.principal.subject, caller_.method, caller_.request_id}};
}

void SessionTransaction::SetEarlier(const Rows& rows) {
  if (rows.empty()) return;
  digest_differs_ = rows[0].Text(0) != caller_.request_digest;
  earlier_ = Outcome{rows[0].Text(1), rows[0].Integer(2), true};
}

absl::Status SessionTransaction::Failed(absl::Status status) {
  if (failure_.ok()) failure_ = std::move(status);
  return failure_;
}

absl::StatusOr<std::vector<Result>> SessionTransaction::Flush(
    std::size_t wanted) {
  RETURN_IF_ERROR(failure_);
  if (earlier_) {
    return absl::AbortedError("the request had been made before");
  }
  if (absl::Now() > caller_.deadline) {
    return Failed(absl::DeadlineExceededError("deadline passed"));
  }
  std::vector<Queued> queue = std::exchange(queue_, {});
  std::vector<Statement> statements;
  statements.reserve(queue.size());
  for (Queued& queued : queue) {
    statements.push_back(std::move(queued.statement));
  }
  const bool commits = !statements.empty() && statements.back().sql == "COMMIT";
  begun_ = true;
  absl::StatusOr<std::vector<Result>> results =
      session_.Run(statements, caller_.deadline);
  if (!results.ok()) {
    const int failed = FailedStatement(results.status());
    in_doubt_ = commits && !session_.usable() &&
                (failed < 0 || failed + 1 == static_cast<int>(queue.size()));
    if (failed >= 0 && static_cast<std::size_t>(failed) < statements.size()) {
      const Values& values =
          statements[static_cast<std::size_t>(failed)].values;
      if (!values.empty() && std::holds_alternative<std::string>(values[0])) {
        failed_subject_ = std::get<std::string>(values[0]);
      }
    }
    if (check_lease_ && failed == static_cast<int>(*check_lease_) &&
        results.status().code() == absl::StatusCode::kFailedPrecondition) {
      return Failed(LeaseLostError(caller_.lease->job));
    }
    return Failed(results.status());
  }
  check_lease_.reset();
  if (commits) ended_ = true;
  if (look_up_) {
    SetEarlier((*results)[*look_up_].rows);
    look_up_.reset();
    if (earlier_) {
      return absl::AbortedError("the request had been made before");
    }
  }
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const int64_t expected = queue[i].expect_affected;
    if (expected >= 0 && (*results)[i].affected != expected) {
      return Failed(absl::AbortedError(Cat((*results)[i].affected,
                                           " rows changed instead of ",
                                           expected, ": ", statements[i].sql)));
    }
  }
  if (wanted > 0) answered_ = true;
  results->erase(results->begin(),
                 results->end() - static_cast<std::ptrdiff_t>(wanted));
  return results;
}

absl::StatusOr<Rows> SessionTransaction::Query(Statement statement) {
  std::vector<Statement> statements;
  statements.push_back(std::move(statement));
  ASSIGN_OR_RETURN(std::vector<Result> results,
                   QueryTogether(std::move(statements)));
  return std::move(results[0].rows);
}

absl::StatusOr<std::vector<Result>> SessionTransaction::QueryTogether(
    std::vector<Statement> statements) {
  if (look_up_ && look_up_first_) RETURN_IF_ERROR(Flush(0).status());
  const std::size_t wanted = statements.size();
  for (Statement& statement : statements) {
    queue_.push_back({std::move(statement), -1});
  }
  return Flush(wanted);
}

void SessionTransaction::Write(Statement statement, int64_t expect_affected) {
  if (mode_ == Mode::kRead) {
    Failed(absl::InternalError(
               Cat("write in a transaction that reads: ", statement.sql)))
        .IgnoreError();
    return;
  }
  wrote_ = true;
  queue_.push_back({std::move(statement), expect_affected});
}

void SessionTransaction::Record(Change change) {
  changes_.push_back(std::move(change));
}

void SessionTransaction::QueueFeed() {
  // Each scope stands between line ends, so that one can be looked for.
  const auto joined = [](const std::vector<std::string>& scopes) {
    return scopes.empty() ? std::string()
                          : Cat("\n", absl::StrJoin(scopes, "\n"), "\n");
  };
  for (const Change& change : changes_) {
    queue_.push_back(
        {{kRecordChange,
          {change.kind, change.name, change.version, change.cause,
           FirstSegments(change.name, 2), joined(change.scopes_before),
           joined(change.scopes_after), absl::ToUnixMicros(caller_.now)}},
         -1});
  }
}

void SessionTransaction::QueueAudit(const Outcome& outcome) {
  std::vector<audit::Resource> resources;
  for (const Change& change : changes_) {
    resources.push_back({change.name, change.version});
  }
  if (resources.empty()) {
    // The work that a service does by itself is named after no method of the
    // contract, and what of it is not in the feed is housekeeping.
    if (!wrote_ || !is_by_a_call()) return;
    if (!outcome.name.empty()) {
      resources.push_back({outcome.name, outcome.version});
    }
  }
  for (const audit::Entry& entry : audit::EntriesOf(
           caller_, audit::Action::kChange, resources, absl::Now())) {
    queue_.push_back({InsertAuditEntry(entry), -1});
  }
}

absl::Status SessionTransaction::Commit(const Outcome& outcome) {
  RETURN_IF_ERROR(failure_);
  if (look_up_ && look_up_first_) RETURN_IF_ERROR(Flush(0).status());
  QueueFeed();
  QueueAudit(outcome);
  if (mode_ == Mode::kWrite && has_request_id()) {
    queue_.push_back(
        {{kRemember,
          {caller_.principal.subject, caller_.method, caller_.request_id,
           caller_.request_digest, outcome.name, outcome.version,
           absl::ToUnixMicros(caller_.now)}},
         -1});
  }
  // Only after its count is known may a guarded write be committed.
  const bool guarded =
      std::any_of(queue_.begin(), queue_.end(),
                  [](const Queued& q) { return q.expect_affected >= 0; });
  if (guarded) RETURN_IF_ERROR(Flush(0).status());
  queue_.push_back({{"COMMIT", {}}, -1});
  return Flush(0).status();
}

void SessionTransaction::Rollback() {
  if (!begun_ || ended_ || !session_.usable()) return;
  ended_ = true;
  // SQLite may have ended it by itself.
  if (!session_.in_transaction()) return;
  session_.Rollback();
}

void SessionTransaction::Refuse() {
  const bool may_have_waited = begun_ && !ended_ && failure_.ok() &&
                               !earlier_ && mode_ == Mode::kWrite &&
                               has_request_id() &&
                               session_.engine() == Engine::kPostgresql;
  if (!may_have_waited) return Rollback();
  ended_ = true;
  const std::vector<Statement> statements = {LookUp(), {"ROLLBACK", {}}};
  const absl::StatusOr<std::vector<Result>> results =
      session_.Run(statements, absl::Now() + kRollbackTime);
  if (results.ok()) SetEarlier((*results)[0].rows);
}

}  // namespace parcours::storage
