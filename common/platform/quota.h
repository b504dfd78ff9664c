#ifndef PARCOURS_COMMON_PLATFORM_QUOTA_H_
#define PARCOURS_COMMON_PLATFORM_QUOTA_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/platform/flags.h"
#include "common/quota/call_quota.h"
#include "common/telemetry/metrics.h"
#include "grpcpp/server_context.h"

namespace parcours::platform {

// The quotas of a service, exchanged through its Redis where it has one.
// FAILED_PRECONDITION when the key cannot be read. `metrics` outlives them.
absl::StatusOr<std::unique_ptr<quota::CallQuota>> OpenQuota(
    const ServiceFlags& flags, telemetry::Metrics& metrics);

// The address that a call counts for: what a trusted proxy says, else its peer.
std::function<std::string(const grpc::CallbackServerContext&)> CallerAddresses(
    const ServiceFlags& flags);

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_QUOTA_H_
