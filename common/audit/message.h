#ifndef PARCOURS_COMMON_AUDIT_MESSAGE_H_
#define PARCOURS_COMMON_AUDIT_MESSAGE_H_

#include "common/audit/entry.h"
#include "parcours/platform/v1/audit.pb.h"

namespace parcours::audit {

// Between an entry and the contract's message of it, without loss.
platform::v1::AuditEntry ToProto(const ChainedEntry& entry);
ChainedEntry FromProto(const platform::v1::AuditEntry& message);

}  // namespace parcours::audit

#endif  // PARCOURS_COMMON_AUDIT_MESSAGE_H_
