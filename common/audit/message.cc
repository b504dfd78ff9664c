#include "common/audit/message.h"

#include <cstdint>

#include "common/rpc/convert.h"

namespace parcours::audit {
namespace {

namespace pb = ::parcours::platform::v1;

constexpr int kRoleBits = 64;

}  // namespace

pb::AuditEntry ToProto(const ChainedEntry& entry) {
  pb::AuditEntry message;
  message.set_position(entry.position);
  message.set_previous_hash(entry.previous_hash);
  message.set_hash(entry.hash);
  message.set_commitment(entry.commitment);
  message.set_redacted(!entry.entry.has_value());
  if (!entry.entry.has_value()) return message;
  const Entry& content = *entry.entry;
  pb::AuditRecord& record = *message.mutable_record();
  *record.mutable_business_time() = rpc::TimestampOf(content.business_time);
  *record.mutable_record_time() = rpc::TimestampOf(content.record_time);
  record.set_subject(content.subject);
  const auto bits = static_cast<uint64_t>(content.roles);
  for (int role = 0; role < kRoleBits; ++role) {
    if ((bits >> role) & 1) record.add_roles(static_cast<type::v1::Role>(role));
  }
  record.set_body(content.body);
  record.set_method(content.method);
  record.set_action(rpc::EnumToProto<pb::AuditRecord::Action>(content.action));
  for (const Resource& resource : content.resources) {
    pb::AuditedResource& audited = *record.add_resources();
    audited.set_name(resource.name);
    audited.set_version(resource.version);
  }
  record.set_request_id(content.request_id);
  record.set_trace_id(content.trace_id);
  record.set_salt(entry.salt);
  return message;
}

ChainedEntry FromProto(const pb::AuditEntry& message) {
  ChainedEntry entry{.position = message.position(),
                     .previous_hash = message.previous_hash(),
                     .hash = message.hash(),
                     .commitment = message.commitment()};
  if (message.redacted()) return entry;
  const pb::AuditRecord& record = message.record();
  Entry& content = entry.entry.emplace();
  content.business_time = rpc::TimeOf(record.business_time());
  content.record_time = rpc::TimeOf(record.record_time());
  content.subject = record.subject();
  uint64_t bits = 0;
  for (const int role : record.roles()) {
    if (role >= 0 && role < kRoleBits) bits |= uint64_t{1} << role;
  }
  content.roles = static_cast<int64_t>(bits);
  content.body = record.body();
  content.method = record.method();
  content.action = record.action() == pb::AuditRecord::ACTION_READ
                       ? Action::kRead
                       : Action::kChange;
  for (const pb::AuditedResource& audited : record.resources()) {
    content.resources.push_back({audited.name(), audited.version()});
  }
  content.request_id = record.request_id();
  content.trace_id = record.trace_id();
  entry.salt = record.salt();
  return entry;
}

}  // namespace parcours::audit
