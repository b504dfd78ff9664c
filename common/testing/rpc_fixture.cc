#include "common/testing/rpc_fixture.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "grpc/grpc.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours {

RpcFixture::RpcFixture(std::function<void(rpc::ShellOptions&)> adapt)
    : clock_(absl::FromCivil(absl::CivilHour(2026, 3, 2, 9), ParisZone())) {
  rpc::ShellOptions options;
  options.clock = &clock_;
  options.metrics = &metrics_;
  options.digest_key = "a key for tests, 32 bytes long...";
  options.identify = [](const grpc::CallbackServerContext&)
      -> absl::StatusOr<access::Principal> {
    access::Principal principal;
    principal.subject = "local-administrator";
    principal.roles.Add(type::v1::ROLE_ADMINISTRATOR);
    return principal;
  };
  adapt(options);
  shell_ = std::make_unique<rpc::Shell>(std::move(options));
}

RpcFixture::~RpcFixture() { server_.reset(); }

void RpcFixture::Serve(std::vector<rpc::AnyService*> services,
                       rpc::ServerOptions options) {
  auto server = rpc::Server::Start(options, *shell_, services);
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
}

std::shared_ptr<grpc::Channel> RpcFixture::channel() {
  grpc::ChannelArguments arguments;
  // Windows stay small: a reader who does not read is felt.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  // Channels of one process to one address share a connection otherwise.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", server_->port()),
                                   grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace parcours
