#ifndef PARCOURS_COMMON_RPC_UPDATE_MASK_H_
#define PARCOURS_COMMON_RPC_UPDATE_MASK_H_

#include "absl/status/status.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/message.h"

namespace parcours::rpc {

// Writes the fields of `from` that `mask` names into `to`, a message of the
// same type (https://google.aip.dev/134): without a mask those that are set,
// with "*" all. What is output only, and the identifier, is left as it is.
// UPDATE_MASK_INVALID for a path that does not exist or cannot be written.
absl::Status MergeMasked(const google::protobuf::FieldMask& mask,
                         const google::protobuf::Message& from,
                         google::protobuf::Message& to);

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_UPDATE_MASK_H_
