#ifndef PARCOURS_COMMON_TELEMETRY_LOG_H_
#define PARCOURS_COMMON_TELEMETRY_LOG_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace parcours::telemetry {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// The level of that name: "debug", "info", "warning", "error".
std::optional<LogLevel> ParseLogLevel(std::string_view name);

// One field of a line. Never personal data: ids of records, codes, durations.
struct LogField {
  std::string_view key;
  std::variant<std::string_view, int64_t, double, bool> value;
};

// Sets the service name and the lowest level that is written. Call once, at
// start; before it, lines carry the service "parcours" and the level info.
void ConfigureLog(std::string_view service, LogLevel lowest);

// Whether lines of `level` are written. A relaxed atomic load.
bool LogEnabled(LogLevel level);

// Writes one JSON object on one line of stderr: ts (RFC 3339, UTC), level,
// service, msg, then `fields`. Warnings and errors are on stderr when the call
// returns. Debug and info lines go through a queue of 8192 and a thread of
// their own, so that no call waits for a terminal or a pipe; when the queue is
// full the oldest lines are lost. Thread-safe.
void Log(LogLevel level, std::string_view message,
         std::initializer_list<LogField> fields = {});

// Writes what is queued. Call before the process ends.
void FlushLog();

// Takes the place of stderr until reset with nullptr; lines then arrive on the
// calling thread.
void SetLogWriterForTest(std::function<void(std::string_view line)> writer);

}  // namespace parcours::telemetry

#endif  // PARCOURS_COMMON_TELEMETRY_LOG_H_
