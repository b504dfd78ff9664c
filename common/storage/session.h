#ifndef PARCOURS_COMMON_STORAGE_SESSION_H_
#define PARCOURS_COMMON_STORAGE_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace parcours::storage {

enum class Engine { kSqlite, kPostgresql };

// Bytes, as opposed to text: may hold NUL and is not UTF-8.
struct Blob {
  std::string bytes;
  friend bool operator==(const Blob&, const Blob&) = default;
};

// A value of the record: NULL, an integer (also flags, cents, µs since the
// epoch), text (also enums, names and ISO dates), or bytes.
using Value = std::variant<std::nullptr_t, int64_t, std::string, Blob>;
using Values = std::vector<Value>;

// One row of a result, owned. Accessors REQUIRE that the column exists and has
// that type; a flag or count is an Integer on both engines.
class Row {
 public:
  explicit Row(Values values) : values_(std::move(values)) {}
  std::size_t size() const { return values_.size(); }
  const Value& operator[](std::size_t i) const { return values_[i]; }
  bool IsNull(std::size_t i) const {
    return std::holds_alternative<std::nullptr_t>(values_[i]);
  }
  int64_t Integer(std::size_t i) const { return std::get<int64_t>(values_[i]); }
  const std::string& Text(std::size_t i) const {
    return std::get<std::string>(values_[i]);
  }
  const std::string& Bytes(std::size_t i) const {
    return std::get<Blob>(values_[i]).bytes;
  }

 private:
  Values values_;
};

using Rows = std::vector<Row>;

// SQL that both engines understand, with its values for $1, $2, … Where a
// dialect differs, the text holds a word that the session replaces:
//   {for_update}   row lock until the end of the transaction; nothing on
//                  SQLite, whose writer is alone.
//   {for_share}    the shared form.
//   {insertion_order}  in migrations: type of a key that grows by insertion.
//   {key_text}     in migrations: type of text that is compared and ordered by
//                  its bytes, as names and other keys are.
//   {database_time}    the database's clock, in µs since the epoch.
// Bytes are declared BYTEA, flags SMALLINT, integers BIGINT, the rest TEXT. A
// sum is cast to BIGINT.
//
// Every value is used in the text. Text that holds NUL is refused, since
// PostgreSQL cannot store it.
struct Statement {
  std::string sql;
  Values values;
};

// What a statement did: the rows it returned, and the rows it changed.
struct Result {
  Rows rows;
  int64_t affected = 0;
};

// One connection to a database. Not thread-safe. Statements are prepared once
// and their results always drained.
class Session {
 public:
  virtual ~Session() = default;

  virtual Engine engine() const = 0;

  // Runs `statements` in order, on PostgreSQL in one round trip, and returns a
  // result for each. Stops at the first failure, whose error it returns:
  //   ALREADY_EXISTS       unique key
  //   ABORTED        serialisation failure or deadlock: redo the transaction
  //   FAILED_PRECONDITION  foreign key or check constraint
  //   DEADLINE_EXCEEDED    `deadline` (real time) passed
  //   UNAVAILABLE    the connection or the file is lost
  //   INTERNAL       anything else
  // The text of the engine is in the message and goes to the log, never to a
  // caller. FailedStatement tells which statement it was.
  virtual absl::StatusOr<std::vector<Result>> Run(
      absl::Span<const Statement> statements, absl::Time deadline) = 0;

  // Ends the open transaction without effect. On PostgreSQL the answer is not
  // awaited: whatever is run next comes after it, and the session is lost when
  // it fails.
  virtual void Rollback();

  // Runs a script of several statements without values, as in migrations.
  virtual absl::Status RunScript(std::string_view sql) = 0;

  // False once the connection is lost; the session must then be thrown away.
  // Looks at the connection without a round trip.
  virtual bool usable() const = 0;

  // Whether a transaction is open, failed or not.
  virtual bool in_transaction() const = 0;
};

// The index in Run's `statements` of the one that failed with `status`, or -1
// when that is unknown because the connection was lost without a word.
int FailedStatement(const absl::Status& status);

// `status` with that index.
absl::Status WithFailedStatement(absl::Status status, std::size_t index);

// INTERNAL when a text among `values` holds NUL.
absl::Status CheckValues(const Values& values);

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_SESSION_H_
