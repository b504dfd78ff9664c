#include "common/audit/chain.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/status/macros.h"

namespace parcours::audit {
namespace {

using ::parcours::storage::Result;
using ::parcours::storage::Row;
using ::parcours::storage::Transaction;

constexpr char kPending[] =
    "SELECT 1 FROM audit_entry WHERE position IS NULL LIMIT 1";
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

}  // namespace

storage::Statement SelectHead() { return {kHead, {}}; }

Head HeadOf(const Row& row) {
  Head head{row.Text(0), row.Integer(1), row.Text(2)};
  if (head.hash.empty()) head.hash = GenesisHash(head.incarnation);
  return head;
}

storage::Sequencer::Step ChainStep(int batch) {
  return {.pending = kPending, .run = [batch](Transaction& transaction) {
            return LinkWaiting(transaction, batch);
          }};
}

absl::StatusOr<Head> ReadHead(Transaction& transaction) {
  ASSIGN_OR_RETURN(const storage::Rows rows, transaction.Query({kHead, {}}));
  return HeadOf(rows.at(0));
}

}  // namespace parcours::audit
