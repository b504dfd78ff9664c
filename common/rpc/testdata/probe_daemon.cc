// A process for the tests of signals, health and reflection:
//   probe_daemon PORT_FILE DRAIN_GRACE WORKERS [reflection]

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/time/time.h"
#include "common/rpc/server.h"
#include "common/rpc/testdata/probe_service.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "parcours/type/v1/access.pb.h"

int main(int argc, char** argv) {
  using namespace parcours;
  rpc::BlockTerminationSignals();
  rpc::ServerOptions server_options;
  if (argc < 4 || !absl::ParseDuration(argv[2], &server_options.drain_grace)) {
    return 2;
  }
  server_options.port_file = argv[1];
  server_options.reflection = argc > 4;

  telemetry::ConfigureLog("probe", telemetry::LogLevel::kInfo);
  telemetry::Metrics metrics;
  const RealBusinessClock clock;
  rpc::ShellOptions options;
  options.clock = &clock;
  options.metrics = &metrics;
  options.digest_key = "a key for tests, 32 bytes long...";
  options.workers.threads = std::atoi(argv[3]);
  options.identify = [](const grpc::CallbackServerContext&)
      -> absl::StatusOr<access::Principal> {
    access::Principal principal;
    principal.subject = "administrator";
    principal.roles.Add(type::v1::ROLE_ADMINISTRATOR);
    return principal;
  };
  rpc::Shell shell(options);
  rpc::ProbeRpc service(shell);
  auto server = rpc::Server::Start(server_options, shell, {&service});
  if (!server.ok()) {
    std::cerr << server.status().message() << std::endl;
    return 2;
  }
  (*server)->Run();
  telemetry::FlushLog();
  return 0;
}
