#ifndef PARCOURS_COMMON_RPC_REDACTION_H_
#define PARCOURS_COMMON_RPC_REDACTION_H_

#include <vector>

#include "common/access/caller.h"
#include "common/access/principal.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace parcours::rpc {

// Takes out of an answer the fields whose contract names readers
// (parcours.type.v1.readers) among whom the caller is not. One object for each
// type of answer, made once and kept. Immutable.
class Redaction {
 public:
  // For answers of `type`; null when no field in it, at any depth, names its
  // readers, so that such an answer costs nothing.
  static const Redaction* Of(const google::protobuf::Descriptor& type);

  // Clears what `caller` may not read. Somebody who calls within their own
  // scope reads a field when every role by which they call may: a row that one
  // role opens does not show what another may see elsewhere.
  void Apply(const access::Caller& caller,
             google::protobuf::Message& answer) const;

  Redaction(const Redaction&) = delete;
  Redaction& operator=(const Redaction&) = delete;

 private:
  struct Restricted {
    const google::protobuf::FieldDescriptor* field;
    access::RoleSet readers;
  };
  struct Nested {
    const google::protobuf::FieldDescriptor* field;
    const Redaction* of;
  };

  class Registry;
  Redaction() = default;

  std::vector<Restricted> restricted_;
  std::vector<Nested> nested_;
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_REDACTION_H_
