#include "common/platform/daemon.h"

#include <iostream>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/rpc/server.h"
#include "common/status/macros.h"
#include "common/telemetry/log.h"

namespace parcours::platform {
namespace {

absl::Status Run(const Service& service, int argc, char** argv) {
  ASSIGN_OR_RETURN(ServiceFlags flags,
                   ReadServiceFlags(service.defaults, argc, argv));
  telemetry::ConfigureLog(flags.service,
                          *telemetry::ParseLogLevel(flags.log_level));
  std::vector<identity::Issuer> own_issuers;
  if (service.own_issuers) {
    ASSIGN_OR_RETURN(own_issuers, service.own_issuers(flags));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Platform> platform,
                   Platform::Open(std::move(flags), service.migrations,
                                  service.submissions, std::move(own_issuers)));
  ASSIGN_OR_RETURN(const std::unique_ptr<Application> application,
                   service.compose(*platform));
  return platform->Serve(*application);
}

}  // namespace

int RunDaemon(const Service& service, int argc, char** argv) {
  rpc::BlockTerminationSignals();
  // Debian builds Abseil without NDEBUG, and with it the search for deadlocks
  // in every lock that gRPC takes.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const absl::Status status = Run(service, argc, argv);
  telemetry::FlushLog();
  if (status.ok()) return 0;
  std::cerr << status.message() << "\n";
  return 1;
}

}  // namespace parcours::platform
