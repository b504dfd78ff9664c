#ifndef PARCOURS_TESTS_FUZZ_TARGET_H_
#define PARCOURS_TESTS_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace parcours::fuzz {

// One thing that parses what comes from outside, under its name. A target must
// survive any input, and aborts when something that always holds does not.
struct Target {
  const char* name;
  void (*run)(std::string_view input);
};

// All targets that are linked.
std::vector<Target>& Targets();

struct Registration {
  explicit Registration(Target target) { Targets().push_back(target); }
};

// Takes a part off the front of an input, for targets with several.
inline unsigned TakeByte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return byte;
}
// What stands before the next line feed, and takes that, too.
inline std::string_view TakeLine(std::string_view& input) {
  const std::size_t end = input.find('\n');
  const std::string_view line = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return line;
}

}  // namespace parcours::fuzz

// PARCOURS_FUZZ_TARGET(page_token) { ...uses `input`... }
#define PARCOURS_FUZZ_TARGET(name)                                 \
  static void Fuzz_##name(std::string_view input);                 \
  static const ::parcours::fuzz::Registration registration_##name( \
      {#name, Fuzz_##name});                                       \
  static void Fuzz_##name(std::string_view input)

// What always holds.
#define PARCOURS_FUZZ_CHECK(condition)                                       \
  do {                                                                       \
    if (!(condition)) {                                                      \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
                   #condition);                                              \
      std::abort();                                                          \
    }                                                                        \
  } while (false)

// What libFuzzer calls, and the replay of the corpus as well.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data,
                                      std::size_t size);

#endif  // PARCOURS_TESTS_FUZZ_TARGET_H_
