// What a call pays for being counted. The first two are one client and one
// address, which is what a busy partner looks like.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "common/quota/call_quota.h"

namespace parcours::quota {
namespace {

constexpr int64_t kNoRefusal = 6'000'000'000;

CallQuota& SharedByAll() {
  static auto& metrics = *new telemetry::Metrics;
  static auto& quota = *new CallQuota({.address_calls_per_minute = kNoRefusal},
                                      nullptr, metrics);
  return quota;
}

void ChargeHotKey(benchmark::State& state) {
  CallQuota& quota = SharedByAll();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        quota.Charge("192.0.2.1", "api-client-of-a-partner", kNoRefusal));
  }
}
BENCHMARK(ChargeHotKey)->Threads(1)->Threads(2);

void ChargeManyKeys(benchmark::State& state) {
  CallQuota& quota = SharedByAll();
  std::vector<std::string> addresses;
  for (int i = 0; i < 65'536; ++i) {
    addresses.push_back("10.0." + std::to_string(i / 256) + "." +
                        std::to_string(i % 256));
  }
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        quota.Charge(addresses[next++ % addresses.size()], "", 0));
  }
}
BENCHMARK(ChargeManyKeys);

void RefuseHotKey(benchmark::State& state) {
  telemetry::Metrics metrics;
  CallQuota quota({}, nullptr, metrics);
  for (auto _ : state) {
    benchmark::DoNotOptimize(quota.Charge("192.0.2.1", "over the limit", 1));
  }
}
BENCHMARK(RefuseHotKey);

}  // namespace
}  // namespace parcours::quota

BENCHMARK_MAIN();
