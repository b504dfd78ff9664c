#include "common/identity/token_signer.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "common/identity/strict_json.h"
#include "common/status/macros.h"
#include "common/text/view.h"
#include "nlohmann/json.hpp"

namespace parcours::identity {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxKeyFileBytes = 64 << 10;

absl::Status JoseError(const cjose_err& error) {
  return absl::InternalError(Cat("cjose: ", error.message));
}

absl::Status FileError(const std::string& path) {
  return absl::FailedPreconditionError(Cat(path, ": ", std::strerror(errno)));
}

absl::StatusOr<json> PartsOf(const cjose_jwk_t* key, bool with_private) {
  cjose_err error;
  const JoseText text(cjose_jwk_to_json(key, with_private, &error));
  if (text == nullptr) return JoseError(error);
  auto parsed = ParseStrictObject(text.get());
  if (!parsed.has_value()) return absl::InternalError("cjose: no JSON");
  return *std::move(parsed);
}

// RFC 7638, 3: SHA-256 of the required members, in this order.
std::string Thumbprint(const json& key) {
  const std::string text =
      Cat(R"({"crv":)", key["crv"].dump(), R"(,"kty":)", key["kty"].dump(),
          R"(,"x":)", key["x"].dump(), R"(,"y":)", key["y"].dump(), "}");
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256(digest.data(),
                     reinterpret_cast<const unsigned char*>(text.data()),
                     text.size());
  return absl::WebSafeBase64Escape(absl::string_view(
      reinterpret_cast<const char*>(digest.data()), digest.size()));
}

// Writes a file beside `path`, of that mode, and makes it durable. Its name.
absl::StatusOr<std::string> WriteBeside(const std::string& path, mode_t mode,
                                        std::string_view content) {
  std::string beside = Cat(path, ".", getpid(), ".new");
  unlink(beside.c_str());
  const int file =
      open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return FileError(beside);
  const absl::Cleanup close_file = [file] { close(file); };
  if (write(file, content.data(), content.size()) !=
          static_cast<ssize_t>(content.size()) ||
      fsync(file) != 0) {
    absl::Status failed = FileError(beside);
    unlink(beside.c_str());
    return failed;
  }
  return beside;
}

}  // namespace

absl::StatusOr<SigningKey> SigningKey::Generate() {
  cjose_err error;
  Jwk key(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error));
  if (key == nullptr) return JoseError(error);
  ASSIGN_OR_RETURN(const json parts, PartsOf(key.get(), false));
  std::string kid = Thumbprint(parts);
  if (!cjose_jwk_set_kid(key.get(), kid.data(), kid.size(), &error)) {
    return JoseError(error);
  }
  return SigningKey(std::move(key), std::move(kid));
}

absl::StatusOr<SigningKey> SigningKey::Parse(std::string_view jwk) {
  const auto parts = ParseStrictObject(jwk);
  if (!parts.has_value() || parts->value("kty", "") != "EC" ||
      parts->value("crv", "") != "P-256" || !parts->contains("d")) {
    return absl::InvalidArgumentError("not a private JWK on P-256");
  }
  cjose_err error;
  Jwk key(cjose_jwk_import(jwk.data(), jwk.size(), &error));
  const char* const kid =
      key == nullptr ? nullptr : cjose_jwk_get_kid(key.get(), &error);
  if (kid == nullptr || *kid == '\0') {
    return absl::InvalidArgumentError("not a private JWK with a kid");
  }
  std::string name = kid;
  return SigningKey(std::move(key), std::move(name));
}

absl::StatusOr<SigningKey> SigningKey::Load(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return FileError(path);
  const absl::Cleanup close_file = [file] { close(file); };
  struct stat status;
  if (fstat(file, &status) != 0) return FileError(path);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return absl::FailedPreconditionError(
        Cat(path, ": others than its owner may read it; its mode must be 600"));
  }
  std::string text(kMaxKeyFileBytes, '\0');
  const ssize_t count = read(file, text.data(), text.size());
  if (count < 0) return FileError(path);
  text.resize(static_cast<std::size_t>(count));
  auto key = Parse(text);
  if (key.ok()) return key;
  return absl::FailedPreconditionError(Cat(path, ": ", key.status().message()));
}

std::string SigningKey::PrivateJwk() const {
  const auto parts = PartsOf(key_.get(), true);
  if (!parts.ok()) return "";
  return parts->dump();
}

std::string SigningKey::PublicKeySet() const {
  auto parts = PartsOf(key_.get(), false);
  if (!parts.ok()) return "";
  (*parts)["use"] = "sig";
  (*parts)["alg"] = CJOSE_HDR_ALG_ES256;
  const json set = {{"keys", json::array({*parts})}};
  return set.dump(2);
}

absl::StatusOr<std::string> SigningKey::SignPayload(
    std::string_view payload) const {
  cjose_err error;
  const JwsHeader header(cjose_header_new(&error));
  if (header == nullptr ||
      !cjose_header_set(header.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_ES256,
                        &error) ||
      !cjose_header_set(header.get(), CJOSE_HDR_KID, kid_.c_str(), &error) ||
      !cjose_header_set(header.get(), "typ", "JWT", &error)) {
    return JoseError(error);
  }
  const Jws jws(cjose_jws_sign(key_.get(), header.get(),
                               reinterpret_cast<const uint8_t*>(payload.data()),
                               payload.size(), &error));
  const char* compact = nullptr;
  if (jws == nullptr || !cjose_jws_export(jws.get(), &compact, &error)) {
    return JoseError(error);
  }
  return std::string(compact);
}

absl::StatusOr<std::string> SigningKey::Sign(const TokenClaims& claims) const {
  json payload = {{"iss", claims.issuer},
                  {"aud", claims.audience},
                  {"sub", claims.subject},
                  {"iat", absl::ToUnixSeconds(claims.issue_time)},
                  {"exp", absl::ToUnixSeconds(claims.expire_time)}};
  if (!claims.roles.empty()) payload["parcours_roles"] = claims.roles;
  const auto add = [&payload](const char* name, const std::string& value) {
    if (!value.empty()) payload[name] = value;
  };
  add("parcours_body", claims.body);
  add("parcours_person", claims.person);
  add("parcours_organisation", claims.organisation);
  add("parcours_funder", claims.funder);
  if (claims.client.has_value()) {
    payload["parcours_client"] = claims.client->name;
    payload["parcours_calls_per_minute"] = claims.client->calls_per_minute;
  }
  return SignPayload(
      payload.dump(-1, ' ', false, json::error_handler_t::replace));
}

absl::Status WriteNewKey(const std::string& key_path,
                         const std::string& set_path) {
  ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Generate());
  ASSIGN_OR_RETURN(const std::string set,
                   WriteBeside(set_path, 0644, Cat(key.PublicKeySet(), "\n")));
  const auto secret = WriteBeside(key_path, 0600, Cat(key.PrivateJwk(), "\n"));
  absl::Status status = secret.status();
  // A link, unlike a rename, leaves alone what is there.
  if (status.ok() && link(secret->c_str(), key_path.c_str()) != 0) {
    status = errno == EEXIST
                 ? absl::AlreadyExistsError(Cat(key_path, " exists already"))
                 : FileError(key_path);
  }
  if (secret.ok()) unlink(secret->c_str());
  if (status.ok() && std::rename(set.c_str(), set_path.c_str()) != 0) {
    status = FileError(set_path);
  }
  if (!status.ok()) unlink(set.c_str());
  return status;
}

absl::StatusOr<SigningKey> OpenOrMakeKey(const std::string& key_path,
                                         const std::string& set_path) {
  if (!std::filesystem::exists(key_path)) {
    const absl::Status made = WriteNewKey(key_path, set_path);
    // Another process may have come first: then its key is the key.
    if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  }
  ASSIGN_OR_RETURN(SigningKey key, SigningKey::Load(key_path));
  const std::string set = Cat(key.PublicKeySet(), "\n");
  std::ifstream file(set_path, std::ios::binary);
  if (std::string{std::istreambuf_iterator<char>(file), {}} == set) return key;
  ASSIGN_OR_RETURN(const std::string beside, WriteBeside(set_path, 0644, set));
  if (std::rename(beside.c_str(), set_path.c_str()) != 0) {
    absl::Status failed = FileError(set_path);
    unlink(beside.c_str());
    return failed;
  }
  return key;
}

}  // namespace parcours::identity
