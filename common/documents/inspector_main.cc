// documents_inspector PATH MEMORY_BYTES CPU_SECONDS
//
// Prints what the file is, as one line of JSON:
//   {"kind":"pdf","pages":17,"encrypted":false,"damaged":false,
//    "has_javascript":false}
// Puts its limits upon itself before it opens the file.

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "nlohmann/json.hpp"
#include "qpdf/QPDF.hh"
#include "qpdf/QPDFExc.hh"
#include "qpdf/QPDFObjectHandle.hh"

namespace {

// Deeper nesting is no document that people write.
constexpr int kMaximumDepth = 64;

bool Limit(__rlimit_resource resource, rlim_t value) {
  const rlimit limit{.rlim_cur = value, .rlim_max = value};
  return setrlimit(resource, &limit) == 0;
}

bool LimitMyself(const char* memory_bytes, const char* cpu_seconds) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  // The sanitizers reserve terabytes of addresses.
  (void)memory_bytes;
#else
  if (!Limit(RLIMIT_AS, std::strtoull(memory_bytes, nullptr, 10))) return false;
#endif
  return Limit(RLIMIT_CPU, std::strtoull(cpu_seconds, nullptr, 10)) &&
         Limit(RLIMIT_CORE, 0) && Limit(RLIMIT_FSIZE, 0) &&
         prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

// Whether `object` is or directly holds an action that runs a script or a
// program (ISO 32000-1, 12.6.4).
bool HoldsScript(QPDFObjectHandle object, int depth) {
  if (depth > kMaximumDepth) return true;
  if (object.isArray()) {
    for (QPDFObjectHandle item : object.getArrayAsVector()) {
      if (!item.isIndirect() && HoldsScript(item, depth + 1)) return true;
    }
    return false;
  }
  if (object.isStream()) object = object.getDict();
  if (!object.isDictionary()) return false;
  if (object.hasKey("/JS") || object.hasKey("/JavaScript")) return true;
  QPDFObjectHandle action = object.getKey("/S");
  if (action.isNameAndEquals("/JavaScript") ||
      action.isNameAndEquals("/Launch")) {
    return true;
  }
  for (auto& [key, value] : object.getDictAsMap()) {
    if (!value.isIndirect() && HoldsScript(value, depth + 1)) return true;
  }
  return false;
}

// The header may be preceded by other bytes, within the first kilobyte
// (ISO 32000-1, annex H, 3.4.1).
bool IsPdf(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string start(1024, '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(file.gcount()));
  return start.find("%PDF-") != std::string::npos;
}

nlohmann::json Facts(const char* path) {
  nlohmann::json facts = {{"kind", "unknown"},
                          {"pages", 0},
                          {"encrypted", false},
                          {"damaged", false},
                          {"has_javascript", false}};
  if (!IsPdf(path)) return facts;
  facts["kind"] = "pdf";
  try {
    QPDF pdf;
    pdf.setSuppressWarnings(true);
    pdf.processFile(path);
    facts["encrypted"] = pdf.isEncrypted();
    facts["pages"] = pdf.getAllPages().size();
    for (const QPDFObjectHandle& object : pdf.getAllObjects()) {
      if (HoldsScript(object, 0)) {
        facts["has_javascript"] = true;
        break;
      }
    }
  } catch (const QPDFExc& error) {
    if (error.getErrorCode() == qpdf_e_password) {
      facts["encrypted"] = true;
    } else {
      facts["damaged"] = true;
    }
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    facts["damaged"] = true;
  }
  return facts;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: documents_inspector PATH MEMORY_BYTES CPU_SECONDS\n";
    return 2;
  }
  if (!LimitMyself(argv[2], argv[3])) return 3;
  try {
    std::cout << Facts(argv[1]).dump() << '\n' << std::flush;
    return std::cout.good() ? 0 : 1;
  } catch (const std::exception&) {
    return 4;
  }
}
