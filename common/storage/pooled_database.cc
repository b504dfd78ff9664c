#include "common/storage/pooled_database.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "common/status/error.h"
#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

constexpr int kMaxAttempts = 6;
// A unique key may be taken because of a race, which the body then sees; or
// because the body does not look.
constexpr int kMaxDuplicates = 2;
constexpr absl::Duration kRetryAfter = absl::Seconds(1);

// Grows with each attempt; jittered, so that those who collided part.
absl::Duration BackOff(int attempt) {
  static thread_local absl::BitGen generator;
  const double milliseconds = 2.0 * static_cast<double>(1 << attempt);
  return absl::Milliseconds(
      absl::Uniform(generator, milliseconds / 2, milliseconds * 1.5));
}

}  // namespace

absl::Status ErrorForCaller(const absl::Status& status,
                            const std::string& subject) {
  if (status.ok() || ReasonOf(status)) return status;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return WithRetryAfter(MakeError(Reason::kDatabaseUnavailable),
                            kRetryAfter);
    case absl::StatusCode::kResourceExhausted:
      return WithRetryAfter(MakeError(Reason::kOverloaded), kRetryAfter);
    case absl::StatusCode::kDeadlineExceeded:
      return MakeError(Reason::kDeadlineExceeded);
    case absl::StatusCode::kAborted:
      return MakeError(Reason::kConflict);
    case absl::StatusCode::kAlreadyExists:
      return MakeError(Reason::kAlreadyExists, {{"resource", subject}});
    default:
      return absl::InternalError(status.message());
  }
}

PooledDatabase::Attempt PooledDatabase::TransactOnce(
    const access::Caller& caller, bool look_up_first,
    absl::FunctionRef<absl::StatusOr<Outcome>(Transaction&)> body,
    std::vector<Change>& changes) {
  absl::StatusOr<SessionPool::Lease> lease =
      Acquire(SessionTransaction::Mode::kWrite, caller.deadline);
  if (!lease.ok()) return {ErrorForCaller(lease.status())};

  SessionTransaction transaction(**lease, caller,
                                 SessionTransaction::Mode::kWrite,
                                 look_up_first, person_secrets_.get());
  absl::StatusOr<Outcome> outcome = body(transaction);
  absl::Status status = transaction.failure();
  const bool refused = status.ok() && !outcome.ok();
  if (refused) {
    status = outcome.status();
    transaction.Refuse();
  } else if (status.ok()) {
    status = transaction.Commit(*outcome);
  }
  if (status.ok()) {
    changes = transaction.changes();
    return {std::move(outcome)};
  }
  transaction.Rollback();
  if (transaction.earlier()) {
    if (transaction.digest_differs()) {
      return {MakeError(Reason::kRequestIdReused)};
    }
    return {*transaction.earlier()};
  }
  Attempt attempt{ErrorForCaller(status, transaction.failed_subject())};
  if (ReasonOf(status)) return attempt;
  if (transaction.in_doubt()) {
    attempt.in_doubt = true;
    // Its earlier outcome tells whether it was committed; if it was not yet,
    // the key of the request keeps the two from both being.
    attempt.again = !caller.request_id.empty();
    attempt.outcome = MakeError(Reason::kCommitInDoubt);
    changes = transaction.changes();
    return attempt;
  }
  attempt.duplicate = status.code() == absl::StatusCode::kAlreadyExists;
  attempt.again = attempt.duplicate ||
                  status.code() == absl::StatusCode::kAborted ||
                  status.code() == absl::StatusCode::kUnavailable;
  return attempt;
}

absl::StatusOr<Outcome> PooledDatabase::Transact(
    const access::Caller& caller,
    absl::FunctionRef<absl::StatusOr<Outcome>(Transaction&)> body) {
  bool in_doubt = false;
  int duplicates = 0;
  std::vector<Change> doubted_changes;
  for (int attempt = 0;; ++attempt) {
    std::vector<Change> changes;
    Attempt made = TransactOnce(caller, attempt > 0, body, changes);
    if (made.outcome.ok()) {
      // This very call had made the change. Its outcome stays one that was
      // looked up: `body` has run again in vain since, and what it left to the
      // caller is not what was committed.
      if (made.outcome->replayed && in_doubt) {
        changes = std::move(doubted_changes);
      }
      Announce(changes);
      return made.outcome;
    }
    if (made.in_doubt) {
      in_doubt = true;
      doubted_changes = std::move(changes);
    }
    if (made.duplicate) ++duplicates;
    const absl::Duration pause = BackOff(attempt);
    // While in doubt, a server that restarts is worth waiting for.
    const bool worth_it =
        made.again || (in_doubt && ReasonOf(made.outcome.status()) ==
                                       Reason::kDatabaseUnavailable);
    if (!worth_it || duplicates >= kMaxDuplicates ||
        attempt + 1 >= kMaxAttempts || absl::Now() + pause > caller.deadline) {
      if (in_doubt) return MakeError(Reason::kCommitInDoubt);
      return made.outcome;
    }
    absl::SleepFor(pause);
  }
}

absl::Status PooledDatabase::View(
    const access::Caller& caller,
    absl::FunctionRef<absl::Status(Transaction&)> body) {
  for (int attempt = 0;; ++attempt) {
    absl::StatusOr<SessionPool::Lease> lease =
        Acquire(SessionTransaction::Mode::kRead, caller.deadline);
    if (!lease.ok()) return ErrorForCaller(lease.status());
    SessionTransaction transaction(**lease, caller,
                                   SessionTransaction::Mode::kRead, false,
                                   person_secrets_.get());
    const absl::Status said = body(transaction);
    const absl::Status failure = transaction.failure();
    transaction.Rollback();
    if (failure.ok()) return ErrorForCaller(said);
    // A body that has seen nothing cannot tell that it runs again.
    const bool again = !transaction.answered() &&
                       (failure.code() == absl::StatusCode::kAborted ||
                        failure.code() == absl::StatusCode::kUnavailable);
    if (!again || attempt + 1 >= kMaxDuplicates) return ErrorForCaller(failure);
  }
}

void PooledDatabase::AddCommitListener(
    std::function<void(absl::Span<const Change>)> listener) {
  listeners_.push_back(std::move(listener));
}

void PooledDatabase::Announce(absl::Span<const Change> changes) const {
  if (changes.empty()) return;
  for (const auto& listener : listeners_) listener(changes);
}

absl::Status PooledDatabase::Ping(absl::Time deadline) {
  absl::StatusOr<SessionPool::Lease> lease =
      Acquire(SessionTransaction::Mode::kRead, deadline);
  if (!lease.ok()) return ErrorForCaller(lease.status());
  const Statement statement{"SELECT 1", {}};
  return ErrorForCaller(
      (*lease)->Run(absl::MakeConstSpan(&statement, 1), deadline).status());
}

}  // namespace parcours::storage
