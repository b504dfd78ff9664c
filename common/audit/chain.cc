#include "common/audit/chain.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/status/macros.h"
#include "common/text/view.h"

namespace parcours::audit {
namespace {

using ::parcours::storage::Result;
using ::parcours::storage::Row;
using ::parcours::storage::Transaction;

constexpr char kPending[] =
    "SELECT 1 FROM audit_state WHERE id = 1 AND (indexed_position < position "
    "OR EXISTS (SELECT 1 FROM audit_entry WHERE position IS NULL))";
constexpr char kHead[] =
    "SELECT incarnation, position, hash FROM audit_state WHERE id = 1";
constexpr char kWaiting[] =
    "SELECT insertion, commitment FROM audit_entry WHERE position IS NULL "
    "ORDER BY insertion LIMIT $1";
constexpr char kLink[] =
    "UPDATE audit_entry SET position = $2, previous_hash = $3, hash = $4 "
    "WHERE insertion = $1";
constexpr char kMoveHead[] =
    "UPDATE audit_state SET position = $1, hash = $2 WHERE id = 1";
constexpr char kToIndex[] =
    "SELECT position, resources FROM audit_entry WHERE position > "
    "(SELECT indexed_position FROM audit_state WHERE id = 1) "
    "ORDER BY position LIMIT $1";
constexpr char kMoveIndexed[] =
    "UPDATE audit_state SET indexed_position = $1 WHERE id = 1";
// Rows of the index in one statement: a text for each count of them would be
// prepared anew.
constexpr std::size_t kTogether = 50;

absl::StatusOr<bool> LinkWaiting(Transaction& transaction, int batch) {
  ASSIGN_OR_RETURN(
      const std::vector<Result> results,
      transaction.QueryTogether({{kHead, {}}, {kWaiting, {int64_t{batch}}}}));
  Head head = HeadOf(results[0].rows.at(0));
  for (const Row& row : results[1].rows) {
    const std::string hash =
        LinkHash(head.position + 1, head.hash, row.Text(1));
    transaction.Write(
        {kLink, {row.Integer(0), head.position + 1, head.hash, hash}});
    ++head.position;
    head.hash = hash;
  }
  if (!results[1].rows.empty()) {
    transaction.Write({kMoveHead, {head.position, head.hash}});
  }
  return results[1].rows.size() == static_cast<std::size_t>(batch);
}

void InsertIndex(Transaction& transaction, storage::Values values) {
  std::string rows;
  for (std::size_t n = 1; n < values.size(); n += 2) {
    CatTo(rows, rows.empty() ? "($" : ", ($", n, ", $", n + 1, ")");
  }
  transaction.Write({Cat("INSERT INTO audit_resource (resource, position) "
                         "VALUES ",
                         rows, " ON CONFLICT DO NOTHING"),
                     std::move(values)});
}

// Where the resources of linked entries are found: see ReadTrail.
absl::StatusOr<bool> IndexLinked(Transaction& transaction, int batch) {
  ASSIGN_OR_RETURN(const storage::Rows rows,
                   transaction.Query({kToIndex, {int64_t{batch}}}));
  storage::Values together;
  for (const Row& row : rows) {
    for (Resource& resource : ResourcesOfLines(row.Text(1))) {
      together.emplace_back(std::move(resource.name));
      together.emplace_back(row.Integer(0));
      if (together.size() < 2 * kTogether) continue;
      InsertIndex(transaction, std::exchange(together, {}));
    }
  }
  for (std::size_t i = 0; i < together.size(); i += 2) {
    InsertIndex(transaction,
                {std::move(together[i]), std::move(together[i + 1])});
  }
  if (!rows.empty()) {
    transaction.Write({kMoveIndexed, {rows.back().Integer(0)}});
  }
  return rows.size() == static_cast<std::size_t>(batch);
}

}  // namespace

storage::Statement SelectHead() { return {kHead, {}}; }

Head HeadOf(const Row& row) {
  Head head{row.Text(0), row.Integer(1), row.Text(2)};
  if (head.hash.empty()) head.hash = GenesisHash(head.incarnation);
  return head;
}

storage::Sequencer::Step ChainStep(int batch) {
  return {
      .pending = kPending,
      .run = [batch](Transaction& transaction) -> absl::StatusOr<bool> {
        ASSIGN_OR_RETURN(const bool to_link, LinkWaiting(transaction, batch));
        ASSIGN_OR_RETURN(const bool to_index, IndexLinked(transaction, batch));
        return to_link || to_index;
      }};
}

absl::StatusOr<Head> ReadHead(Transaction& transaction) {
  ASSIGN_OR_RETURN(const storage::Rows rows, transaction.Query({kHead, {}}));
  return HeadOf(rows.at(0));
}

}  // namespace parcours::audit
