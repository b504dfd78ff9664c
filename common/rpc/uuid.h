#ifndef PARCOURS_COMMON_RPC_UUID_H_
#define PARCOURS_COMMON_RPC_UUID_H_

#include <cstddef>
#include <string_view>

namespace parcours::rpc {

// Whether `text` is a UUID in its 36-character form, in either case.
constexpr bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return false;
    } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
                 (c >= 'A' && c <= 'F'))) {
      return false;
    }
  }
  return true;
}

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_UUID_H_
