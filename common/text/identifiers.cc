#include "common/text/identifiers.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace parcours::text {
namespace {

constexpr std::string_view kLaPosteSiren = "356000000";
constexpr std::size_t kMaxEmail = 254;
constexpr std::size_t kMaxLocalPart = 64;
constexpr std::size_t kMaxLabel = 63;
// What stands in the words before the @ beside letters and digits.
constexpr std::string_view kAtomSigns = "!#$%&'*+-/=?^_`{|}~";

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

constexpr bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), IsDigit);
}

bool AllZeroes(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

int DigitSum(std::string_view digits) {
  int sum = 0;
  for (char digit : digits) sum += digit - '0';
  return sum;
}

// The Luhn key of ISO/IEC 7812-1.
bool HasLuhnKey(std::string_view digits) {
  int sum = 0;
  bool doubled = false;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    int value = *digit - '0';
    if (doubled) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
    sum += value;
    doubled = !doubled;
  }
  return sum % 10 == 0;
}

// REQUIRES: `text` begins with two digits.
int FirstTwo(std::string_view text) {
  return (text[0] - '0') * 10 + (text[1] - '0');
}

// 01 to 95, with 20 for Corsica as in numbers made of digits alone.
bool IsMainlandDepartment(int number) { return number >= 1 && number <= 95; }

// An overseas territory by its three digits.
bool IsOverseas(std::string_view digits, std::string_view after_98) {
  if (digits.substr(0, 2) == "97") return digits[2] >= '1' && digits[2] <= '8';
  return digits.substr(0, 2) == "98" &&
         after_98.find(digits[2]) != std::string_view::npos;
}

// A word of an unquoted local part (RFC 5321, "Atom").
bool IsAtom(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return IsLetter(c) || IsDigit(c) ||
           kAtomSigns.find(c) != std::string_view::npos;
  });
}

// A label of a domain (RFC 5321, "sub-domain").
bool IsLabel(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLabel && text.front() != '-' &&
         text.back() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsLetter(c) || IsDigit(c) || c == '-';
         });
}

// Whether every part of `text` between dots satisfies `predicate`.
bool PartsAre(std::string_view text, bool (*predicate)(std::string_view)) {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!predicate(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

bool IsSiren(std::string_view text) {
  return text.size() == 9 && AllDigits(text) && !AllZeroes(text) &&
         HasLuhnKey(text);
}

bool IsSiret(std::string_view text) {
  if (text.size() != 14 || !AllDigits(text)) return false;
  const std::string_view siren = text.substr(0, 9);
  if (!IsSiren(siren)) return false;
  return HasLuhnKey(text) ||
         (siren == kLaPosteSiren && DigitSum(text) % 5 == 0);
}

bool IsActivityNumber(std::string_view text) {
  if (text.size() != 11 || !AllDigits(text)) return false;
  if (text.substr(0, 2) == "00") return false;
  const int department = FirstTwo(text.substr(2));
  return IsMainlandDepartment(department) || department == 97 ||
         department == 98;
}

bool IsPostalCode(std::string_view text) {
  if (text.size() != 5 || !AllDigits(text) || AllZeroes(text)) return false;
  const int department = FirstTwo(text);
  return department == 0 || IsMainlandDepartment(department) ||
         IsOverseas(text, "04678");
}

bool IsCommuneCode(std::string_view text) {
  if (text.size() != 5 || !AllDigits(text.substr(2))) return false;
  const std::string_view department = text.substr(0, 2);
  if (department == "2A" || department == "2B") {
    return !AllZeroes(text.substr(2));
  }
  if (!AllDigits(department)) return false;
  if (IsOverseas(text, "46789")) return !AllZeroes(text.substr(3));
  const int number = FirstTwo(text);
  return IsMainlandDepartment(number) && number != 20 &&
         !AllZeroes(text.substr(2));
}

bool IsEmail(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || text.size() > kMaxEmail ||
      at > kMaxLocalPart) {
    return false;
  }
  const std::string_view domain = text.substr(at + 1);
  const std::size_t last_dot = domain.rfind('.');
  return PartsAre(text.substr(0, at), IsAtom) && PartsAre(domain, IsLabel) &&
         last_dot != std::string_view::npos &&
         !AllDigits(domain.substr(last_dot + 1));
}

bool IsPhone(std::string_view text) {
  if (text.size() < 8 || text.size() > 16 || text.front() != '+') return false;
  const std::string_view digits = text.substr(1);
  if (!AllDigits(digits) || digits.front() == '0') return false;
  constexpr std::array<std::string_view, 5> kFrench = {"33", "262", "590",
                                                       "594", "596"};
  for (const std::string_view prefix : kFrench) {
    if (digits.substr(0, prefix.size()) != prefix) continue;
    const std::string_view national = digits.substr(prefix.size());
    return national.size() == 9 && national.front() != '0';
  }
  return true;
}

}  // namespace parcours::text
