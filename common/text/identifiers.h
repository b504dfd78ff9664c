#ifndef PARCOURS_COMMON_TEXT_IDENTIFIERS_H_
#define PARCOURS_COMMON_TEXT_IDENTIFIERS_H_

#include <string_view>

namespace parcours::text {

// Whether `text` is a SIRET: 14 digits with a Luhn key (ISO/IEC 7812-1), or,
// for the establishments of La Poste (SIREN 356000000), digits whose sum is a
// multiple of 5.
bool IsSiret(std::string_view text);

// Whether `text` is the number of a training activity declaration (numéro de
// déclaration d'activité): 11 digits.
bool IsActivityNumber(std::string_view text);

// Whether `text` can be an address to write to: one @ between a local part and
// a domain with a dot, without spaces, at most 254 bytes (RFC 5321).
bool IsEmail(std::string_view text);

// Whether `text` is a phone number in the international form of E.164.
bool IsPhone(std::string_view text);

}  // namespace parcours::text

#endif  // PARCOURS_COMMON_TEXT_IDENTIFIERS_H_
