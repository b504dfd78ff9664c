#ifndef PARCOURS_COMMON_TYPES_SEEDED_STREAM_H_
#define PARCOURS_COMMON_TYPES_SEEDED_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace parcours {

// Numbers that look random and are the same for the same seed and number of
// stream, on every machine (SplitMix64). For made-up data, never for secrets.
class SeededStream {
 public:
  explicit SeededStream(uint64_t seed, uint64_t stream = 0)
      : state_(Mix(seed ^ Mix(stream + kStep))) {}

  uint64_t Next() { return Mix(state_ += kStep); }

  // From 0 until before `bound`. REQUIRES: `bound` > 0.
  int64_t Below(int64_t bound) {
    return static_cast<int64_t>(Next() % static_cast<uint64_t>(bound));
  }

  // True in `percent` of 100 cases.
  bool Chance(int64_t percent) { return Below(100) < percent; }

  // Any of `list`. REQUIRES: it is not empty.
  template <typename List>
  const auto& OneOf(const List& list) {
    return list[static_cast<std::size_t>(
        Below(static_cast<int64_t>(std::size(list))))];
  }

  // In the form of a UUID of version 7 that was made at `time`.
  std::string Uuid(absl::Time time) {
    const auto millisecond = static_cast<uint64_t>(absl::ToUnixMillis(time));
    const uint64_t high = Next();
    const uint64_t low = Next();
    return absl::StrFormat("%08x-%04x-7%03x-%04x-%012x", millisecond >> 16,
                           millisecond & 0xFFFF, high & 0xFFF,
                           0x8000 | (high >> 12 & 0x3FFF), low >> 16);
  }

 private:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15;

  static uint64_t Mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace parcours

#endif  // PARCOURS_COMMON_TYPES_SEEDED_STREAM_H_
