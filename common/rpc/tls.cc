#include "common/rpc/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "common/text/view.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"

namespace parcours::rpc {
namespace {

using grpc::experimental::FileWatcherCertificateProvider;
using grpc::experimental::HostNameCertificateVerifier;
using grpc::experimental::TlsChannelCredentialsOptions;
using grpc::experimental::TlsServerCredentialsOptions;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

// A key under a password is refused, not asked for.
int NoPassword(char*, int, int, void*) { return 0; }

class Checks {
 public:
  void Refuse(std::string_view path, std::string_view problem) {
    problems_.push_back(Cat(path, ": ", problem));
  }

  // The content of the file; empty when it cannot be read.
  std::string Read(const std::string& path, std::string_view what) {
    if (path.empty()) {
      Refuse(what, "no file is given");
      return "";
    }
    std::ifstream file(path, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(file),
                        std::istreambuf_iterator<char>()};
    if (!file.is_open() || content.empty()) Refuse(path, "cannot be read");
    return content;
  }

  absl::Status ToStatus() const {
    ERR_clear_error();
    if (problems_.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrJoin(problems_, "\n"));
  }

 private:
  std::vector<std::string> problems_;
};

std::unique_ptr<BIO, FreeBio> Over(const std::string& content) {
  return std::unique_ptr<BIO, FreeBio>(
      BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
}

std::unique_ptr<X509, FreeCertificate> FirstCertificate(
    const std::string& content) {
  return std::unique_ptr<X509, FreeCertificate>(
      PEM_read_bio_X509(Over(content).get(), nullptr, NoPassword, nullptr));
}

// The authorities' file, checked.
std::string ReadAuthorities(const std::string& path, Checks& checks) {
  std::string content = checks.Read(path, "authorities");
  if (!content.empty() && FirstCertificate(content) == nullptr) {
    checks.Refuse(path, "holds no certificate in PEM");
  }
  return content;
}

}  // namespace

absl::Status CheckTlsFiles(const TlsFiles& files) {
  Checks checks;
  const std::string chain = checks.Read(files.certificate_file, "certificate");
  const auto certificate = FirstCertificate(chain);
  if (certificate != nullptr) {
    if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
      checks.Refuse(files.certificate_file, "the certificate has expired");
    }
    if (X509_cmp_current_time(X509_get0_notBefore(certificate.get())) > 0) {
      checks.Refuse(files.certificate_file, "the certificate is not valid yet");
    }
  } else if (!chain.empty()) {
    checks.Refuse(files.certificate_file, "holds no certificate in PEM");
  }

  const std::string secret = checks.Read(files.key_file, "key");
  const std::unique_ptr<EVP_PKEY, FreeKey> key(PEM_read_bio_PrivateKey(
      Over(secret).get(), nullptr, NoPassword, nullptr));
  if (key == nullptr && !secret.empty()) {
    checks.Refuse(files.key_file,
                  "holds no private key in PEM without a password");
  }
  struct stat status;
  if (key != nullptr && stat(files.key_file.c_str(), &status) == 0 &&
      (status.st_mode & S_IRWXO) != 0) {
    checks.Refuse(files.key_file, "everybody may read it");
  }
  if (certificate != nullptr && key != nullptr &&
      X509_check_private_key(certificate.get(), key.get()) != 1) {
    checks.Refuse(files.key_file, "is not the key of the certificate");
  }
  ReadAuthorities(files.ca_file, checks);
  return checks.ToStatus();
}

class Tls::Watch {
 public:
  Watch(const TlsFiles& files, unsigned seconds)
      : provider(std::make_shared<FileWatcherCertificateProvider>(
            files.key_file, files.certificate_file, files.ca_file, seconds)) {}
  const std::shared_ptr<FileWatcherCertificateProvider> provider;
};

Tls::Tls(std::unique_ptr<Watch> watch) : watch_(std::move(watch)) {}

Tls::~Tls() = default;

absl::StatusOr<std::shared_ptr<Tls>> Tls::Load(const TlsFiles& files,
                                               absl::Duration interval) {
  if (absl::Status checked = CheckTlsFiles(files); !checked.ok()) {
    return checked;
  }
  const auto seconds = static_cast<unsigned>(
      std::max<int64_t>(1, absl::ToInt64Seconds(interval)));
  return std::shared_ptr<Tls>(new Tls(std::make_unique<Watch>(files, seconds)));
}

std::shared_ptr<grpc::ServerCredentials> Tls::ForServer() const {
  TlsServerCredentialsOptions options(watch_->provider);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> Tls::ForChannel() const {
  TlsChannelCredentialsOptions options;
  options.set_certificate_provider(watch_->provider);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(true);
  options.set_certificate_verifier(
      std::make_shared<HostNameCertificateVerifier>());
  return grpc::experimental::TlsCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ServerOnlyTls(
    const std::string& ca_file) {
  Checks checks;
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadAuthorities(ca_file, checks);
  if (absl::Status checked = checks.ToStatus(); !checked.ok()) return checked;
  return grpc::SslCredentials(options);
}

std::string ServiceHostName(std::string_view service) {
  return Cat(service, ".parcours.internal");
}

std::string ServiceUri(std::string_view service) {
  return Cat("spiffe://parcours/service/", service);
}

}  // namespace parcours::rpc
