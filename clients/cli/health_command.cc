#include "clients/cli/health_command.h"

#include <chrono>
#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "clients/cli/connection.h"
#include "common/rpc/grpc_status.h"
#include "google/protobuf/empty.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/impl/codegen/proto_utils.h"

namespace parcours::cli {
namespace {

using google::protobuf::Empty;

constexpr char kMethod[] = "/grpc.health.v1.Health/Check";
// HealthCheckResponse.status = 1, ServingStatus.SERVING = 1.
constexpr int kStatusField = 1;
constexpr uint64_t kServing = 1;

// Debian packages neither the proto of grpc.health.v1 nor its generated code.
// The request for the whole server is an empty message, and of the answer one
// number is read: an Empty keeps what it does not know.
bool IsServing(const Empty& response) {
  const google::protobuf::UnknownFieldSet& fields =
      response.GetReflection()->GetUnknownFields(response);
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::UnknownField& field = fields.field(i);
    if (field.number() == kStatusField &&
        field.type() == google::protobuf::UnknownField::TYPE_VARINT) {
      return field.varint() == kServing;
    }
  }
  return false;
}

}  // namespace

absl::Status CheckHealth(const std::string& address, const Access& access,
                         absl::Duration timeout) {
  grpc::TemplatedGenericStub<Empty, Empty> stub(OpenChannel(address, access));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  const Empty request;
  Empty response;
  grpc::Status status;
  absl::Notification answered;
  stub.UnaryCall(&context, kMethod, grpc::StubOptions(), &request, &response,
                 [&](grpc::Status result) {
                   status = std::move(result);
                   answered.Notify();
                 });
  answered.WaitForNotification();
  if (!status.ok()) {
    return absl::UnavailableError(
        absl::StrCat(address, ": ", status.error_message()));
  }
  if (!IsServing(response)) {
    return absl::UnavailableError(absl::StrCat(address, ": not serving"));
  }
  return absl::OkStatus();
}

}  // namespace parcours::cli
