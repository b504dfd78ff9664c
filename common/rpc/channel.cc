#include "common/rpc/channel.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/loopback.h"
#include "common/rpc/service_method.h"
#include "common/status/error.h"
#include "google/protobuf/descriptor.h"
#include "grpc/grpc.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "nlohmann/json.hpp"

namespace parcours::rpc {
namespace {

// Longer than the servers' smallest interval (server.h), or they would close
// the connection with "too_many_pings".
constexpr int kKeepaliveMillis = 30'000;
constexpr int kKeepaliveTimeoutMillis = 10'000;
constexpr int kMinReconnectMillis = 50;
constexpr int kMaxReconnectMillis = 2'000;

}  // namespace

std::string RetryServiceConfig(const std::vector<std::string>& services) {
  nlohmann::json names = nlohmann::json::array();
  for (const std::string& service : services) {
    const auto* const declared =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
            service);
    if (declared == nullptr) continue;
    for (int i = 0; i < declared->method_count(); ++i) {
      if (OnlyReads(*declared->method(i))) {
        names.push_back(
            {{"service", service}, {"method", declared->method(i)->name()}});
      }
    }
  }
  if (names.empty()) return "{}";
  const nlohmann::json config = {
      {"methodConfig",
       {{{"name", names},
         {"retryPolicy",
          {{"maxAttempts", 3},
           {"initialBackoff", "0.05s"},
           {"maxBackoff", "0.5s"},
           {"backoffMultiplier", 2},
           {"retryableStatusCodes", {"UNAVAILABLE"}}}}}}},
      // Where most calls fail, repeating them makes it worse.
      {"retryThrottling", {{"maxTokens", 100}, {"tokenRatio", 0.1}}}};
  return config.dump();
}

std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& address, const std::vector<std::string>& services,
    const ChannelSecurity& security) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMillis);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kMinReconnectMillis);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kMinReconnectMillis);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMillis);
  arguments.SetLoadBalancingPolicyName("round_robin");
  arguments.SetServiceConfigJSON(RetryServiceConfig(services));
  std::shared_ptr<grpc::ChannelCredentials> credentials = security.credentials;
  if (credentials == nullptr) {
    // Without any, the channel is one that fails every call.
    if (IsLoopbackAddress(address)) {
      credentials = grpc::InsecureChannelCredentials();
    }
  } else if (!security.host_name.empty()) {
    arguments.SetSslTargetNameOverride(security.host_name);
  }
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

void Propagate(const CallContext& call, absl::Duration budget,
               grpc::ClientContext& context) {
  context.set_deadline(
      absl::ToChronoTime(std::min(call.caller.deadline, absl::Now() + budget)));
  if (!call.traceparent.empty()) {
    context.AddMetadata("traceparent", call.traceparent);
  }
}

absl::Status OwnerStatus(const grpc::Status& status,
                         std::string_view resource) {
  absl::Status error = FromGrpcStatus(status);
  if (error.ok() || ReasonOf(error).has_value()) return error;
  if (error.code() == absl::StatusCode::kUnavailable) {
    return MakeError(Reason::kOwnerUnavailable,
                     {{"resource", std::string(resource)}});
  }
  if (error.code() == absl::StatusCode::kDeadlineExceeded) {
    return MakeError(Reason::kDeadlineExceeded);
  }
  return error;
}

}  // namespace parcours::rpc
