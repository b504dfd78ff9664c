#include "common/rpc/bearer.h"

#include <utility>
#include <vector>

#include "common/rpc/loopback.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/support/client_interceptor.h"

namespace parcours::rpc {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;

// gRPC's own credentials of calls go over TLS alone, and loopback is plain.
class SendToken final : public Interceptor {
 public:
  explicit SendToken(const std::string& value) : value_(value) {}
  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->emplace("authorization", value_);
    }
    methods->Proceed();
  }

 private:
  const std::string& value_;
};

class SendTokenFactory final : public ClientInterceptorFactoryInterface {
 public:
  explicit SendTokenFactory(std::string value) : value_(std::move(value)) {}
  Interceptor* CreateClientInterceptor(ClientRpcInfo*) override {
    return new SendToken(value_);
  }

 private:
  const std::string value_;
};

}  // namespace

std::shared_ptr<grpc::Channel> MakeBearerChannel(
    const std::string& address, const std::string& token,
    std::shared_ptr<grpc::ChannelCredentials> credentials,
    const grpc::ChannelArguments& arguments) {
  // Without credentials the channel is one that fails every call.
  if (credentials == nullptr && IsLoopbackAddress(address)) {
    credentials = grpc::InsecureChannelCredentials();
  }
  std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> factories;
  if (!token.empty()) {
    factories.push_back(std::make_unique<SendTokenFactory>("Bearer " + token));
  }
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      address, credentials, arguments, std::move(factories));
}

}  // namespace parcours::rpc
