#include "common/testing/authority.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/text/view.h"

namespace parcours::testing {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using X509Certificate = std::unique_ptr<X509, FreeCertificate>;

constexpr char kIssuer[] = "https://local.parcours.internal";
constexpr char kAudience[] = "parcours";

void MustHold(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "authority: %s\n", what);
  std::abort();
}

void AddExtension(X509* certificate, X509* issuer, int kind,
                  const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  MustHold(
      extension != nullptr && X509_add_ext(certificate, extension, -1) == 1,
      value.c_str());
  X509_EXTENSION_free(extension);
}

// A certificate of `key` by the issuer, to be signed; by itself where that is
// null.
X509Certificate Certify(EVP_PKEY* key, const std::string& name, X509* issuer,
                        absl::Duration valid_for) {
  X509Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()),
                          serial >> 1U);
  const int64_t end = absl::ToInt64Seconds(valid_for);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()),
                  (end < 0 ? end : 0) - 3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), end);
  X509_NAME_add_entry_by_txt(
      X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* const by = issuer == nullptr ? certificate.get() : issuer;
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(by));
  X509_set_pubkey(certificate.get(), key);
  AddExtension(certificate.get(), by, NID_basic_constraints,
               issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  AddExtension(certificate.get(), by, NID_subject_key_identifier, "hash");
  return certificate;
}

Key NewKey() {
  Key key(EVP_EC_gen("P-256"));
  MustHold(key != nullptr, "no key");
  return key;
}

std::string PemOf(X509* certificate, EVP_PKEY* key) {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new(BIO_s_mem()));
  if (key != nullptr) {
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr,
                                  nullptr);
  }
  PEM_write_bio_X509(bio.get(), certificate);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

void Replace(const std::string& path, const std::string& content) {
  const std::string beside = path + ".new";
  std::ofstream(beside) << content;
  std::filesystem::permissions(beside, std::filesystem::perms::owner_read |
                                           std::filesystem::perms::owner_write);
  std::filesystem::rename(beside, path);
}

}  // namespace

struct Authority::Keys {
  Key key = NewKey();
  X509Certificate certificate;
};

Authority::Authority() : keys_(std::make_unique<Keys>()) {
  keys_->certificate = Certify(keys_->key.get(), "Authority of a test", nullptr,
                               absl::Hours(24));
  MustHold(
      X509_sign(keys_->certificate.get(), keys_->key.get(), EVP_sha256()) > 0,
      "not signed");
  Replace(ca_file(), PemOf(keys_->certificate.get(), nullptr));

  auto signing_key = identity::SigningKey::Generate();
  MustHold(signing_key.ok(), "no signing key");
  signing_key_ =
      std::make_unique<identity::SigningKey>(*std::move(signing_key));
  Replace(folder_.File("keys.json"), signing_key_->PublicKeySet());
  std::string roles;
  for (const char* role :
       {"COORDINATOR", "ADMISSIONS", "ACCOUNTANT", "PEDAGOGICAL_DIRECTOR",
        "TRAINER", "TUTOR", "DISABILITY_CONTACT", "LEARNER", "EMPLOYER_CONTACT",
        "READER", "JURY_MEMBER", "CERTIFIER", "FUNDER", "STEERING_READER",
        "AUDITOR", "ADMINISTRATOR"}) {
    CatTo(roles, " allowed_roles: ROLE_", role);
  }
  Replace(identity_file(),
          Cat("issuers { id: \"local\" issuer: \"", kIssuer, "\" audience: \"",
              kAudience,
              "\" jwks_file: \"keys.json\" installation_wide: true"
              " local: true",
              roles, " }\n"));
}

Authority::~Authority() = default;

std::string Authority::Token(const std::vector<std::string>& roles,
                             const std::string& body) const {
  identity::TokenClaims claims;
  claims.roles = roles;
  claims.body = body;
  return TokenOf(std::move(claims));
}

std::string Authority::TokenOf(identity::TokenClaims claims) const {
  if (claims.issuer.empty()) claims.issuer = kIssuer;
  if (claims.audience.empty()) claims.audience = kAudience;
  if (claims.subject.empty()) {
    claims.subject = claims.roles.empty() ? "somebody" : claims.roles.front();
  }
  if (claims.issue_time == absl::Time()) claims.issue_time = absl::Now();
  if (claims.expire_time == absl::Time()) {
    claims.expire_time = claims.issue_time + absl::Hours(1);
  }
  auto token = signing_key_->Sign(claims);
  MustHold(token.ok(), "no token");
  return *std::move(token);
}

rpc::TlsFiles Authority::ServiceCertificate(std::string_view service) {
  return Certificate(std::string(service),
                     {.uris = {rpc::ServiceUri(service)},
                      .hosts = {rpc::ServiceHostName(service), "localhost"}});
}

rpc::TlsFiles Authority::FeedReaderCertificate(std::string_view name) {
  return Certificate(std::string(name),
                     {.uris = {Cat("spiffe://parcours/feed-reader/", name)}});
}

rpc::TlsFiles Authority::Certificate(const std::string& name,
                                     const CertificateText& text) {
  const Key key = NewKey();
  const X509Certificate certificate =
      Certify(key.get(), name, keys_->certificate.get(), text.valid_for);
  std::vector<std::string> names = {"IP:127.0.0.1"};
  for (const std::string& uri : text.uris) names.push_back(Cat("URI:", uri));
  for (const std::string& host : text.hosts) names.push_back(Cat("DNS:", host));
  AddExtension(certificate.get(), keys_->certificate.get(),
               NID_subject_alt_name, absl::StrJoin(names, ","));
  MustHold(X509_sign(certificate.get(), keys_->key.get(), EVP_sha256()) > 0,
           "not signed");
  const std::string path = folder_.File(Cat(name, ".pem"));
  Replace(path, PemOf(certificate.get(), key.get()));
  return {.certificate_file = path, .key_file = path, .ca_file = ca_file()};
}

std::string Authority::CertificateOf(const rpc::TlsFiles& files) {
  std::ifstream file(files.certificate_file);
  const std::string content{std::istreambuf_iterator<char>(file),
                            std::istreambuf_iterator<char>()};
  return content.substr(content.find("-----BEGIN CERTIFICATE"));
}

}  // namespace parcours::testing
