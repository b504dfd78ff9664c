#ifndef PARCOURS_CLIENTS_CLI_DEMO_RANDOM_H_
#define PARCOURS_CLIENTS_CLI_DEMO_RANDOM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace parcours::cli::demo {

// Chance that a seed decides: the same seed gives the same numbers on every
// platform, which the distributions of <random> do not promise. xoshiro256**
// (Blackman and Vigna) seeded by splitmix64. Not thread-safe, and nothing that
// must not be guessed may come from it.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t Next();

  // A uniform number below `bound`, which is not 0.
  std::uint64_t Below(std::uint64_t bound);

  // A uniform index of a container with `size` elements, which is not 0.
  std::size_t Index(std::size_t size) {
    return static_cast<std::size_t>(Below(size));
  }

  // True `percent` times in a hundred.
  bool Chance(int percent) {
    return Below(100) < static_cast<std::uint64_t>(percent);
  }

  // A random order (Fisher and Yates).
  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[Index(i)]);
    }
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace parcours::cli::demo

#endif  // PARCOURS_CLIENTS_CLI_DEMO_RANDOM_H_
