// documents_inspector MEMORY_BYTES CPU_SECONDS
//
// Prints what the file that is open as descriptor 3 is, as one line of JSON:
//   {"kind":"pdf","pages":17,"encrypted":false,"damaged":false,"active":"",
//    "filtered":true}
// Confines itself before it looks at the first byte.

#include <sys/mman.h>
#include <sys/stat.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include "common/documents/confinement.h"
#include "common/documents/pdf_facts.h"
#include "nlohmann/json.hpp"

#if defined(__SANITIZE_ADDRESS__)
// Its search for leaks at the end starts a process, which is not allowed here.
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return 1; }
#endif

namespace {

using parcours::documents::Confinement;
using parcours::documents::FileFacts;

constexpr int kFile = 3;
constexpr int kWrongUse = 2;
constexpr int kNotConfined = 3;
constexpr int kOutOfMemory = 4;

const char* NameOf(FileFacts::Kind kind) {
  switch (kind) {
    case FileFacts::Kind::kPdf:
      return "pdf";
    case FileFacts::Kind::kOffice:
      return "office";
    case FileFacts::Kind::kOther:
      break;
  }
  return "other";
}

}  // namespace

int main(int argc, char** argv) {
  struct stat status {};
  if (argc != 3 || fstat(kFile, &status) != 0) {
    std::cerr << "usage: documents_inspector MEMORY_BYTES CPU_SECONDS 3<FILE\n";
    return kWrongUse;
  }
  const Confinement confinement = parcours::documents::ConfineThisProcess(
      {.memory_bytes = std::strtoll(argv[1], nullptr, 10),
       .cpu_seconds = std::strtoll(argv[2], nullptr, 10)});
  if (confinement == Confinement::kFailed) return kNotConfined;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const bytes =
      size == 0 ? nullptr
                : mmap(nullptr, size, PROT_READ, MAP_PRIVATE, kFile, 0);
  if (bytes == MAP_FAILED) return kOutOfMemory;
  try {
    const FileFacts facts = parcours::documents::FactsOf(
        std::string_view(static_cast<const char*>(bytes), size));
    const nlohmann::json answer = {
        {"kind", NameOf(facts.kind)},
        {"pages", facts.pages},
        {"encrypted", facts.encrypted},
        {"damaged", facts.damaged},
        {"active", facts.active},
        {"filtered", confinement == Confinement::kComplete}};
    std::cout << answer.dump() << '\n' << std::flush;
    return std::cout.good() ? 0 : 1;
  } catch (const std::exception&) {
    return kOutOfMemory;
  }
}
