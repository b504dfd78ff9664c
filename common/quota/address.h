#ifndef PARCOURS_COMMON_QUOTA_ADDRESS_H_
#define PARCOURS_COMMON_QUOTA_ADDRESS_H_

#include <string>
#include <string_view>

namespace parcours::quota {

// What counts as one address.
struct CountedAddress {
  // This very machine: loopback, a Unix socket, or nothing said.
  bool local = false;
  // The bytes that are counted: all four of IPv4, also where it is mapped into
  // IPv6; the network of 64 bits of IPv6, which one subscriber has to itself.
  // Empty when `local`. What is no address is counted as one and the same.
  std::string bytes;
};

// `host` is the host part of a peer: "192.0.2.7", "2001:db8::1", with or
// without brackets, percent-encoded or not.
CountedAddress CountAddress(std::string_view host);

}  // namespace parcours::quota

#endif  // PARCOURS_COMMON_QUOTA_ADDRESS_H_
