// The sessions of a daemon that writes down what it runs, for a measurement of
// the same statements without the daemon:
//
//   PARCOURS_BENCH_STATEMENTS=file
//
// A line for each batch: {"session": 3, "batch": [{"sql": …, "values": […]}]},
// with SQL in the engine's own dialect. Bytes are {"bytes": [1, 2, …]}. Without
// the variable it is a daemon like any other.

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/platform/session_decoration.h"
#include "common/storage/dialect.h"
#include "nlohmann/json.hpp"

namespace parcours::platform {
namespace {

using nlohmann::json;
using storage::Session;
using storage::Statement;

struct Record {
  explicit Record(const char* path) : file(path) {}
  std::mutex mutex;
  std::ofstream file;
};

json JsonOf(const storage::Value& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return *integer;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* blob = std::get_if<storage::Blob>(&value)) {
    json bytes = json::array();
    for (const char byte : blob->bytes) {
      bytes.push_back(static_cast<unsigned char>(byte));
    }
    return {{"bytes", std::move(bytes)}};
  }
  return nullptr;
}

class RecordedSession final : public Session {
 public:
  RecordedSession(Record& record, std::unique_ptr<Session> session)
      : record_(record), session_(std::move(session)) {}

  storage::Engine engine() const override { return session_->engine(); }

  absl::StatusOr<std::vector<storage::Result>> Run(
      absl::Span<const Statement> statements, absl::Time deadline) override {
    json batch = json::array();
    for (const Statement& statement : statements) {
      json values = json::array();
      for (const storage::Value& value : statement.values) {
        values.push_back(JsonOf(value));
      }
      batch.push_back({{"sql", InDialect(statement.sql, engine()).value()},
                       {"values", std::move(values)}});
    }
    {
      const std::lock_guard lock(record_.mutex);
      record_.file
          << json{{"session", number_}, {"batch", std::move(batch)}}.dump()
          << std::endl;
    }
    return session_->Run(statements, deadline);
  }

  void Rollback() override { session_->Rollback(); }
  absl::Status RunScript(std::string_view sql) override {
    return session_->RunScript(sql);
  }
  bool usable() const override { return session_->usable(); }
  bool in_transaction() const override { return session_->in_transaction(); }

 private:
  static inline std::atomic<int> sessions_ = 0;

  Record& record_;
  const std::unique_ptr<Session> session_;
  const int number_ = sessions_++;
};

}  // namespace

std::function<std::unique_ptr<Session>(std::unique_ptr<Session>)>
SessionDecorator() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment.
  const char* const path = std::getenv("PARCOURS_BENCH_STATEMENTS");
  if (path == nullptr) return nullptr;
  static Record& record = *new Record(path);
  return [](std::unique_ptr<Session> session) -> std::unique_ptr<Session> {
    return std::make_unique<RecordedSession>(record, std::move(session));
  };
}

}  // namespace parcours::platform
