#include "services/evaluation/rpc/owner_call.h"

#include <algorithm>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error.h"

namespace parcours::evaluation {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);

}  // namespace

void Prepare(const access::Caller& caller, grpc::ClientContext& context) {
  context.set_deadline(
      absl::ToChronoTime(std::min(caller.deadline, absl::Now() + kPatience)));
}

absl::Status FromOwner(const grpc::Status& status, std::string_view resource) {
  if (status.ok()) return absl::OkStatus();
  const absl::Status answered = rpc::FromGrpcStatus(status);
  switch (answered.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return answered;
    default:
      return MakeError(Reason::kOwnerUnavailable,
                       {{"resource", std::string(resource)}});
  }
}

}  // namespace parcours::evaluation
