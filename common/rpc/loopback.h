#ifndef PARCOURS_COMMON_RPC_LOOPBACK_H_
#define PARCOURS_COMMON_RPC_LOOPBACK_H_

#include <string_view>

namespace parcours::rpc {

// Whether what is sent to "host:port" or "unix:/path" stays on this machine:
// 127.0.0.0/8, ::1, localhost, or a Unix socket. Plain text goes nowhere else.
bool IsLoopbackAddress(std::string_view address);

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_LOOPBACK_H_
