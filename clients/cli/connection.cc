#include "clients/cli/connection.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/rpc/bearer.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "common/types/resource_name.h"
#include "google/protobuf/descriptor.h"
#include "google/rpc/error_details.pb.h"

namespace parcours::cli {
namespace {

// What the transport says on its own, for the person who reads it.
std::string_view TransportText(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
      return "Le service est injoignable.";
    case absl::StatusCode::kDeadlineExceeded:
      return "Le service n’a pas répondu à temps.";
    case absl::StatusCode::kUnimplemented:
      return "Le service ne connaît pas cet appel.";
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return "Le service a rencontré une erreur interne.";
    default:
      return "";
  }
}

template <typename Detail>
std::optional<Detail> DetailOf(const absl::Status& status,
                               std::string_view url) {
  const auto payload = status.GetPayload(AbslView(url));
  Detail detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) {
    return std::nullopt;
  }
  return detail;
}

std::string TextOf(const absl::Status& status) {
  const auto localized =
      DetailOf<google::rpc::LocalizedMessage>(status, kLocalizedMessageUrl);
  if (localized.has_value()) return localized->message();
  const std::string_view transport = TransportText(status.code());
  if (ReasonOf(status).has_value() || transport.empty()) {
    return std::string(status.message());
  }
  return Cat(transport, " (", std::string(status.message()), ")");
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address,
                                           const Access& access) {
  return rpc::MakeBearerChannel(address, access.token, access.credentials);
}

void FillRequestId(google::protobuf::Message& request) {
  const google::protobuf::FieldDescriptor* field =
      request.GetDescriptor()->FindFieldByName("request_id");
  if (field == nullptr || field->is_repeated() ||
      field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
    return;
  }
  const google::protobuf::Reflection& reflection = *request.GetReflection();
  if (reflection.GetString(request, field).empty()) {
    reflection.SetString(&request, field, NewUuidV7(absl::Now()));
  }
}

absl::Status CallWithRetries(
    const CallPolicy& policy, const std::string& address,
    absl::FunctionRef<grpc::Status(grpc::ClientContext&)> attempt) {
  absl::Duration pause = policy.first_pause;
  for (int made = 1;; ++made) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + policy.deadline));
    const grpc::Status status = attempt(context);
    if (status.ok()) return absl::OkStatus();
    absl::Status error = rpc::FromGrpcStatus(status);
    const bool again = error.code() == absl::StatusCode::kUnavailable;
    if (!again || made >= policy.attempts) {
      const bool reached = ReasonOf(error).has_value();
      if (reached || !again) return error;
      return absl::UnavailableError(
          absl::StrCat(address, ": ", error.message()));
    }
    absl::SleepFor(pause);
    pause *= 2;
  }
}

std::string DescribeError(const absl::Status& status) {
  std::string text = TextOf(status);
  if (const std::optional<Reason> reason = ReasonOf(status)) {
    CatTo(text, " [", ReasonName(*reason), "]");
  }
  return text;
}

void PrintError(std::ostream& out, const absl::Status& status) {
  out << "Erreur : " << DescribeError(status) << '\n';
  const auto bad_request =
      DetailOf<google::rpc::BadRequest>(status, kBadRequestUrl);
  if (!bad_request.has_value()) return;
  for (const auto& violation : bad_request->field_violations()) {
    const std::string& french = violation.localized_message().message();
    out << "  " << violation.field() << " : "
        << (french.empty() ? violation.description() : french) << '\n';
  }
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return kSuccess;
  const bool unreachable = status.code() == absl::StatusCode::kUnavailable ||
                           status.code() == absl::StatusCode::kDeadlineExceeded;
  return unreachable ? kUnreachable : kRefused;
}

}  // namespace parcours::cli
