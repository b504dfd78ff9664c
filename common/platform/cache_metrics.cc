#include "common/platform/cache_metrics.h"

#include <atomic>
#include <string>

namespace parcours::platform {
namespace {

using cache::CacheCounters;

struct Export {
  const char* name;
  const char* help;
  const char* label;
  const char* value;
  const CacheCounters::Count CacheCounters::*count;
};

constexpr char kReads[] = "parcours_cache_reads_total";
constexpr char kReadsHelp[] =
    "Reads through the cache, by what answered; those that the shared cache "
    "answered are parcours_cache_shared_total{result=\"hit\"}.";
constexpr char kShared[] = "parcours_cache_shared_total";
constexpr char kSharedHelp[] = "What became of calls to the shared cache.";

constexpr Export kExports[] = {
    {kReads, kReadsHelp, "from", "memory", &CacheCounters::memory_hit},
    {kReads, kReadsHelp, "from", "database", &CacheCounters::load},
    {"parcours_cache_bypassed_for_position_total",
     "Reads of the database for a caller who knew a change of which this "
     "process had not heard.",
     "", "", &CacheCounters::bypassed_for_position},
    {kShared, kSharedHelp, "result", "hit", &CacheCounters::hit},
    {kShared, kSharedHelp, "result", "miss", &CacheCounters::miss},
    {kShared, kSharedHelp, "result", "stale", &CacheCounters::stale},
    {kShared, kSharedHelp, "result", "guard_rejected",
     &CacheCounters::guard_rejected},
    {kShared, kSharedHelp, "result", "error", &CacheCounters::error},
    {kShared, kSharedHelp, "result", "breaker_open",
     &CacheCounters::breaker_open},
    {kShared, kSharedHelp, "result", "pool_exhausted",
     &CacheCounters::pool_exhausted},
    {kShared, kSharedHelp, "result", "invalidation_deferred",
     &CacheCounters::invalidation_deferred},
};

}  // namespace

void ExportCacheCounters(const CacheCounters& counters,
                         telemetry::Metrics& metrics) {
  for (const Export& one : kExports) {
    metrics.ReadCounter(
        one.name, one.help, one.label, one.value,
        [&count = counters.*one.count] {
          return static_cast<double>(count.load(std::memory_order_relaxed));
        });
  }
}

}  // namespace parcours::platform
