#include "common/quota/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace parcours::quota {
namespace {

constexpr std::size_t kIpv6NetworkBytes = 8;
constexpr std::string_view kNoAddress = "?";

CountedAddress OfIpv4(const unsigned char* address) {
  if (address[0] == 127) return {.local = true};
  return {.bytes = std::string(reinterpret_cast<const char*>(address), 4)};
}

// Without brackets and without the zone of a link-local address.
std::string_view Bare(std::string_view host) {
  for (const std::string_view open : {"%5B", "%5b", "["}) {
    if (!host.starts_with(open)) continue;
    host.remove_prefix(open.size());
    for (const std::string_view close : {"%5D", "%5d", "]"}) {
      host = host.substr(0, host.find(close));
    }
    break;
  }
  return host.substr(0, host.find('%'));
}

}  // namespace

CountedAddress CountAddress(std::string_view host) {
  if (host.empty() || host.starts_with("unix:") ||
      host.starts_with("unix-abstract:")) {
    return {.local = true};
  }
  host = Bare(host);
  // inet_pton wants a string that ends.
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (host.size() < text.size() && host.find('\0') == std::string_view::npos) {
    std::copy(host.begin(), host.end(), text.begin());
    in_addr ipv4{};
    if (inet_pton(AF_INET, text.data(), &ipv4) == 1) {
      return OfIpv4(reinterpret_cast<const unsigned char*>(&ipv4.s_addr));
    }
    in6_addr ipv6{};
    if (inet_pton(AF_INET6, text.data(), &ipv6) == 1) {
      if (IN6_IS_ADDR_LOOPBACK(&ipv6)) return {.local = true};
      if (IN6_IS_ADDR_V4MAPPED(&ipv6)) return OfIpv4(&ipv6.s6_addr[12]);
      return {.bytes = std::string(reinterpret_cast<const char*>(ipv6.s6_addr),
                                   kIpv6NetworkBytes)};
    }
  }
  return {.bytes = std::string(kNoAddress)};
}

}  // namespace parcours::quota
