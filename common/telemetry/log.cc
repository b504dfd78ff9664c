#include "common/telemetry/log.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "spdlog/async.h"
#include "spdlog/logger.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace parcours::telemetry {
namespace {

constexpr std::size_t kQueueSize = 8192;

constexpr std::string_view kLevelNames[] = {"debug", "info", "warning",
                                            "error"};

// Two roads to one sink: one that waits for the write, and one that does not.
struct Roads {
  Roads() {
    const auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    threads = std::make_shared<spdlog::details::thread_pool>(kQueueSize, 1);
    waiting = std::make_shared<spdlog::logger>("waiting", sink);
    queued = std::make_shared<spdlog::async_logger>(
        "queued", sink, threads, spdlog::async_overflow_policy::overrun_oldest);
    waiting->set_pattern("%v");
    waiting->flush_on(spdlog::level::trace);
    queued->set_level(spdlog::level::trace);
    waiting->set_level(spdlog::level::trace);
  }
  std::shared_ptr<spdlog::details::thread_pool> threads;
  std::shared_ptr<spdlog::logger> waiting;
  std::shared_ptr<spdlog::logger> queued;
};

struct State {
  std::atomic<int> lowest = static_cast<int>(LogLevel::kInfo);
  std::mutex mutex;
  std::string service = "parcours";
  std::function<void(std::string_view)> test_writer;
};

State& GlobalState() {
  static State* const state = new State;
  return *state;
}

// A pointer that FlushLog can replace once the queue has been written out.
std::shared_ptr<Roads>& GlobalRoads() {
  static auto* const roads = new std::shared_ptr<Roads>;
  return *roads;
}

std::shared_ptr<Roads> OpenRoads() {
  const std::lock_guard<std::mutex> lock(GlobalState().mutex);
  std::shared_ptr<Roads>& roads = GlobalRoads();
  if (roads == nullptr) roads = std::make_shared<Roads>();
  return roads;
}

std::string Line(LogLevel level, std::string_view message,
                 std::initializer_list<LogField> fields,
                 const std::string& service) {
  nlohmann::ordered_json line;
  line["ts"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(),
                                absl::UTCTimeZone());
  line["level"] = kLevelNames[static_cast<std::size_t>(level)];
  line["service"] = service;
  line["msg"] = message;
  for (const LogField& field : fields) {
    nlohmann::ordered_json& place = line[std::string(field.key)];
    std::visit([&place](const auto& value) { place = value; }, field.value);
  }
  return line.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kLevelNames); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

void ConfigureLog(std::string_view service, LogLevel lowest) {
  State& state = GlobalState();
  state.lowest.store(static_cast<int>(lowest), std::memory_order_relaxed);
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.service = std::string(service);
}

bool LogEnabled(LogLevel level) {
  return static_cast<int>(level) >=
         GlobalState().lowest.load(std::memory_order_relaxed);
}

void Log(LogLevel level, std::string_view message,
         std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) return;
  State& state = GlobalState();
  std::string service;
  std::function<void(std::string_view)> writer;
  {
    const std::lock_guard<std::mutex> lock(state.mutex);
    service = state.service;
    writer = state.test_writer;
  }
  const std::string line = Line(level, message, fields, service);
  if (writer) {
    writer(line);
    return;
  }
  const std::shared_ptr<Roads> roads = OpenRoads();
  if (level >= LogLevel::kWarning) {
    roads->waiting->log(spdlog::level::err, line);
  } else {
    roads->queued->log(spdlog::level::info, line);
  }
}

void FlushLog() {
  std::shared_ptr<Roads> roads;
  {
    const std::lock_guard<std::mutex> lock(GlobalState().mutex);
    roads = std::exchange(GlobalRoads(), nullptr);
  }
  // The last owner's destructor joins the thread after it has written the
  // queue; a line logged meanwhile opens new roads.
  roads.reset();
}

void SetLogWriterForTest(std::function<void(std::string_view line)> writer) {
  const std::lock_guard<std::mutex> lock(GlobalState().mutex);
  GlobalState().test_writer = std::move(writer);
}

}  // namespace parcours::telemetry
