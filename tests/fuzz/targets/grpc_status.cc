#include "common/rpc/grpc_status.h"

#include <string>

#include "common/status/error.h"
#include "tests/fuzz/target.h"

// An error as another service sends it: the first byte is its code, the rest
// its details.
PARCOURS_FUZZ_TARGET(grpc_status) {
  const unsigned code = parcours::fuzz::TakeByte(input);
  const grpc::Status sent(static_cast<grpc::StatusCode>(code % 18), "text",
                          std::string(input));
  const absl::Status status = parcours::rpc::FromGrpcStatus(sent);
  PARCOURS_FUZZ_CHECK(status.ok() == sent.ok());
  (void)parcours::ReasonOf(status);
  (void)parcours::MetadataOf(status);
  const grpc::Status passed_on = parcours::rpc::ToGrpcStatus(status);
  PARCOURS_FUZZ_CHECK(passed_on.ok() == sent.ok());
  PARCOURS_FUZZ_CHECK(passed_on.error_details().size() <=
                      parcours::rpc::kMaxStatusBytes);
}
