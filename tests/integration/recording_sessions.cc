// The sessions of a daemon that writes down what it asks its database:
//
//   PARCOURS_TEST_STATEMENTS=file
//
// One JSON object to a line, {"sql": …, "values": […]}: the first uses of each
// text, with what stood for $1, $2, … Bytes stand as null.

#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/platform/session_decoration.h"
#include "nlohmann/json.hpp"

namespace parcours::platform {
namespace {

using storage::Result;
using storage::Session;
using storage::Statement;
using storage::Value;

constexpr int kUses = 4;

nlohmann::json JsonOf(const Value& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return *integer;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return nullptr;
}

class Recorder {
 public:
  explicit Recorder(const char* file) : out_(file, std::ios::app) {}

  void Add(const Statement& statement) {
    const std::lock_guard lock(mutex_);
    if (++uses_[statement.sql] > kUses) return;
    nlohmann::json values = nlohmann::json::array();
    for (const Value& value : statement.values) values.push_back(JsonOf(value));
    out_ << nlohmann::json{{"sql", statement.sql}, {"values", values}}.dump()
         << std::endl;
  }

 private:
  std::mutex mutex_;
  std::ofstream out_;
  std::map<std::string, int> uses_;
};

class RecordingSession final : public Session {
 public:
  RecordingSession(Recorder& recorder, std::unique_ptr<Session> session)
      : recorder_(recorder), session_(std::move(session)) {}

  storage::Engine engine() const override { return session_->engine(); }
  absl::StatusOr<std::vector<Result>> Run(
      absl::Span<const Statement> statements, absl::Time deadline) override {
    for (const Statement& statement : statements) recorder_.Add(statement);
    return session_->Run(statements, deadline);
  }
  void Rollback() override { session_->Rollback(); }
  absl::Status RunScript(std::string_view sql) override {
    return session_->RunScript(sql);
  }
  bool usable() const override { return session_->usable(); }
  bool in_transaction() const override { return session_->in_transaction(); }

 private:
  Recorder& recorder_;
  const std::unique_ptr<Session> session_;
};

}  // namespace

std::function<std::unique_ptr<Session>(std::unique_ptr<Session>)>
SessionDecorator() {
  const char* const file = std::getenv("PARCOURS_TEST_STATEMENTS");
  if (file == nullptr) return nullptr;
  static auto* const recorder = new Recorder(file);
  return [](std::unique_ptr<Session> session) -> std::unique_ptr<Session> {
    return std::make_unique<RecordingSession>(*recorder, std::move(session));
  };
}

}  // namespace parcours::platform
