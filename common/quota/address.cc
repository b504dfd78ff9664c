#include "common/quota/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>

namespace parcours::quota {
namespace {

constexpr std::size_t kIpv6NetworkBytes = 8;
constexpr std::string_view kNoAddress = "?";

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

// All sixteen bytes of an address, IPv4 as mapped; nothing for anything else.
std::optional<std::array<unsigned char, 16>> BytesOf(std::string_view host) {
  host = Bare(host);
  // inet_pton wants a string that ends.
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (host.size() >= text.size() || host.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::copy(host.begin(), host.end(), text.begin());
  std::array<unsigned char, 16> bytes{};
  in_addr ipv4{};
  if (inet_pton(AF_INET, text.data(), &ipv4) == 1) {
    bytes[10] = bytes[11] = 0xFF;
    std::memcpy(&bytes[12], &ipv4, sizeof(ipv4));
    return bytes;
  }
  if (inet_pton(AF_INET6, text.data(), bytes.data()) == 1) return bytes;
  return std::nullopt;
}

bool IsMapped(const std::array<unsigned char, 16>& bytes) {
  return std::all_of(bytes.begin(), bytes.begin() + 10,
                     [](unsigned char byte) { return byte == 0; }) &&
         bytes[10] == 0xFF && bytes[11] == 0xFF;
}

bool IsLoopback(const std::array<unsigned char, 16>& bytes) {
  constexpr std::array<unsigned char, 16> kLoopback = {0, 0, 0, 0, 0, 0, 0, 0,
                                                       0, 0, 0, 0, 0, 0, 0, 1};
  return bytes == kLoopback || (IsMapped(bytes) && bytes[12] == 127);
}

// As gRPC names what has no host, with or without a path.
bool IsSocket(std::string_view host) {
  const std::string_view kind = host.substr(0, host.find(':'));
  return host.empty() || kind == "unix" || kind == "unix-abstract" ||
         host == "inproc";
}

std::string Text(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

CountedAddress CountAddress(std::string_view host) {
  if (IsSocket(host)) return {.local = true};
  const auto bytes = BytesOf(host);
  if (!bytes.has_value()) return {.bytes = std::string(kNoAddress)};
  if (IsLoopback(*bytes)) return {.local = true};
  if (IsMapped(*bytes)) return {.bytes = Text(&(*bytes)[12], 4)};
  return {.bytes = Text(bytes->data(), kIpv6NetworkBytes)};
}

bool IsAddress(std::string_view text) { return BytesOf(text).has_value(); }

std::string_view CallerAddress(std::string_view peer_host,
                               std::string_view forwarded,
                               const std::vector<std::string>& proxies) {
  if (proxies.empty() || forwarded.empty()) return peer_host;
  const auto peer = BytesOf(peer_host);
  const bool local = IsSocket(peer_host) || (peer && IsLoopback(*peer));
  const bool trusted = std::any_of(
      proxies.begin(), proxies.end(), [&](const std::string& proxy) {
        if (proxy == "loopback") return local;
        return peer.has_value() && BytesOf(proxy) == peer;
      });
  if (!trusted) return peer_host;
  std::string_view last = forwarded.substr(forwarded.rfind(',') + 1);
  const std::size_t start = last.find_first_not_of(" \t");
  if (start == std::string_view::npos) return peer_host;
  last = last.substr(start, last.find_last_not_of(" \t") + 1 - start);
  return last;
}

}  // namespace parcours::quota
