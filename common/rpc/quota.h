#ifndef PARCOURS_COMMON_RPC_QUOTA_H_
#define PARCOURS_COMMON_RPC_QUOTA_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace parcours::rpc {

// Limits how often somebody calls. Thread-safe.
class Quota {
 public:
  virtual ~Quota() = default;

  // Counts one call from `address`, the host part of the peer, by `client`: an
  // API client, else the subject; empty when nobody is known.
  // `client_calls_per_minute` is the client's own limit, 0 for the default.
  // RESOURCE_EXHAUSTED with RetryInfo when either is over. Does not block.
  virtual absl::Status Charge(std::string_view address, std::string_view client,
                              int64_t client_calls_per_minute) = 0;
};

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_QUOTA_H_
