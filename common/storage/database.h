#ifndef PARCOURS_COMMON_STORAGE_DATABASE_H_
#define PARCOURS_COMMON_STORAGE_DATABASE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/access/caller.h"
#include "common/storage/person_keys.h"
#include "common/storage/session.h"

namespace parcours::storage {

// One numbered migration: forward only; the same text on both engines but for
// the words that Statement describes. A service's numbers begin at 100; those
// below are the platform's, which Database adds. One that drops what an older
// binary uses sets database_marker.min_compatible_version to its number.
struct Migration {
  int number;
  std::string_view name;
  std::string_view sql;
};

struct DatabaseOptions {
  // sqlite:///path/to/file.db or postgresql://user@host/database; a password
  // in it is refused.
  std::string url;
  std::string password_file;
  // Sessions that read; on PostgreSQL, all sessions.
  int pool_size = 8;
  // Callers that may wait for the writer or a session before more are refused
  // with OVERLOADED.
  int maximum_waiting = 2000;
  // Seals and opens what tables declare as a person's own; null where no such
  // table is read or written.
  std::shared_ptr<const PersonSecrets> person_secrets;
  // Marks a new database, for ever, as one whose time is simulated.
  bool create_as_simulation = false;
  // Marks a new database, for ever, as one of this machine's own, for trying
  // things out: it accepts the tokens of a local issuer.
  bool create_as_local = false;
  // Stands between the database and each session that it opens; for tests that
  // inject faults.
  std::function<std::unique_ptr<Session>(std::unique_ptr<Session>)>
      decorate_session;
};

// What a change did, as idempotency remembers it: the resource, not its bytes.
struct Outcome {
  std::string name;
  int64_t version = 0;
  // True when this request had already been made and nothing was written now.
  bool replayed = false;
};

// What one row of the change feed says: what changed and who may know, never
// the content.
struct Change {
  std::string kind;  // "application"
  std::string name;  // resource name
  int64_t version = 0;
  std::string cause;  // "SubmitApplication"
  // Names of the resources within whose scope it lay before, and lies now:
  // body, cohort, person, organisation.
  std::vector<std::string> scopes_before;
  std::vector<std::string> scopes_after;
};

// One transaction. Writes wait until something must be read or the transaction
// commits, so that on PostgreSQL what does not depend on an answer shares one
// round trip. Not thread-safe; lives within Transact.
class Transaction {
 public:
  virtual ~Transaction() = default;

  // Sends what waits, then reads.
  virtual absl::StatusOr<Rows> Query(Statement statement) = 0;
  // The same for several statements in one round trip.
  virtual absl::StatusOr<std::vector<Result>> QueryTogether(
      std::vector<Statement> statements) = 0;
  // Queues a write. With `expect_affected` >= 0, another count of changed rows
  // fails the transaction with ABORTED; COMMIT then takes a round trip of its
  // own, so rows that this transaction has locked are written without.
  virtual void Write(Statement statement, int64_t expect_affected = -1) = 0;
  // Queues a row of the change feed, in order of the calls.
  virtual void Record(Change change) = 0;
  // Whatever is done afterwards, the transaction fails with `status`, which is
  // not OK.
  virtual void Fail(absl::Status status) = 0;

  virtual PersonKeys& person_keys() = 0;

  // The call on whose behalf this runs; business time is caller().now.
  virtual const access::Caller& caller() const = 0;
  // Whether writes are allowed.
  virtual bool writable() const = 0;
};

// A service's database, on either engine. Thread-safe.
//
// SQLite: WAL, synchronous=FULL, one writer behind a FIFO queue, `pool_size`
// readers, and a lock on the file: a second process is refused.
// PostgreSQL: a pool of sessions, READ COMMITTED.
class Database {
 public:
  // Opens, and on SQLite migrates after copying the file; on PostgreSQL refuses
  // with FAILED_PRECONDITION when migrations are missing, unless Migrate was
  // called. A schema whose min_compatible_version is above the last migration
  // known here is refused.
  static absl::StatusOr<std::unique_ptr<Database>> Open(
      const DatabaseOptions& options, absl::Span<const Migration> migrations);

  // Applies what is missing to a PostgreSQL (or SQLite) database.
  static absl::Status Migrate(const DatabaseOptions& options,
                              absl::Span<const Migration> migrations);

  virtual ~Database() = default;
  virtual Engine engine() const = 0;

  // Whether the database was created as a simulation.
  virtual bool is_simulation() const = 0;
  // Whether it was created as local.
  virtual bool is_local() const = 0;
  // Fresh after creation, restore or copy: stands in feed tokens.
  virtual const std::string& incarnation() const = 0;

  // Runs `body` in one transaction and commits when it returns OK. Runs it
  // again, a bounded number of times, on ABORTED or on a lost session before
  // COMMIT, so it must have no effect but through the transaction.
  //
  // With a request_id in `caller`, the change is made once: a second call with
  // the same key (subject, method, request_id) and digest returns the first
  // outcome with `replayed`, without the effect of `body`; with another digest
  // it is REQUEST_ID_REUSED. Refusals are not remembered. When the connection
  // is lost in COMMIT, the outcome is looked up by request_id and the change
  // made if it was not; without one, or in vain, it is COMMIT_IN_DOUBT.
  //
  // With a lease in `caller`, the transaction fails with LeaseLostError
  // (job_lease.h) once a later holder has it, and until its end nobody else
  // gets it; that costs no round trip.
  //
  // Errors of `body` made by MakeError pass as they are. Those of the engine
  // become DATABASE_UNAVAILABLE, DEADLINE_EXCEEDED, OVERLOADED, CONFLICT (all
  // attempts were aborted), ALREADY_EXISTS (a unique key is taken even after
  // `body` could see by whom) or INTERNAL without a reason.
  //
  // A change also leaves an entry in the audit trail, in the same transaction
  // and round trip: of the changes that `body` recorded or, where a call of the
  // contract (a method with a slash) wrote without recording any, of the
  // outcome. A replay leaves none.
  //
  // After the commit, the listeners learn of the changes it recorded.
  virtual absl::StatusOr<Outcome> Transact(
      const access::Caller& caller,
      absl::FunctionRef<absl::StatusOr<Outcome>(Transaction&)> body) = 0;

  // Runs `body` in one transaction that only reads, from one snapshot. Same
  // errors. A body that begins another transaction on this database may wait
  // for ever.
  virtual absl::Status View(
      const access::Caller& caller,
      absl::FunctionRef<absl::Status(Transaction&)> body) = 0;

  // Called on the committing thread after each commit, with its changes. The
  // listener must be quick and must not call the database. Listeners are added
  // before the first transaction.
  virtual void AddCommitListener(
      std::function<void(absl::Span<const Change>)> listener) = 0;

  // An idle database answers OK; used by readiness.
  virtual absl::Status Ping(absl::Time deadline) = 0;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_DATABASE_H_
