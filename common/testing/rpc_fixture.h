#ifndef PARCOURS_COMMON_TESTING_RPC_FIXTURE_H_
#define PARCOURS_COMMON_TESTING_RPC_FIXTURE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/rpc/server.h"
#include "common/rpc/shell.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"

namespace parcours {

// A shell, a service and a server on a free port of the loopback, with a clock
// that stands at 2026-03-02 09:00 in Paris until the test moves it. Members
// are destroyed in an order that lets running calls end.
//
//   RpcFixture fixture;
//   EnrolmentRpc service(fixture.shell(), ...);
//   fixture.Serve({&service});
//   auto stub = pb::EnrolmentService::NewStub(fixture.channel());
class RpcFixture {
 public:
  // Whoever calls is the administrator "local-administrator", and `adapt` may
  // change this and the other options of the shell.
  explicit RpcFixture(std::function<void(rpc::ShellOptions&)> adapt =
                          [](rpc::ShellOptions&) {});
  ~RpcFixture();

  rpc::Shell& shell() { return *shell_; }
  SimulatedBusinessClock& clock() { return clock_; }
  telemetry::Metrics& metrics() { return metrics_; }

  // Starts the server; the services must outlive the fixture or StopServing.
  void Serve(std::vector<rpc::AnyService*> services,
             rpc::ServerOptions options = {});
  void StopServing() { server_.reset(); }

  rpc::Server& server() { return *server_; }
  // A new connection to the server.
  std::shared_ptr<grpc::Channel> channel();

 private:
  SimulatedBusinessClock clock_;
  telemetry::Metrics metrics_;
  std::unique_ptr<rpc::Shell> shell_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace parcours

#endif  // PARCOURS_COMMON_TESTING_RPC_FIXTURE_H_
