#include "common/rpc/server.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/status/macros.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "common/text/view.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/grpc.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace parcours::rpc {
namespace {

constexpr std::size_t kMinDigestKeyBytes = 16;
constexpr absl::Duration kWatchdogGrace = absl::Seconds(5);

sigset_t TerminationSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

bool HasPort(const std::string& address) {
  return !address.empty() && !address.starts_with("unix");
}

absl::Status WritePort(const std::string& path, int port) {
  if (path.empty()) return absl::OkStatus();
  return telemetry::WriteFileAtomically(path, Cat(port, "\n"));
}

int Millis(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

}  // namespace

void BlockTerminationSignals() {
  const sigset_t signals = TerminationSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

Server::Server(ServerOptions options, Shell& shell,
               const std::vector<AnyService*>& services)
    : options_(std::move(options)), shell_(shell) {
  for (const AnyService* service : services) {
    health_names_.emplace_back(service->full_name());
  }
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const ServerOptions& options, Shell& shell,
    const std::vector<AnyService*>& services) {
  std::vector<std::string> problems;
  if (options.listen_address.empty() && options.tls_listen_address.empty()) {
    problems.emplace_back("there is no address to listen on");
  }
  if (!options.tls_listen_address.empty() &&
      options.tls_credentials == nullptr) {
    problems.push_back(Cat("tls_listen_address ", options.tls_listen_address,
                           " has no certificate to show"));
  }
  if (!options.listen_address.empty() &&
      !IsLoopbackAddress(options.listen_address)) {
    problems.push_back(
        Cat("listen_address ", options.listen_address,
            " is not on loopback, and plain text must not leave the machine"));
  }
  if (shell.options().digest_key.size() < kMinDigestKeyBytes) {
    problems.push_back("the key of request digests has fewer than 16 bytes");
  }
  if (!shell.options().identify) {
    problems.emplace_back("nothing says who calls");
  }
  if (services.empty()) problems.push_back("there is no service");
  for (const AnyService* service : services) {
    for (std::string& missing : MissingAccess(service->full_name())) {
      problems.push_back(std::move(missing));
    }
  }
  if (!problems.empty()) {
    return absl::FailedPreconditionError(absl::StrJoin(problems, "; "));
  }

  grpc::EnableDefaultHealthCheckService(true);
  if (options.reflection) {
    // Its initialiser adds reflection to all servers built from then on, which
    // is why it is not linked.
    if (dlopen(PARCOURS_REFLECTION_LIBRARY, RTLD_NOW) == nullptr) {
      return absl::FailedPreconditionError(
          Cat("reflection is not installed: ", dlerror()));
    }
  }
  // It writes a line of its own for each message that is not UTF-8.
  google::protobuf::SetLogHandler(nullptr);
  auto server = std::unique_ptr<Server>(new Server(options, shell, services));
  grpc::ServerBuilder builder;
  if (!options.listen_address.empty()) {
    builder.AddListeningPort(options.listen_address,
                             grpc::InsecureServerCredentials(), &server->port_);
  }
  if (!options.tls_listen_address.empty()) {
    builder.AddListeningPort(options.tls_listen_address,
                             options.tls_credentials, &server->tls_port_);
  }
  // With it a second server on the same port would take half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             options.max_concurrent_streams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE,
                             options.max_metadata_bytes);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             Millis(options.handshake_timeout));
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      Millis(options.min_ping_interval));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                             Millis(options.max_connection_age));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                             Millis(options.max_connection_age_grace));
  builder.SetMaxReceiveMessageSize(options.max_receive_bytes);
  for (AnyService* service : services) {
    builder.RegisterService(&service->grpc_service());
  }
  server->server_ = builder.BuildAndStart();
  // gRPC serves where it can and says nothing of where it cannot.
  if (server->server_ == nullptr ||
      (HasPort(options.listen_address) && server->port_ == 0) ||
      (HasPort(options.tls_listen_address) && server->tls_port_ == 0)) {
    return absl::FailedPreconditionError(Cat("cannot listen on ",
                                             options.listen_address, " ",
                                             options.tls_listen_address));
  }
  server->SetReady(true);
  if (auto* health = server->server_->GetHealthCheckService()) {
    health->SetServingStatus(kLiveness, true);
  }
  RETURN_IF_ERROR(WritePort(options.port_file, server->port_));
  RETURN_IF_ERROR(WritePort(options.tls_port_file, server->tls_port_));
  telemetry::Log(telemetry::LogLevel::kInfo, "serving",
                 {{"address", std::string_view(options.listen_address)},
                  {"port", int64_t{server->port_}},
                  {"tls_address", std::string_view(options.tls_listen_address)},
                  {"tls_port", int64_t{server->tls_port_}}});
  return server;
}

Server::~Server() { Drain(); }

void Server::SetReady(bool ready) {
  auto* health =
      server_ == nullptr ? nullptr : server_->GetHealthCheckService();
  if (health == nullptr) return;
  for (const std::string& name : health_names_) {
    health->SetServingStatus(name, ready);
  }
}

void Server::Run() {
  const sigset_t signals = TerminationSignals();
  int signal_number = 0;
  sigwait(&signals, &signal_number);
  telemetry::Log(telemetry::LogLevel::kInfo, "draining",
                 {{"signal", int64_t{signal_number}}});
  Drain();
  telemetry::Log(telemetry::LogLevel::kInfo, "stopped");
}

void Server::Drain() {
  if (server_ == nullptr) return;
  const absl::Time deadline = absl::Now() + options_.drain_grace;

  absl::Notification drained;
  std::thread watchdog([&] {
    if (drained.WaitForNotificationWithDeadline(deadline + kWatchdogGrace)) {
      return;
    }
    telemetry::Log(telemetry::LogLevel::kError, "a call does not end");
    _exit(1);
  });

  if (auto* health = server_->GetHealthCheckService()) health->Shutdown();
  shell_.BeginDrain();
  shell_.WaitUntilIdle(deadline);
  // What is still running now is cancelled; its worker notices at its next
  // look at the call, and the shutdown waits for it.
  server_->Shutdown(absl::ToChronoTime(absl::Now()));
  server_->Wait();
  server_.reset();

  drained.Notify();
  watchdog.join();
}

std::shared_ptr<grpc::Channel> Server::InProcessChannel() {
  return server_->InProcessChannel(grpc::ChannelArguments());
}

}  // namespace parcours::rpc
