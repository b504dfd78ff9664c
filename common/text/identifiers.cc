#include "common/text/identifiers.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace parcours::text {
namespace {

constexpr std::size_t kSiretLength = 14;
constexpr std::size_t kActivityNumberLength = 11;
constexpr std::string_view kLaPosteSiren = "356000000";

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
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

}  // namespace

bool IsSiret(std::string_view text) {
  if (text.size() != kSiretLength || !AllDigits(text)) return false;
  if (DigitSum(text) == 0) return false;
  if (text.substr(0, kLaPosteSiren.size()) == kLaPosteSiren &&
      DigitSum(text) % 5 == 0) {
    return true;
  }
  return HasLuhnKey(text);
}

bool IsActivityNumber(std::string_view text) {
  return text.size() == kActivityNumberLength && AllDigits(text);
}

bool IsEmail(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 ||
      text.find('@', at + 1) != std::string_view::npos || text.size() > 254) {
    return false;
  }
  const std::string_view domain = text.substr(at + 1);
  const std::size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == domain.size() ||
      domain.find("..") != std::string_view::npos) {
    return false;
  }
  return std::none_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isspace(static_cast<unsigned char>(c)) ||
           absl::ascii_iscntrl(static_cast<unsigned char>(c)) || c == '<' ||
           c == '>' || c == ',';
  });
}

bool IsPhone(std::string_view text) {
  if (text.size() < 8 || text.size() > 16 || text.front() != '+') return false;
  return AllDigits(text.substr(1)) && text[1] != '0';
}

}  // namespace parcours::text
