#ifndef PARCOURS_COMMON_AUDIT_CHAIN_H_
#define PARCOURS_COMMON_AUDIT_CHAIN_H_

#include "absl/status/statusor.h"
#include "common/audit/entry.h"
#include "common/storage/database.h"
#include "common/storage/sequencer.h"

namespace parcours::audit {

// Gives the committed entries of the audit trail, in order of insertion, their
// places in the chain, and keeps where each resource is named: at most `batch`
// in one pass.
storage::Sequencer::Step ChainStep(int batch = 1000);

// The end of the chain as this transaction sees it. Entries that were committed
// a moment ago may not have their place yet.
absl::StatusOr<Head> ReadHead(storage::Transaction& transaction);

// What ReadHead asks and reads.
storage::Statement SelectHead();
Head HeadOf(const storage::Row& row);

}  // namespace parcours::audit

#endif  // PARCOURS_COMMON_AUDIT_CHAIN_H_
