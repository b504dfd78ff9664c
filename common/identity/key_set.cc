#include "common/identity/key_set.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "common/identity/strict_json.h"

namespace parcours::identity {
namespace {

constexpr std::size_t kMaxKeys = 100;
constexpr std::size_t kMaxKidBytes = 255;
// NIST SP 800-57 part 1: 112 bits of security; above, verifying costs too much.
constexpr std::size_t kMinRsaBytes = 2048 / 8;
constexpr std::size_t kMaxRsaBytes = 8192 / 8;
// RFC 7518, 3.4: R and S, 32 bytes each.
constexpr std::size_t kEs256SignatureBytes = 64;

// The member as text; empty when it is missing or no text.
std::string TextOf(const nlohmann::json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>()
                                                     : "";
}

// Whether the key may verify signatures (RFC 7517, 4.2 and 4.3).
bool IsForSignatures(const nlohmann::json& jwk) {
  if (jwk.contains("use") && TextOf(jwk, "use") != "sig") return false;
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return true;
  return operations->is_array() &&
         std::find(operations->begin(), operations->end(), "verify") !=
             operations->end();
}

}  // namespace

std::shared_ptr<const VerificationKey> VerificationKey::Import(
    const nlohmann::json& jwk) {
  auto key = std::shared_ptr<VerificationKey>(new VerificationKey);
  const std::string type = TextOf(jwk, "kty");
  if (type == "RSA") {
    const auto modulus = DecodeBase64Url(TextOf(jwk, "n"));
    if (!modulus.has_value()) return nullptr;
    key->algorithm_ = CJOSE_HDR_ALG_RS256;
    // Leading zeros are not part of a Base64urlUInt (RFC 7518, 2).
    key->signature_bytes_ = modulus->size();
    if (modulus->empty() || modulus->front() == '\0' ||
        modulus->size() < kMinRsaBytes || modulus->size() > kMaxRsaBytes) {
      return nullptr;
    }
  } else if (type == "EC") {
    if (TextOf(jwk, "crv") != "P-256") return nullptr;
    key->algorithm_ = CJOSE_HDR_ALG_ES256;
    key->signature_bytes_ = kEs256SignatureBytes;
  } else {
    return nullptr;
  }
  if (jwk.contains("alg") && TextOf(jwk, "alg") != key->algorithm_) {
    return nullptr;
  }
  key->kid_ = TextOf(jwk, "kid");
  if (key->kid_.empty() || key->kid_.size() > kMaxKidBytes ||
      !IsForSignatures(jwk)) {
    return nullptr;
  }
  const std::string text = jwk.dump();
  cjose_err error;
  key->key_.reset(cjose_jwk_import(text.data(), text.size(), &error));
  if (key->key_ == nullptr) return nullptr;
  const JoseText public_part(
      cjose_jwk_to_json(key->key_.get(), /*priv=*/false, &error));
  if (public_part == nullptr) return nullptr;
  key->public_part_ = public_part.get();
  return key;
}

std::optional<std::string> VerificationKey::Verify(
    std::string_view compact, std::size_t signature_bytes) const {
  // cjose takes the halves of whatever length there is.
  if (signature_bytes != signature_bytes_) return std::nullopt;
  cjose_err error;
  const Jws jws(cjose_jws_import(compact.data(), compact.size(), &error));
  if (jws == nullptr || !cjose_jws_verify(jws.get(), key_.get(), &error)) {
    return std::nullopt;
  }
  uint8_t* bytes = nullptr;
  std::size_t size = 0;
  if (!cjose_jws_get_plaintext(jws.get(), &bytes, &size, &error)) {
    return std::nullopt;
  }
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

absl::StatusOr<KeySet> KeySet::Parse(std::string_view json) {
  const auto parsed = ParseStrictObject(json);
  const auto keys = parsed.has_value() ? parsed->find("keys")
                                       : nlohmann::json::const_iterator();
  if (!parsed.has_value() || keys == parsed->end() || !keys->is_array()) {
    return absl::InvalidArgumentError("not a JWK Set");
  }
  if (keys->size() > kMaxKeys) {
    return absl::InvalidArgumentError("more than 100 keys");
  }
  KeySet set;
  for (const nlohmann::json& jwk : *keys) {
    if (!jwk.is_object()) return absl::InvalidArgumentError("not a JWK Set");
    if (jwk.contains("d")) {
      return absl::InvalidArgumentError("it holds a private key");
    }
    auto key = VerificationKey::Import(jwk);
    if (key == nullptr) continue;
    const std::string kid = key->kid();
    if (!set.keys_.emplace(kid, std::move(key)).second) {
      return absl::InvalidArgumentError("two keys have the same kid");
    }
  }
  if (set.keys_.empty()) {
    return absl::InvalidArgumentError(
        "no key in it can be used: a public key for RS256 or ES256 with a kid");
  }
  return set;
}

std::shared_ptr<const VerificationKey> KeySet::Find(
    std::string_view kid) const {
  const auto found = keys_.find(kid);
  return found == keys_.end() ? nullptr : found->second;
}

}  // namespace parcours::identity
