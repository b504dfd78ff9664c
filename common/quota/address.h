#ifndef PARCOURS_COMMON_QUOTA_ADDRESS_H_
#define PARCOURS_COMMON_QUOTA_ADDRESS_H_

#include <string>
#include <string_view>
#include <vector>

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

// Whether `text` is an IP address.
bool IsAddress(std::string_view text);

// The address that a call counts for: its peer's; or, where the peer is one of
// `proxies`, the last one in `forwarded`, its X-Forwarded-For, which is what
// that proxy added: whatever stands before it, the client may have written.
// `proxies` are addresses, "loopback" for this machine. A proxy that forwards
// nothing counts for itself.
std::string_view CallerAddress(std::string_view peer_host,
                               std::string_view forwarded,
                               const std::vector<std::string>& proxies);

}  // namespace parcours::quota

#endif  // PARCOURS_COMMON_QUOTA_ADDRESS_H_
