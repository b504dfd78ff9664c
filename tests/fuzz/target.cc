#include "tests/fuzz/target.h"

namespace parcours::fuzz {

std::vector<Target>& Targets() {
  static auto& targets = *new std::vector<Target>;
  return targets;
}

}  // namespace parcours::fuzz

// Under libFuzzer one target is linked.
int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  for (const parcours::fuzz::Target& target : parcours::fuzz::Targets()) {
    target.run({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}
