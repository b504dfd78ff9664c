#ifndef PARCOURS_COMMON_STORAGE_POOLED_DATABASE_H_
#define PARCOURS_COMMON_STORAGE_POOLED_DATABASE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/storage/database.h"
#include "common/storage/migration.h"
#include "common/storage/session_pool.h"
#include "common/storage/session_transaction.h"

namespace parcours::storage {

// What both engines share: the retries, idempotency and errors of a transaction
// on sessions that come from pools.
class PooledDatabase : public Database {
 public:
  bool is_simulation() const override { return marker_.simulation; }
  bool is_local() const override { return marker_.local; }
  const std::string& incarnation() const override {
    return marker_.incarnation;
  }
  absl::StatusOr<Outcome> Transact(
      const access::Caller& caller,
      absl::FunctionRef<absl::StatusOr<Outcome>(Transaction&)> body) override;
  absl::Status View(
      const access::Caller& caller,
      absl::FunctionRef<absl::Status(Transaction&)> body) override;
  void AddCommitListener(
      std::function<void(absl::Span<const Change>)> listener) override;
  absl::Status Ping(absl::Time deadline) override;

 protected:
  virtual absl::StatusOr<SessionPool::Lease> Acquire(
      SessionTransaction::Mode mode, absl::Time deadline) = 0;
  void set_marker(Marker marker) { marker_ = std::move(marker); }
  // Before the first transaction.
  void set_person_secrets(std::shared_ptr<const PersonSecrets> secrets) {
    person_secrets_ = std::move(secrets);
  }

 private:
  // What one attempt came to.
  struct Attempt {
    absl::StatusOr<Outcome> outcome;
    // Worth another attempt, with the earlier outcome looked up first.
    bool again = false;
    bool in_doubt = false;
    bool duplicate = false;
  };
  Attempt TransactOnce(
      const access::Caller& caller, bool look_up_first,
      absl::FunctionRef<absl::StatusOr<Outcome>(Transaction&)> body,
      std::vector<Change>& changes);
  void Announce(absl::Span<const Change> changes) const;

  Marker marker_;
  std::shared_ptr<const PersonSecrets> person_secrets_;
  std::vector<std::function<void(absl::Span<const Change>)>> listeners_;
};

// The error for a caller, out of one of a session. One that MakeError made, and
// INTERNAL, stay as they are.
absl::Status ErrorForCaller(const absl::Status& status,
                            const std::string& subject = "");

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_POOLED_DATABASE_H_
