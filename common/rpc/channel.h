#ifndef PARCOURS_COMMON_RPC_CHANNEL_H_
#define PARCOURS_COMMON_RPC_CHANNEL_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/rpc/call_context.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/security/credentials.h"

namespace parcours::rpc {

// How a service proves that it is the one that was called.
struct ChannelSecurity {
  // Null: plain text, on loopback only.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  // The host name in its certificate (ServiceHostName); empty: that of the
  // address.
  std::string host_name;
};

// A channel to another service of Parcours, made once and kept. Methods of
// `services` (full names) that only read are tried up to three times when the
// other side is UNAVAILABLE, within their deadline; no other call is ever
// repeated. Without credentials, calls to an address that is not on loopback
// fail and nothing is sent.
std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& address, const std::vector<std::string>& services = {},
    const ChannelSecurity& security = {});

// The service config that does so, as JSON.
std::string RetryServiceConfig(const std::vector<std::string>& services);

// Lets a call made on behalf of `call` carry its trace and end with it, or
// after `budget` when that is sooner.
void Propagate(const CallContext& call, absl::Duration budget,
               grpc::ClientContext& context);

// What a failed call to the service that owns `resource` means here: its own
// error as it came, or OWNER_UNAVAILABLE when it was not reached, or
// DEADLINE_EXCEEDED when it did not answer in time. OK when `status` is OK.
absl::Status OwnerStatus(const grpc::Status& status, std::string_view resource);

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_CHANNEL_H_
