#ifndef PARCOURS_COMMON_RPC_BEARER_H_
#define PARCOURS_COMMON_RPC_BEARER_H_

#include <memory>
#include <string>

#include "grpcpp/channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace parcours::rpc {

// A channel whose every call carries `token` as "authorization: Bearer"; an
// empty one is not sent. Over plain text, which null credentials stand for,
// only to loopback: a call to elsewhere fails and sends nothing. For clients:
// services among themselves have certificates.
std::shared_ptr<grpc::Channel> MakeBearerChannel(
    const std::string& address, const std::string& token,
    std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr,
    const grpc::ChannelArguments& arguments = {});

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_BEARER_H_
