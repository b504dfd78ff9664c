#ifndef PARCOURS_COMMON_TEXT_IDENTIFIERS_H_
#define PARCOURS_COMMON_TEXT_IDENTIFIERS_H_

#include <string_view>

namespace parcours::text {

// Identifiers as they are stored: without spaces, in ASCII. None looks anything
// up: a well-formed number may have been given to nobody.

// Whether `text` is a SIREN: 9 digits with a Luhn key (ISO/IEC 7812-1), not all
// of them 0.
bool IsSiren(std::string_view text);

// Whether `text` is a SIRET: a SIREN and 5 digits with a Luhn key over all 14,
// or, for the establishments of La Poste (SIREN 356000000), with digits whose
// sum is a multiple of 5.
bool IsSiret(std::string_view text);

// Whether `text` can be the number of a training activity declaration (numéro
// de déclaration d'activité, C. trav. L6351-1): 11 digits, of which two for the
// region that gave it, two for the department, five that count, and two more
// that nothing public defines. Numbers keep the region of their day, so that
// any but 00 is taken; the department is one that exists, Corsica as 20.
bool IsActivityNumber(std::string_view text);

// Whether `text` is a postal code of France: 5 digits that begin with a
// department (Corsica with 20), an overseas territory or Monaco (971 to 978,
// 980, 984, 986 to 988), or 00 for the armed forces. CEDEX codes are among
// them. Not looked up: most of them are nobody's.
bool IsPostalCode(std::string_view text);

// Whether `text` is the INSEE code of a commune (code officiel géographique):
// department and three digits, Corsica with 2A or 2B; overseas 971 to 978 or
// 984, 986 to 989 and two digits. 20 ended in 1976, and 99 is abroad: neither
// is one.
bool IsCommuneCode(std::string_view text);

// Whether `text` can be an address to write to, in the form that RFC 5321
// (4.1.2) gives it without quotes: at most 254 bytes, of which 64 before the
// one @; a domain of at least two labels, the last not of digits. ASCII alone:
// a domain of other letters stands in its xn-- form.
bool IsEmail(std::string_view text);

// Whether `text` is a phone number in the international form of ITU-T E.164:
// + and 7 to 15 digits, the first not 0. Those of France are +33, or +262,
// +590, +594 or +596 overseas, and nine digits, the first not 0.
bool IsPhone(std::string_view text);

}  // namespace parcours::text

#endif  // PARCOURS_COMMON_TEXT_IDENTIFIERS_H_
