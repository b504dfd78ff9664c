#ifndef PARCOURS_COMMON_RPC_GRPC_STATUS_H_
#define PARCOURS_COMMON_RPC_GRPC_STATUS_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace parcours::rpc {

// Most bytes of google.rpc.Status on the wire. Above some 8 KB of trailing
// metadata a client sees RESOURCE_EXHAUSTED in place of the error.
inline constexpr std::size_t kMaxStatusBytes = 2048;

// Made by MakeError and fit for the caller's eyes: neither INTERNAL, UNKNOWN
// nor foreign.
bool IsPresentable(const absl::Status& status);

// `status` itself when it is OK or presentable. Otherwise INTERNAL with a
// random reference; the original text goes to the log beside that reference
// and the trace, and nowhere else.
absl::Status Masked(const absl::Status& status, std::string_view trace_id = "");

// The status that goes over the wire, masked, with google.rpc.Status in its
// details. Violations are dropped from the end until all fits in
// kMaxStatusBytes.
grpc::Status ToGrpcStatus(const absl::Status& status,
                          std::string_view trace_id = "");

// The error that a server sent, with its details as payloads, so that ReasonOf
// and MetadataOf read it.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_GRPC_STATUS_H_
