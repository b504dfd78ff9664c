#ifndef PARCOURS_COMMON_QUOTA_CALL_QUOTA_H_
#define PARCOURS_COMMON_QUOTA_CALL_QUOTA_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/quota/rate_table.h"
#include "common/quota/shared_rates.h"
#include "common/rpc/quota.h"
#include "common/telemetry/metrics.h"

namespace parcours::quota {

struct CallQuotaOptions {
  // Calls a minute from one address, and by a client that has no limit of its
  // own; 0 for no limit. Neither counts for callers on this very machine.
  int64_t address_calls_per_minute = 6000;
  int64_t client_calls_per_minute = 3000;
  // Keys the names under which addresses and clients are counted, so that Redis
  // shows neither: the same in all processes that share the limits. Without it
  // the names can be guessed by whoever reads Redis.
  std::string key;
  // Addresses and clients counted at a time, 32 bytes each.
  std::size_t max_keys = 65536;
  // How often what was counted here and elsewhere is exchanged.
  absl::Duration period = absl::Milliseconds(100);
};

// Limits by leaky buckets of one minute: who has been quiet may make a whole
// minute's calls at once, and after that one whenever a minute's share of time
// has passed; so in any minute at most twice the limit.
//
// Charge decides in memory. With Redis, Reconcile exchanges what was used: then
// all processes count into one bucket, and learn of each other's calls one
// `period` late. Until then each may let pass what it believes to be free: over
// the limit by at most (processes - 1) times one bucket, or what they are sent
// in one period if that is less; it is counted, and paid for by waiting. While
// Redis does not answer, each process limits alone.
//
// Thread-safe, but for Reconcile, which one thread calls.
class CallQuota final : public rpc::Quota {
 public:
  // Nanoseconds of a clock that does not go back.
  using Clock = std::function<int64_t()>;

  // `connect` is empty where there is no Redis. `metrics` outlives it.
  CallQuota(const CallQuotaOptions& options, SharedRates::Connect connect,
            telemetry::Metrics& metrics, Clock clock = SteadyNanos);
  ~CallQuota() override;

  // QUOTA_EXCEEDED with the time until the call would pass. Callers on this
  // very machine are limited only by a limit of their client's own. Nothing
  // limits the services among themselves ("service:…"), nor a client with a
  // negative `client_calls_per_minute`; who is only "public" counts by address.
  absl::Status Charge(std::string_view address, std::string_view client,
                      int64_t client_calls_per_minute) override;

  // Exchanges once what was used since the last time. False when Redis did not
  // answer.
  bool Reconcile();

  // Reconciles every period on a thread of its own, until destroyed. Does
  // nothing without Redis.
  void Start();

  static int64_t SteadyNanos();

 private:
  uint64_t KeyOf(char kind, std::string_view bytes) const;

  const CallQuotaOptions options_;
  const Clock clock_;
  std::array<unsigned char, 16> key_{};
  RateTable table_;
  std::optional<SharedRates> shared_;

  telemetry::Counter refused_client_;
  telemetry::Counter refused_address_;
  telemetry::Counter exchanged_;
  telemetry::Counter not_exchanged_;
  telemetry::Gauge evicted_;
  bool answering_ = true;

  absl::Notification stopping_;
  std::thread thread_;
};

}  // namespace parcours::quota

#endif  // PARCOURS_COMMON_QUOTA_CALL_QUOTA_H_
