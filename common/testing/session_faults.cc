#include "common/testing/session_faults.h"

#include <utility>
#include <vector>

namespace parcours::testing {

using storage::Engine;
using storage::Result;
using storage::Session;
using storage::Statement;

class FaultySession final : public Session {
 public:
  FaultySession(SessionFaults* faults, std::unique_ptr<Session> session)
      : faults_(faults), session_(std::move(session)) {}

  Engine engine() const override { return session_->engine(); }

  absl::StatusOr<std::vector<Result>> Run(
      absl::Span<const Statement> statements, absl::Time deadline) override {
    if (lost_) return Lost();
    const bool commits =
        !statements.empty() && statements.back().sql == "COMMIT";
    if (faults_->Hits(SessionFaults::kLoseAtOnce) ||
        (commits && faults_->Hits(SessionFaults::kLoseBeforeCommit))) {
      return Lost();
    }
    const bool hit = commits && faults_->Hits(SessionFaults::kLoseAfterCommit);
    auto results = session_->Run(statements, deadline);
    if (hit) return Lost();
    return results;
  }

  absl::Status RunScript(std::string_view sql) override {
    return session_->RunScript(sql);
  }
  bool usable() const override { return !lost_ && session_->usable(); }
  bool in_transaction() const override { return session_->in_transaction(); }

 private:
  absl::Status Lost() {
    lost_ = true;
    return absl::UnavailableError("lost by the test");
  }

  SessionFaults* const faults_;
  const std::unique_ptr<Session> session_;
  bool lost_ = false;
};

void SessionFaults::Inject(Moment moment, int times) {
  absl::MutexLock lock(&mutex_);
  moment_ = moment;
  times_ = times;
}

int SessionFaults::lost() const {
  absl::MutexLock lock(&mutex_);
  return lost_;
}

bool SessionFaults::Hits(Moment moment) {
  absl::MutexLock lock(&mutex_);
  if (times_ == 0 || moment_ != moment) return false;
  --times_;
  ++lost_;
  return true;
}

std::function<std::unique_ptr<Session>(std::unique_ptr<Session>)>
SessionFaults::Decorator() {
  return [this](std::unique_ptr<Session> session) -> std::unique_ptr<Session> {
    return std::make_unique<FaultySession>(this, std::move(session));
  };
}

}  // namespace parcours::testing
