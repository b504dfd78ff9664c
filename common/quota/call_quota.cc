#include "common/quota/call_quota.h"

#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "common/quota/address.h"
#include "common/status/error.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"

namespace parcours::quota {
namespace {

constexpr int64_t kMinute = 60'000'000'000;
constexpr int64_t kSecond = 1'000'000'000;
// More than a bucket, since processes that know nothing of each other overfill
// it together; and little enough that a value that nobody owed passes.
constexpr int64_t kMostShared = 2 * kMinute;

// Subjects that the shell gives (common/rpc/identity.h); those of tokens begin
// with their issuer and "|".
constexpr std::string_view kService = "service:";
constexpr std::string_view kPublic = "public";

telemetry::Counter Refused(telemetry::Metrics& metrics, const char* by) {
  return metrics.MakeCounter("parcours_quota_refused_total",
                             "Calls over a limit.", "by", by);
}

telemetry::Counter Exchanges(telemetry::Metrics& metrics, const char* outcome) {
  return metrics.MakeCounter("parcours_quota_exchanges_total",
                             "Exchanges of what was used with Redis.",
                             "outcome", outcome);
}

absl::Status Exceeded(int64_t wait) {
  return WithRetryAfter(
      MakeError(Reason::kQuotaExceeded,
                {{"seconds", Cat((wait + kSecond - 1) / kSecond)}}),
      absl::Nanoseconds(wait));
}

int64_t IntervalOf(int64_t per_minute) {
  return std::max<int64_t>(kMinute / per_minute, 1);
}

}  // namespace

int64_t CallQuota::SteadyNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

CallQuota::CallQuota(const CallQuotaOptions& options,
                     SharedRates::Connect connect, telemetry::Metrics& metrics,
                     Clock clock)
    : options_(options),
      clock_(std::move(clock)),
      table_(options.max_keys, kMinute),
      refused_client_(Refused(metrics, "client")),
      refused_address_(Refused(metrics, "address")),
      exchanged_(Exchanges(metrics, "done")),
      not_exchanged_(Exchanges(metrics, "failed")),
      evicted_(metrics.MakeGauge(
          "parcours_quota_evicted",
          "Callers forgotten for want of room while they were counted.")) {
  static_assert(crypto_shorthash_KEYBYTES == sizeof(key_));
  crypto_generichash(
      key_.data(), key_.size(),
      reinterpret_cast<const unsigned char*>(options_.key.data()),
      options_.key.size(), nullptr, 0);
  if (connect) shared_.emplace(std::move(connect), kMostShared);
}

CallQuota::~CallQuota() {
  stopping_.Notify();
  if (thread_.joinable()) thread_.join();
}

uint64_t CallQuota::KeyOf(char kind, std::string_view bytes) const {
  std::array<unsigned char, crypto_shorthash_BYTES> hash;
  crypto_shorthash(hash.data(),
                   reinterpret_cast<const unsigned char*>(bytes.data()),
                   bytes.size(), key_.data());
  uint64_t key = 0;
  for (const unsigned char byte : hash) key = key << 8 | byte;
  // An address and a client of the same bytes are two keys.
  return key ^ static_cast<uint64_t>(kind);
}

absl::Status CallQuota::Charge(std::string_view address,
                               std::string_view client,
                               int64_t client_calls_per_minute) {
  if (client_calls_per_minute < 0 || client.starts_with(kService)) {
    return absl::OkStatus();
  }
  // Everybody without a credential; one of them must not stop the others.
  if (client == kPublic) client = {};
  const CountedAddress from = CountAddress(address);
  int64_t client_limit = 0;
  if (!client.empty()) {
    client_limit = client_calls_per_minute > 0 ? client_calls_per_minute
                   : from.local                ? 0
                                : options_.client_calls_per_minute;
  }
  const int64_t now = clock_();
  uint64_t client_key = 0;
  if (client_limit > 0) {
    client_key = KeyOf('c', client);
    const int64_t wait = table_.Take(client_key, IntervalOf(client_limit), now);
    if (wait > 0) {
      refused_client_.Increment();
      return Exceeded(wait);
    }
  }
  if (!from.local && options_.address_calls_per_minute > 0) {
    const int64_t wait =
        table_.Take(KeyOf('a', from.bytes),
                    IntervalOf(options_.address_calls_per_minute), now);
    if (wait > 0) {
      // The call does not run: the client did not have it.
      if (client_limit > 0) {
        table_.GiveBack(client_key, IntervalOf(client_limit));
      }
      refused_address_.Increment();
      return Exceeded(wait);
    }
  }
  return absl::OkStatus();
}

bool CallQuota::Reconcile() {
  if (!shared_.has_value()) return true;
  const int64_t now = clock_();
  const std::vector<RateTable::Use> uses = table_.Collect(now);
  evicted_.Set(static_cast<double>(table_.evicted()));
  bool answered = true;
  for (std::size_t done = 0; done < uses.size();) {
    const auto batch = absl::MakeConstSpan(uses).subspan(
        done, std::min(SharedRates::kMaxUses, uses.size() - done));
    done += batch.size();
    const absl::StatusOr<std::vector<int64_t>> debts = shared_->Exchange(batch);
    if (!debts.ok()) {
      // Not sent again: each process knows what it let pass itself, and old
      // calls would be counted as if they came now.
      answered = false;
      not_exchanged_.Increment();
      if (std::exchange(answering_, false)) {
        telemetry::Log(telemetry::LogLevel::kWarning, "quotas are not shared",
                       {{"error", StdView(debts.status().message())}});
      }
      break;
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      table_.Adopt(batch[i].key, (*debts)[i], clock_());
    }
    exchanged_.Increment();
    if (!std::exchange(answering_, true)) {
      telemetry::Log(telemetry::LogLevel::kInfo, "quotas are shared again");
    }
  }
  return answered;
}

void CallQuota::Start() {
  if (!shared_.has_value() || thread_.joinable()) return;
  thread_ = std::thread([this] {
    while (!stopping_.WaitForNotificationWithTimeout(options_.period)) {
      Reconcile();
    }
  });
}

}  // namespace parcours::quota
