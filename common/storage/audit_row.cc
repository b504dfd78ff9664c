#include "common/storage/audit_row.h"

#include <string>

namespace parcours::storage {
namespace {

constexpr char kInsert[] =
    "INSERT INTO audit_entry (business_time, record_time, subject, roles, "
    "body, method, action, resources, request_id, trace_id, salt, commitment) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

}  // namespace

Statement InsertAuditEntry(const audit::Entry& entry) {
  const std::string salt = audit::NewSalt();
  return {
      kInsert,
      {absl::ToUnixMicros(entry.business_time),
       absl::ToUnixMicros(entry.record_time), entry.subject, entry.roles,
       entry.body, entry.method, std::string(audit::ActionName(entry.action)),
       audit::ResourceLines(entry.resources), entry.request_id, entry.trace_id,
       salt, audit::CommitmentOf(entry, salt)}};
}

}  // namespace parcours::storage
