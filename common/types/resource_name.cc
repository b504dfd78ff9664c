#include "common/types/resource_name.h"

#include <sodium.h>

#include <array>
#include <cstdint>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "common/status/error.h"
#include "common/text/view.h"

namespace parcours {
namespace {

constexpr std::size_t kMaxIdLength = 63;

bool IsId(std::string_view segment) {
  if (segment.empty() || segment.size() > kMaxIdLength) return false;
  if (segment.front() == '-' || segment.back() == '-') return false;
  return std::all_of(segment.begin(), segment.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
  });
}

}  // namespace

std::vector<std::string_view> NameSegments(std::string_view name) {
  // Of a view of nothing at all, StrSplit makes no part instead of an empty
  // one.
  if (name.empty()) return {name};
  std::vector<std::string_view> segments;
  for (const absl::string_view segment : absl::StrSplit(AbslView(name), '/')) {
    segments.push_back(StdView(segment));
  }
  return segments;
}

std::string FirstSegments(std::string_view name, std::size_t count) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t slash = name.find('/', from);
    if (slash == std::string_view::npos) return std::string(name);
    from = slash + 1;
  }
  return std::string(name.substr(0, from == 0 ? 0 : from - 1));
}

bool MatchesNamePattern(std::string_view pattern, std::string_view name) {
  const std::vector<std::string_view> expected = NameSegments(pattern);
  const std::vector<std::string_view> segments = NameSegments(name);
  if (expected.size() != segments.size()) return false;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool matches =
        expected[i] == "*" ? IsId(segments[i]) : expected[i] == segments[i];
    if (!matches) return false;
  }
  return true;
}

absl::Status MalformedName(std::string_view field, std::string_view pattern) {
  return MakeFieldError(field, Reason::kFieldMalformed,
                        {{"expected", Cat("a name ", pattern)}});
}

std::string NewUuidV7(absl::Time now) {
  // The 12 bits after the version count the ids of one millisecond, so that
  // ids of one process sort as they were made (RFC 9562, 6.2, method 1).
  static std::mutex mutex;
  static int64_t last_millisecond = 0;
  static uint32_t counter = 0;
  std::array<unsigned char, 16> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  {
    const std::lock_guard<std::mutex> lock(mutex);
    const int64_t millisecond = absl::ToUnixMillis(now);
    if (millisecond > last_millisecond) {
      last_millisecond = millisecond;
      counter = 0;
    } else if (++counter > 0xFFF) {
      ++last_millisecond;
      counter = 0;
    }
    for (std::size_t i = 0; i < 6; ++i) {
      bytes[i] =
          static_cast<unsigned char>(last_millisecond >> (8 * (5 - i)) & 0xFF);
    }
    bytes[6] = static_cast<unsigned char>(0x70 | (counter >> 8));
    bytes[7] = static_cast<unsigned char>(counter & 0xFF);
  }
  bytes[8] = static_cast<unsigned char>(0x80 | (bytes[8] & 0x3F));
  const std::string hex = absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-",
                      hex.substr(12, 4), "-", hex.substr(16, 4), "-",
                      hex.substr(20));
}

}  // namespace parcours
