#include "common/identity/testdata/forgery.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "common/text/view.h"

namespace parcours::identity {
namespace {

[[noreturn]] void Die(const cjose_err& error) {
  std::fprintf(stderr, "cjose: %s\n", error.message);
  std::abort();
}

Jwk Named(Jwk key, std::string_view kid, cjose_err& error) {
  if (key == nullptr ||
      (!kid.empty() &&
       !cjose_jwk_set_kid(key.get(), kid.data(), kid.size(), &error))) {
    Die(error);
  }
  return key;
}

nlohmann::json Part(const Jwk& key, bool with_private) {
  cjose_err error;
  const JoseText text(cjose_jwk_to_json(key.get(), with_private, &error));
  if (text == nullptr) Die(error);
  return nlohmann::json::parse(text.get());
}

}  // namespace

Jwk NewEcKey(std::string_view kid, cjose_jwk_ec_curve curve) {
  cjose_err error;
  return Named(Jwk(cjose_jwk_create_EC_random(curve, &error)), kid, error);
}

const Jwk& RsaKey(std::string_view kid, std::size_t bits) {
  static auto& keys = *new std::map<std::pair<std::string, std::size_t>, Jwk>;
  Jwk& key = keys[{std::string(kid), bits}];
  if (key == nullptr) {
    constexpr uint8_t kExponent[] = {1, 0, 1};
    cjose_err error;
    key = Named(Jwk(cjose_jwk_create_RSA_random(bits, kExponent,
                                                sizeof(kExponent), &error)),
                kid, error);
  }
  return key;
}

Jwk SecretKey(std::string_view bytes) {
  cjose_err error;
  return Named(Jwk(cjose_jwk_create_oct_spec(
                   reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(),
                   &error)),
               "", error);
}

nlohmann::json PublicPart(const Jwk& key) { return Part(key, false); }
nlohmann::json PrivatePart(const Jwk& key) { return Part(key, true); }

std::string KeySetOf(const std::vector<nlohmann::json>& keys) {
  const nlohmann::json set = {{"keys", keys}};
  return set.dump();
}

std::string SignWith(const Jwk& key, const nlohmann::json& header,
                     std::string_view payload) {
  cjose_err error;
  const JwsHeader made(cjose_header_new(&error));
  for (const auto& [name, value] : header.items()) {
    const bool set =
        value.is_string()
            ? cjose_header_set(made.get(), name.c_str(),
                               value.get<std::string>().c_str(), &error)
            : cjose_header_set_raw(made.get(), name.c_str(),
                                   value.dump().c_str(), &error);
    if (!set) Die(error);
  }
  const Jws jws(cjose_jws_sign(key.get(), made.get(),
                               reinterpret_cast<const uint8_t*>(payload.data()),
                               payload.size(), &error));
  const char* compact = nullptr;
  if (jws == nullptr || !cjose_jws_export(jws.get(), &compact, &error)) {
    Die(error);
  }
  return compact;
}

std::string Assemble(std::string_view header, std::string_view payload,
                     std::string_view signature) {
  return Cat(absl::WebSafeBase64Escape(AbslView(header)), ".",
             absl::WebSafeBase64Escape(AbslView(payload)), ".",
             absl::WebSafeBase64Escape(AbslView(signature)));
}

}  // namespace parcours::identity
