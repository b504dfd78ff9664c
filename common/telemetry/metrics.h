#ifndef PARCOURS_COMMON_TELEMETRY_METRICS_H_
#define PARCOURS_COMMON_TELEMETRY_METRICS_H_

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace prometheus {
class Collectable;
class Exposer;
class Registry;
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace parcours::telemetry {

// Durations of the calls of one method by code:
// parcours_rpc_duration_seconds{method,code}. Thread-safe; a look-up by index
// on the hot path.
class MethodMetrics {
 public:
  void Record(absl::StatusCode code, absl::Duration duration);

 private:
  friend class Metrics;
  MethodMetrics(prometheus::Registry& registry, std::string method);
  prometheus::Registry& registry_;
  const std::string method_;
  std::array<std::atomic<prometheus::Histogram*>, 17> by_code_ = {};
};

// A number that goes up and down. Thread-safe.
class Gauge {
 public:
  void Set(double value);
  void Increment(double by = 1);
  void Decrement(double by = 1);

 private:
  friend class Metrics;
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  prometheus::Gauge& gauge_;
};

// A number that only goes up. Thread-safe.
class Counter {
 public:
  void Increment(double by = 1);

 private:
  friend class Metrics;
  explicit Counter(prometheus::Counter& counter) : counter_(counter) {}
  prometheus::Counter& counter_;
};

// The figures of one process, in Prometheus's terms. Hold what it returns:
// making a metric takes a lock and a look-up. Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  MethodMetrics ForMethod(std::string method);

  // The metric `name` with at most one label. `help` is the sentence shown
  // beside it.
  Gauge MakeGauge(const std::string& name, const std::string& help,
                  const std::string& label = "", const std::string& value = "");
  Counter MakeCounter(const std::string& name, const std::string& help,
                      const std::string& label = "",
                      const std::string& value = "");

  // The same of a number that is kept elsewhere and only goes up: `read` is
  // called, on any thread, whenever the figures are asked for, and must be
  // quick. What it reads outlives whoever asks.
  void ReadCounter(const std::string& name, const std::string& help,
                   const std::string& label, const std::string& value,
                   std::function<double()> read);

  // All of it in the text format.
  std::string Text() const;

  // What a server of figures is to collect.
  std::array<std::shared_ptr<prometheus::Collectable>, 2> collectables() const;

 private:
  class Readings;

  std::shared_ptr<prometheus::Registry> registry_;
  std::shared_ptr<Readings> readings_;
};

// Serves GET /metrics on one address while it lives.
class MetricsServer {
 public:
  // `address` is "host:port"; port 0 takes a free one. Unless `port_file` is
  // empty, the port is written there, whole or not at all.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(
      const std::string& address, const std::string& port_file,
      Metrics& metrics);
  ~MetricsServer();

  int port() const { return port_; }

 private:
  MetricsServer();
  std::unique_ptr<prometheus::Exposer> exposer_;
  int port_ = 0;
};

// Writes `content` to `path` through a file beside it and a rename, so that a
// reader sees all or nothing.
absl::Status WriteFileAtomically(const std::string& path,
                                 std::string_view content);

}  // namespace parcours::telemetry

#endif  // PARCOURS_COMMON_TELEMETRY_METRICS_H_
