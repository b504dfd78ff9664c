#include "common/telemetry/metrics.h"

#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "prometheus/collectable.h"
#include "prometheus/counter.h"
#include "prometheus/exposer.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace parcours::telemetry {
namespace {

// Seconds; from a hit in memory to the default deadline of a call.
const prometheus::Histogram::BucketBoundaries& DurationBuckets() {
  static const auto* const buckets =
      new prometheus::Histogram::BucketBoundaries{
          0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
          0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
  return *buckets;
}

prometheus::Labels LabelsOf(const std::string& label,
                            const std::string& value) {
  if (label.empty()) return {};
  return {{label, value}};
}

}  // namespace

MethodMetrics::MethodMetrics(prometheus::Registry& registry, std::string method)
    : registry_(registry), method_(std::move(method)) {}

void MethodMetrics::Record(absl::StatusCode code, absl::Duration duration) {
  const auto index = static_cast<std::size_t>(code) < by_code_.size()
                         ? static_cast<std::size_t>(code)
                         : static_cast<std::size_t>(absl::StatusCode::kUnknown);
  prometheus::Histogram* histogram =
      by_code_[index].load(std::memory_order_acquire);
  if (histogram == nullptr) {
    // Two threads may both come here: the family returns one histogram.
    histogram = &prometheus::BuildHistogram()
                     .Name("parcours_rpc_duration_seconds")
                     .Help("Duration of calls by method and code.")
                     .Register(registry_)
                     .Add({{"method", method_},
                           {"code", absl::StatusCodeToString(
                                        static_cast<absl::StatusCode>(index))}},
                          DurationBuckets());
    by_code_[index].store(histogram, std::memory_order_release);
  }
  histogram->Observe(absl::ToDoubleSeconds(duration));
}

void Gauge::Set(double value) { gauge_.Set(value); }
void Gauge::Increment(double by) { gauge_.Increment(by); }
void Gauge::Decrement(double by) { gauge_.Decrement(by); }
void Counter::Increment(double by) { counter_.Increment(by); }

// The numbers of ReadCounter, in families as a registry has them.
class Metrics::Readings final : public prometheus::Collectable {
 public:
  void Add(const std::string& name, const std::string& help,
           prometheus::Labels labels, std::function<double()> read) {
    const std::lock_guard lock(mutex_);
    Family& family = families_[name];
    family.help = help;
    family.readings.push_back({std::move(labels), std::move(read)});
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    const std::lock_guard lock(mutex_);
    std::vector<prometheus::MetricFamily> collected;
    for (const auto& [name, family] : families_) {
      prometheus::MetricFamily& one = collected.emplace_back();
      one.name = name;
      one.help = family.help;
      one.type = prometheus::MetricType::Counter;
      for (const Reading& reading : family.readings) {
        prometheus::ClientMetric& metric = one.metric.emplace_back();
        for (const auto& [label, value] : reading.labels) {
          metric.label.push_back({label, value});
        }
        metric.counter.value = reading.read();
      }
    }
    return collected;
  }

 private:
  struct Reading {
    prometheus::Labels labels;
    std::function<double()> read;
  };
  struct Family {
    std::string help;
    std::vector<Reading> readings;
  };

  mutable std::mutex mutex_;  // guards families_
  std::map<std::string, Family> families_;
};

Metrics::Metrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      readings_(std::make_shared<Readings>()) {}
Metrics::~Metrics() = default;

MethodMetrics Metrics::ForMethod(std::string method) {
  return MethodMetrics(*registry_, std::move(method));
}

Gauge Metrics::MakeGauge(const std::string& name, const std::string& help,
                         const std::string& label, const std::string& value) {
  return Gauge(prometheus::BuildGauge()
                   .Name(name)
                   .Help(help)
                   .Register(*registry_)
                   .Add(LabelsOf(label, value)));
}

Counter Metrics::MakeCounter(const std::string& name, const std::string& help,
                             const std::string& label,
                             const std::string& value) {
  return Counter(prometheus::BuildCounter()
                     .Name(name)
                     .Help(help)
                     .Register(*registry_)
                     .Add(LabelsOf(label, value)));
}

void Metrics::ReadCounter(const std::string& name, const std::string& help,
                          const std::string& label, const std::string& value,
                          std::function<double()> read) {
  readings_->Add(name, help, LabelsOf(label, value), std::move(read));
}

std::array<std::shared_ptr<prometheus::Collectable>, 2> Metrics::collectables()
    const {
  return {registry_, readings_};
}

std::string Metrics::Text() const {
  std::string text;
  for (const auto& collectable : collectables()) {
    text += prometheus::TextSerializer().Serialize(collectable->Collect());
  }
  return text;
}

MetricsServer::MetricsServer() = default;
MetricsServer::~MetricsServer() = default;

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(
    const std::string& address, const std::string& port_file,
    Metrics& metrics) {
  auto server = std::unique_ptr<MetricsServer>(new MetricsServer);
  try {
    server->exposer_ = std::make_unique<prometheus::Exposer>(address, 1);
    for (const auto& collectable : metrics.collectables()) {
      server->exposer_->RegisterCollectable(collectable);
    }
    server->port_ = server->exposer_->GetListeningPorts().at(0);
  } catch (const std::exception& error) {
    return absl::FailedPreconditionError(absl::StrCat(
        "metrics_address: cannot listen on ", address, ": ", error.what()));
  }
  if (!port_file.empty()) {
    const absl::Status written =
        WriteFileAtomically(port_file, std::to_string(server->port_) + "\n");
    if (!written.ok()) return written;
  }
  return server;
}

absl::Status WriteFileAtomically(const std::string& path,
                                 std::string_view content) {
  const std::string partial = absl::StrCat(path, ".partial");
  {
    std::ofstream file(partial, std::ios::binary | std::ios::trunc);
    file << content;
    file.flush();
    if (!file) {
      return absl::FailedPreconditionError(
          absl::StrCat(partial, ": cannot be written"));
    }
  }
  if (std::rename(partial.c_str(), path.c_str()) != 0) {
    std::remove(partial.c_str());
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": cannot be written"));
  }
  return absl::OkStatus();
}

}  // namespace parcours::telemetry
