#ifndef PARCOURS_COMMON_STORAGE_SESSION_TRANSACTION_H_
#define PARCOURS_COMMON_STORAGE_SESSION_TRANSACTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/storage/database.h"
#include "common/storage/session.h"

namespace parcours::storage {

// A transaction on one session: gathers what can share a round trip.
//
// The first batch begins the transaction, checks the caller's lease and, for a
// call with a request_id, looks for its earlier outcome; the last holds the
// feed, the audit trail, that outcome and COMMIT. The first failure is kept and
// ends the transaction.
class SessionTransaction final : public Transaction {
 public:
  enum class Mode { kRead, kWrite };

  // `look_up_first`: look for the earlier outcome before anything is written.
  // Needed once a write has failed, since that may be because the same request
  // was made in the meantime.
  // `secrets` may be null, and outlives this.
  SessionTransaction(Session& session, const access::Caller& caller, Mode mode,
                     bool look_up_first, const PersonSecrets* secrets);

  absl::StatusOr<Rows> Query(Statement statement) override;
  absl::StatusOr<std::vector<Result>> QueryTogether(
      std::vector<Statement> statements) override;
  void Write(Statement statement, int64_t expect_affected) override;
  void Record(Change change) override;
  void Fail(absl::Status status) override {
    Failed(std::move(status)).IgnoreError();
  }
  PersonKeys& person_keys() override { return person_keys_; }
  const access::Caller& caller() const override { return caller_; }
  bool writable() const override { return mode_ == Mode::kWrite; }

  // Commits with `outcome` as what the request did.
  absl::Status Commit(const Outcome& outcome);
  // Ends the transaction without effect. The session may be lost afterwards.
  void Rollback();
  // Rollback because of what the body found. Looks again whether the same
  // request was made while this one waited for a lock: then what was found is
  // its effect, and earlier() is set.
  void Refuse();

  // What made the transaction fail, as the session said it; else OK.
  const absl::Status& failure() const { return failure_; }
  // Set when the request had been made before; then nothing else is done.
  const std::optional<Outcome>& earlier() const { return earlier_; }
  // Whether the earlier request had another digest.
  bool digest_differs() const { return digest_differs_; }
  // Whether nobody knows if the change was committed.
  bool in_doubt() const { return in_doubt_; }
  // The text value $1 of the statement that failed, where there is one: the
  // name of the resource, as tables write it.
  const std::string& failed_subject() const { return failed_subject_; }
  const std::vector<Change>& changes() const { return changes_; }
  // Whether the body has seen anything yet.
  bool answered() const { return answered_; }

 private:
  struct Queued {
    Statement statement;
    int64_t expect_affected = -1;
  };

  bool has_request_id() const { return !caller_.request_id.empty(); }
  bool is_by_a_call() const {
    return caller_.method.find('/') != std::string::npos;
  }
  void QueueBeginning();
  Statement LookUp() const;
  void SetEarlier(const Rows& rows);
  void QueueFeed();
  void QueueAudit(const Outcome& outcome);
  // Runs what is queued; the results of the last `wanted` statements.
  absl::StatusOr<std::vector<Result>> Flush(std::size_t wanted);
  absl::Status Failed(absl::Status status);

  Session& session_;
  const access::Caller& caller_;
  const Mode mode_;
  const bool look_up_first_;
  PersonKeys person_keys_;
  bool begun_ = false;
  bool ended_ = false;
  bool answered_ = false;
  std::vector<Queued> queue_;
  // Index of the look-up in `queue_` until it has run.
  std::optional<std::size_t> look_up_;
  // The same of the check of the caller's lease.
  std::optional<std::size_t> check_lease_;
  std::vector<Change> changes_;
  bool wrote_ = false;
  absl::Status failure_;
  std::string failed_subject_;
  std::optional<Outcome> earlier_;
  bool digest_differs_ = false;
  bool in_doubt_ = false;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_SESSION_TRANSACTION_H_
