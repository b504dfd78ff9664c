#ifndef PARCOURS_COMMON_STORAGE_AUDIT_ROW_H_
#define PARCOURS_COMMON_STORAGE_AUDIT_ROW_H_

#include "common/audit/entry.h"
#include "common/storage/session.h"

namespace parcours::storage {

// Adds `entry` to the audit trail, under a fresh salt; the sequencer gives it
// its place in the chain.
Statement InsertAuditEntry(const audit::Entry& entry);

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_AUDIT_ROW_H_
