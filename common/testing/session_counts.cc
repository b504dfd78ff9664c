#include "common/testing/session_counts.h"

#include <utility>
#include <vector>

namespace parcours::testing {
namespace {

using storage::Session;

class CountedSession final : public Session {
 public:
  CountedSession(std::atomic<int>& round_trips,
                 std::unique_ptr<Session> session)
      : round_trips_(round_trips), session_(std::move(session)) {}

  storage::Engine engine() const override { return session_->engine(); }

  absl::StatusOr<std::vector<storage::Result>> Run(
      absl::Span<const storage::Statement> statements,
      absl::Time deadline) override {
    ++round_trips_;
    return session_->Run(statements, deadline);
  }

  // Not awaited on PostgreSQL, and SQLite is within the process.
  void Rollback() override { session_->Rollback(); }

  absl::Status RunScript(std::string_view sql) override {
    ++round_trips_;
    return session_->RunScript(sql);
  }
  bool usable() const override { return session_->usable(); }
  bool in_transaction() const override { return session_->in_transaction(); }

 private:
  std::atomic<int>& round_trips_;
  const std::unique_ptr<Session> session_;
};

}  // namespace

std::function<std::unique_ptr<Session>(std::unique_ptr<Session>)>
SessionCounts::Decorator() {
  return [this](std::unique_ptr<Session> session) -> std::unique_ptr<Session> {
    return std::make_unique<CountedSession>(round_trips_, std::move(session));
  };
}

}  // namespace parcours::testing
