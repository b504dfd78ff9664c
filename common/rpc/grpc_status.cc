#include "common/rpc/grpc_status.h"

#include <sodium.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "common/status/error.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace parcours::rpc {
namespace {

// In the order in which they stand in the details.
constexpr std::string_view kDetailUrls[] = {kErrorInfoUrl, kLocalizedMessageUrl,
                                            kRetryInfoUrl, kBadRequestUrl};

std::string RandomReference() {
  std::array<char, 8> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

google::rpc::Status WireStatus(const absl::Status& status) {
  google::rpc::Status wire;
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(std::string(status.message()));
  for (const std::string_view url : kDetailUrls) {
    const auto payload = status.GetPayload(AbslView(url));
    if (!payload) continue;
    google::protobuf::Any& detail = *wire.add_details();
    detail.set_type_url(std::string(url));
    detail.set_value(std::string(*payload));
  }
  return wire;
}

google::protobuf::Any* Find(google::rpc::Status& wire, std::string_view url) {
  for (google::protobuf::Any& detail : *wire.mutable_details()) {
    if (detail.type_url() == url) return &detail;
  }
  return nullptr;
}

// Violations go first, from the end; then, for texts that are too long by
// themselves, the metadata and the translation.
void FitIntoBudget(google::rpc::Status& wire) {
  google::rpc::BadRequest bad_request;
  google::protobuf::Any* const violations = Find(wire, kBadRequestUrl);
  if (violations != nullptr && wire.ByteSizeLong() > kMaxStatusBytes &&
      bad_request.ParseFromString(violations->value())) {
    while (wire.ByteSizeLong() > kMaxStatusBytes &&
           bad_request.field_violations_size() > 1) {
      bad_request.mutable_field_violations()->RemoveLast();
      violations->set_value(bad_request.SerializeAsString());
    }
  }
  if (wire.ByteSizeLong() <= kMaxStatusBytes) return;

  google::rpc::ErrorInfo info;
  google::protobuf::Any* const error_info = Find(wire, kErrorInfoUrl);
  if (error_info != nullptr && info.ParseFromString(error_info->value())) {
    info.clear_metadata();
    error_info->set_value(info.SerializeAsString());
  }
  while (wire.details_size() > 1 && wire.ByteSizeLong() > kMaxStatusBytes) {
    wire.mutable_details()->RemoveLast();
  }
  if (wire.ByteSizeLong() > kMaxStatusBytes) {
    wire.set_message(wire.message().substr(0, kMaxStatusBytes / 4));
  }
}

}  // namespace

bool IsPresentable(const absl::Status& status) {
  return status.code() != absl::StatusCode::kInternal &&
         status.code() != absl::StatusCode::kUnknown &&
         ReasonOf(status).has_value();
}

absl::Status Masked(const absl::Status& status, std::string_view trace_id) {
  if (status.ok() || IsPresentable(status)) return status;
  const std::string reference = RandomReference();
  const std::string original = status.ToString();
  telemetry::Log(telemetry::LogLevel::kError, "internal error",
                 {{"reference", std::string_view(reference)},
                  {"trace_id", trace_id},
                  {"error", std::string_view(original)}});
  return MakeError(Reason::kInternal, {{"reference", reference}});
}

grpc::Status ToGrpcStatus(const absl::Status& status,
                          std::string_view trace_id) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status wire = WireStatus(Masked(status, trace_id));
  FitIntoBudget(wire);
  return grpc::Status(static_cast<grpc::StatusCode>(wire.code()),
                      wire.message(), wire.SerializeAsString());
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status error(static_cast<absl::StatusCode>(status.error_code()),
                     status.error_message());
  google::rpc::Status wire;
  if (!wire.ParseFromString(status.error_details())) return error;
  for (const google::protobuf::Any& detail : wire.details()) {
    error.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return error;
}

}  // namespace parcours::rpc
