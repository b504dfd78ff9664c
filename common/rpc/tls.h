#ifndef PARCOURS_COMMON_RPC_TLS_H_
#define PARCOURS_COMMON_RPC_TLS_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"

namespace parcours::rpc {

// Files in PEM with which a process shows who it is, and knows who others are.
struct TlsFiles {
  // The certificate and those that vouch for it, up to the authority.
  std::string certificate_file;
  // Its private key; may be the same file.
  std::string key_file;
  // The authorities that are trusted, and no others.
  std::string ca_file;

  bool empty() const {
    return certificate_file.empty() && key_file.empty() && ca_file.empty();
  }
};

// FAILED_PRECONDITION with every problem, one on a line: a file that is missing
// or no PEM, a key that is not the certificate's, a certificate that is not
// valid now, a key that everybody may read.
absl::Status CheckTlsFiles(const TlsFiles& files);

// Mutual TLS from files that are watched: what is replaced on disk serves the
// connections made from the next look on, and running ones stay. A new pair
// must appear at one moment: certificate and key in one file that is replaced
// by a rename, or both behind one symbolic link to their folder. One thread
// looks, for all credentials of a Tls. Thread-safe.
class Tls {
 public:
  // Fails as CheckTlsFiles. `interval`, of whole seconds and at least one, is
  // the time between two looks.
  static absl::StatusOr<std::shared_ptr<Tls>> Load(const TlsFiles& files,
                                                   absl::Duration interval);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // Of a server that asks every client for a certificate and refuses one that
  // no authority vouches for.
  std::shared_ptr<grpc::ServerCredentials> ForServer() const;
  // Of a client that shows its certificate and holds the server to the host
  // name that it was called by.
  std::shared_ptr<grpc::ChannelCredentials> ForChannel() const;

 private:
  class Watch;
  explicit Tls(std::unique_ptr<Watch> watch);
  const std::unique_ptr<Watch> watch_;
};

// Credentials of a client that shows no certificate, for a server that asks for
// none, as the proxy before the services. FAILED_PRECONDITION when `ca_file`
// cannot be read.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ServerOnlyTls(
    const std::string& ca_file);

// The host name in the certificate of a service, "enrolment.parcours.internal",
// and the URI that makes it one, "spiffe://parcours/service/enrolment".
std::string ServiceHostName(std::string_view service);
std::string ServiceUri(std::string_view service);

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_TLS_H_
