#ifndef PARCOURS_COMMON_RPC_SERVER_H_
#define PARCOURS_COMMON_RPC_SERVER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/loopback.h"
#include "common/rpc/shell.h"
#include "grpcpp/channel.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"

namespace parcours::rpc {

struct ServerOptions {
  // Where plain text is spoken, on loopback only: "127.0.0.1:50051"; port 0
  // takes a free one. Also "unix:/path". Empty: nowhere.
  std::string listen_address = "127.0.0.1:0";
  // Where the port is written, whole or not at all, once calls are answered.
  std::string port_file;
  // The same for TLS, anywhere, with these credentials. Empty: nowhere.
  std::string tls_listen_address;
  std::string tls_port_file;
  std::shared_ptr<grpc::ServerCredentials> tls_credentials;
  bool reflection = false;
  int max_receive_bytes = 256 * 1024;
  // Of the metadata of a call, each pair counted with 32 bytes more.
  int max_metadata_bytes = 8 * 1024;
  // On one connection.
  int max_concurrent_streams = 1000;
  // What a client takes to connect; after that the connection is closed.
  absl::Duration handshake_timeout = absl::Seconds(10);
  // Clients may ping this often; theirs is 30 s (channel.h).
  absl::Duration min_ping_interval = absl::Seconds(20);
  // Connections are closed after this age, so that clients find new replicas;
  // the grace is longer than any call.
  absl::Duration max_connection_age = absl::Minutes(10);
  absl::Duration max_connection_age_grace = absl::Minutes(11);
  // How long running calls are waited for when the server stops.
  absl::Duration drain_grace = absl::Seconds(20);
};

// Blocks SIGTERM and SIGINT, for Server::Run to wait for, and ignores SIGPIPE.
// Call first in main: threads started before it would take the signals.
void BlockTerminationSignals();

// What health calls the process itself, whatever it depends on.
inline constexpr char kLiveness[] = "liveness";

// A gRPC server for services on one shell, with the standard health service
// ("" and each service by name) and, when asked, reflection.
class Server {
 public:
  // Fails, with every problem in the text, when plain text would leave the
  // machine, when there is no address or one cannot be bound, when TLS lacks
  // its credentials, when a method of a service does not say who may call it,
  // or when the shell has no digest key. `shell` and `services` outlive the
  // server.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const ServerOptions& options, Shell& shell,
      const std::vector<AnyService*>& services);

  // Drains.
  ~Server();

  // Whether health says SERVING, of "" and of each service. Of kLiveness it
  // says so as long as the server runs. Starts as true; after Drain, without
  // effect.
  void SetReady(bool ready);

  // The port that was bound; 0 for a Unix socket and for none.
  int port() const { return port_; }
  int tls_port() const { return tls_port_; }

  // Waits for SIGTERM or SIGINT, then drains. REQUIRES: BlockTerminationSignals
  // was called first in main.
  void Run();

  // Health turns to NOT_SERVING, new calls are refused with DRAINING, running
  // ones are waited for up to `drain_grace` and then cancelled. Returns when
  // no call runs. When calls cannot even be cancelled, ends the process with
  // status 1 five seconds after the grace. Idempotent.
  void Drain();

  std::shared_ptr<grpc::Channel> InProcessChannel();

 private:
  Server(ServerOptions options, Shell& shell,
         const std::vector<AnyService*>& services);

  const ServerOptions options_;
  Shell& shell_;
  // "" and the services.
  std::vector<std::string> health_names_ = {""};
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  int tls_port_ = 0;
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_SERVER_H_
