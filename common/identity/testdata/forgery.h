#ifndef PARCOURS_COMMON_IDENTITY_TESTDATA_FORGERY_H_
#define PARCOURS_COMMON_IDENTITY_TESTDATA_FORGERY_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/identity/jose.h"
#include "nlohmann/json.hpp"

namespace parcours::identity {

// Keys and tokens as an attacker, or a careless issuer, would make them. What
// cannot be made ends the test program.

Jwk NewEcKey(std::string_view kid,
             cjose_jwk_ec_curve curve = CJOSE_JWK_EC_P_256);
// Made once for each size and kid: it takes a while.
const Jwk& RsaKey(std::string_view kid, std::size_t bits = 2048);
// A symmetric key out of any bytes.
Jwk SecretKey(std::string_view bytes);

nlohmann::json PublicPart(const Jwk& key);
nlohmann::json PrivatePart(const Jwk& key);
std::string KeySetOf(const std::vector<nlohmann::json>& keys);

// Signs with the algorithm that `header` names.
std::string SignWith(const Jwk& key, const nlohmann::json& header,
                     std::string_view payload);
// The three parts as they are, encoded and joined.
std::string Assemble(std::string_view header, std::string_view payload,
                     std::string_view signature);

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_TESTDATA_FORGERY_H_
