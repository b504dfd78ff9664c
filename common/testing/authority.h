#ifndef PARCOURS_COMMON_TESTING_AUTHORITY_H_
#define PARCOURS_COMMON_TESTING_AUTHORITY_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/identity/token_signer.h"
#include "common/rpc/tls.h"
#include "common/testing/temp_dir.h"

namespace parcours::testing {

// What a certificate says.
struct CertificateText {
  std::vector<std::string> uris;
  std::vector<std::string> hosts;
  // From now; the certificate begins an hour before its end where it is past.
  absl::Duration valid_for = absl::Hours(1);
};

// An authority for the length of a test, its files in a temporary folder: a
// local issuer of tokens, and one of certificates. What cannot be made aborts
// the test. Not thread-safe.
class Authority {
 public:
  Authority();
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // The configuration of the one issuer, "local", which may give every role,
  // and is accepted by simulations and local databases only.
  std::string identity_file() const { return folder_.File("identity.txtpb"); }

  // A token by that issuer, good for an hour, for the whole installation unless
  // `body` is given. Roles by name, as "coordinator".
  std::string Token(const std::vector<std::string>& roles,
                    const std::string& body = "") const;
  // The same for claims of the test's choice; what is empty is filled in.
  std::string TokenOf(identity::TokenClaims claims) const;
  std::string AdministratorToken() const { return Token({"administrator"}); }

  // The certificate of a service, with its key in one file, good for this
  // machine too. Made anew, and put in the place of the last by a rename, at
  // each call.
  rpc::TlsFiles ServiceCertificate(std::string_view service);
  // That of one who follows feeds, the same way.
  rpc::TlsFiles FeedReaderCertificate(std::string_view name);
  // A certificate of any text, in `name`.pem.
  rpc::TlsFiles Certificate(const std::string& name,
                            const CertificateText& text);
  // PEM of the first certificate in a file.
  static std::string CertificateOf(const rpc::TlsFiles& files);

  std::string ca_file() const { return folder_.File("ca.pem"); }
  std::string File(std::string_view name) const { return folder_.File(name); }

 private:
  struct Keys;

  TempDir folder_;
  std::unique_ptr<Keys> keys_;
  std::unique_ptr<identity::SigningKey> signing_key_;
};

}  // namespace parcours::testing

#endif  // PARCOURS_COMMON_TESTING_AUTHORITY_H_
