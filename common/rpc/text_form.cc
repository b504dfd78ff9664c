#include "common/rpc/text_form.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "common/rpc/uuid.h"
#include "common/text/identifiers.h"
#include "common/types/resource_name.h"

namespace parcours::rpc {
namespace {

using type::v1::FieldRules;

const icu::Normalizer2& FormC() {
  static const icu::Normalizer2* const form_c = [] {
    UErrorCode error = U_ZERO_ERROR;
    return icu::Normalizer2::getNFCInstance(error);
  }();
  return *form_c;
}

icu::StringPiece Piece(std::string_view text) {
  return {text.data(), static_cast<int32_t>(text.size())};
}

bool IsPrintableAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x20 && c < 0x7F; });
}

// Takes the first character off `text`; nothing when it is not UTF-8.
std::optional<char32_t> TakeCharacter(std::string_view& text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char lead = byte(0);
  std::size_t length;
  char32_t character;
  if (lead < 0x80) {
    length = 1;
    character = lead;
  } else if (lead >= 0xC2 && lead < 0xE0) {
    length = 2;
    character = lead & 0x1FU;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    length = 3;
    character = lead & 0x0FU;
  } else if (lead >= 0xF0 && lead < 0xF5) {
    length = 4;
    character = lead & 0x07U;
  } else {
    return std::nullopt;
  }
  if (text.size() < length) return std::nullopt;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return std::nullopt;
    character = (character << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && character < 0x800) ||
                        (length == 4 && character < 0x10000);
  const bool surrogate = character >= 0xD800 && character < 0xE000;
  if (overlong || surrogate || character > 0x10FFFF) return std::nullopt;
  text.remove_prefix(length);
  return character;
}

bool IsControl(char32_t character) {
  return character < 0x20 || (character >= 0x7F && character < 0xA0);
}

// Beyond the controls; text_form.h says why.
bool IsForbidden(char32_t character) {
  const auto between = [character](char32_t first, char32_t last) {
    return character >= first && character <= last;
  };
  const bool noncharacter =
      (character & 0xFFFE) == 0xFFFE || between(0xFDD0, 0xFDEF);
  return noncharacter || between(0x2028, 0x2029) || between(0x202A, 0x202E) ||
         between(0x2066, 0x2069) || character == 0xFEFF ||
         between(0xFFF9, 0xFFFB) || between(0xE0000, 0xE007F);
}

bool AllOf(std::string_view text, bool (*predicate)(char)) {
  return std::all_of(text.begin(), text.end(), predicate);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A user part, a backslash or letters of another script make a link look like
// another host's.
bool IsHost(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const bool port_is_number =
      colon == std::string_view::npos ||
      (colon + 1 < text.size() && AllOf(text.substr(colon + 1), IsDigit));
  return port_is_number && !name.empty() && name.front() != '.' &&
         AllOf(name, [](char c) {
           return IsDigit(c) || (c >= 'a' && c <= 'z') ||
                  (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
         });
}

bool IsHttpsUrl(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  if (!text.starts_with(kScheme) || text.find(' ') != std::string_view::npos) {
    return false;
  }
  const std::string_view rest = text.substr(kScheme.size());
  return IsHost(rest.substr(0, rest.find_first_of("/?#")));
}

}  // namespace

TextForm ExamineText(std::string_view text, bool multiline) {
  TextForm form;
  if (IsPrintableAscii(text)) {
    form.characters = text.size();
    return form;
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::optional<char32_t> character = TakeCharacter(rest);
    if (!character || IsForbidden(*character)) {
      form.forbidden = true;
      return form;
    }
    if (IsControl(*character)) {
      const bool line_end = *character == '\r' && rest.starts_with('\n');
      if (!multiline ||
          (*character != '\n' && *character != '\t' && !line_end)) {
        form.forbidden = true;
        return form;
      }
      if (line_end) form.normal = false;
    }
    ++form.characters;
  }
  UErrorCode error = U_ZERO_ERROR;
  form.normal = form.normal && FormC().isNormalizedUTF8(Piece(text), error);
  return form;
}

std::string NormaliseText(std::string_view text, bool multiline) {
  std::string lines;
  if (multiline && text.find('\r') != std::string_view::npos) {
    lines.reserve(text.size());
    std::copy_if(text.begin(), text.end(), std::back_inserter(lines),
                 [](char c) { return c != '\r'; });
    text = lines;
  }
  std::string normal;
  icu::StringByteSink<std::string> sink(&normal);
  UErrorCode error = U_ZERO_ERROR;
  FormC().normalizeUTF8(0, Piece(text), sink, nullptr, error);
  return U_SUCCESS(error) ? normal : std::string(text);
}

bool HasForm(std::string_view text, FieldRules::PatternKind form) {
  switch (form) {
    case FieldRules::PATTERN_KIND_UUID:
      return IsUuid(text);
    case FieldRules::PATTERN_KIND_ID:
      return MatchesNamePattern("*", text);
    case FieldRules::PATTERN_KIND_EMAIL:
      return text::IsEmail(text);
    case FieldRules::PATTERN_KIND_PHONE:
      return text::IsPhone(text);
    case FieldRules::PATTERN_KIND_HTTPS_URL:
      return IsHttpsUrl(text);
    case FieldRules::PATTERN_KIND_SHA256:
      return text.size() == 64 && AllOf(text, [](char c) {
               return IsDigit(c) || (c >= 'a' && c <= 'f');
             });
    case FieldRules::PATTERN_KIND_DIGITS:
      return AllOf(text, IsDigit);
    case FieldRules::PATTERN_KIND_COUNTRY:
      return text.size() == 2 &&
             AllOf(text, [](char c) { return c >= 'A' && c <= 'Z'; });
    case FieldRules::PATTERN_KIND_SIRET:
      return text::IsSiret(text);
    case FieldRules::PATTERN_KIND_SIREN:
      return text::IsSiren(text);
    case FieldRules::PATTERN_KIND_ACTIVITY_NUMBER:
      return text::IsActivityNumber(text);
    case FieldRules::PATTERN_KIND_POSTAL_CODE:
      return text::IsPostalCode(text);
    case FieldRules::PATTERN_KIND_COMMUNE:
      return text::IsCommuneCode(text);
    default:
      return true;
  }
}

std::string_view FormName(FieldRules::PatternKind form) {
  switch (form) {
    case FieldRules::PATTERN_KIND_UUID:
      return "a UUID";
    case FieldRules::PATTERN_KIND_ID:
      return "an id of 1 to 63 of a-z, 0-9 and hyphen";
    case FieldRules::PATTERN_KIND_EMAIL:
      return "an e-mail address";
    case FieldRules::PATTERN_KIND_PHONE:
      return "a telephone number such as +33123456789";
    case FieldRules::PATTERN_KIND_HTTPS_URL:
      return "an https URL";
    case FieldRules::PATTERN_KIND_SHA256:
      return "a SHA-256 digest in hexadecimal";
    case FieldRules::PATTERN_KIND_DIGITS:
      return "made of digits";
    case FieldRules::PATTERN_KIND_COUNTRY:
      return "a country code of two letters";
    case FieldRules::PATTERN_KIND_SIRET:
      return "a SIRET of 14 digits";
    case FieldRules::PATTERN_KIND_SIREN:
      return "a SIREN of 9 digits";
    case FieldRules::PATTERN_KIND_ACTIVITY_NUMBER:
      return "a number of 11 digits";
    case FieldRules::PATTERN_KIND_POSTAL_CODE:
      return "a postal code of 5 digits";
    case FieldRules::PATTERN_KIND_COMMUNE:
      return "an INSEE code of a commune";
    default:
      return "text";
  }
}

bool LooksLikeName(std::string_view text) {
  const std::vector<std::string_view> segments = NameSegments(text);
  return segments.size() % 2 == 0 &&
         std::all_of(
             segments.begin(), segments.end(), [](std::string_view segment) {
               return !segment.empty() && segment.size() <= 63 &&
                      AllOf(segment, [](char c) {
                        return IsDigit(c) || c == '-' ||
                               (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                      });
             });
}

}  // namespace parcours::rpc
