#ifndef PARCOURS_COMMON_PLATFORM_CACHE_METRICS_H_
#define PARCOURS_COMMON_PLATFORM_CACHE_METRICS_H_

#include "common/cache/cache_counters.h"
#include "common/telemetry/metrics.h"

namespace parcours::platform {

// Shows `counters` as parcours_cache_reads_total{from},
// parcours_cache_shared_total{result} and
// parcours_cache_bypassed_for_position_total. `counters` outlives whoever asks
// `metrics`.
void ExportCacheCounters(const cache::CacheCounters& counters,
                         telemetry::Metrics& metrics);

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_CACHE_METRICS_H_
