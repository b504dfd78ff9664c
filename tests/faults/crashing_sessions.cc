// The sessions of a daemon that ends by SIGKILL at a named moment:
//
//   PARCOURS_TEST_CRASH_AT=moment:text:count
//   PARCOURS_TEST_CRASH_MARKER=file
//
// `moment` is before_commit (all is written but the COMMIT is not sent) or
// after_commit (the database has committed and nobody has been told), of the
// `count`th transaction with a statement that contains `text`; or
// before_statement, before the `count`th batch with such a statement is sent.
// The file is on disk when the process ends: it shows that the moment came.
// With PARCOURS_TEST_CRASH_SIGNAL=STOP the process is stopped before a
// statement and, when it is let go on, sends it.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/platform/session_decoration.h"

namespace parcours::platform {
namespace {

using storage::Engine;
using storage::Result;
using storage::Session;
using storage::Statement;

struct CrashPoint {
  std::string moment;
  std::string text;
  int count = 0;
  std::string marker;
};

[[noreturn]] void Refuse(const char* variable) {
  std::fprintf(stderr, "%s is missing or malformed\n", variable);
  std::exit(2);
}

CrashPoint ReadCrashPoint() {
  const char* const at = std::getenv("PARCOURS_TEST_CRASH_AT");
  // Without it, the daemon is like any other: that of the restart.
  if (at == nullptr) return {};
  const std::vector<std::string> parts = absl::StrSplit(at, ':');
  CrashPoint point;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[2], &point.count)) {
    Refuse("PARCOURS_TEST_CRASH_AT");
  }
  point.moment = parts[0];
  point.text = parts[1];
  const char* const marker = std::getenv("PARCOURS_TEST_CRASH_MARKER");
  if (marker == nullptr) Refuse("PARCOURS_TEST_CRASH_MARKER");
  point.marker = marker;
  return point;
}

const CrashPoint& ThePoint() {
  static const CrashPoint* const point = new CrashPoint(ReadCrashPoint());
  return *point;
}

// Returns only when the process was stopped, and let go on.
void Crash() {
  const CrashPoint& point = ThePoint();
  const int file =
      open(point.marker.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 ||
      write(file, point.moment.data(), point.moment.size()) !=
          static_cast<ssize_t>(point.moment.size()) ||
      fsync(file) != 0) {
    std::perror(point.marker.c_str());
  }
  close(file);
  const char* const signal = std::getenv("PARCOURS_TEST_CRASH_SIGNAL");
  if (signal != nullptr && std::string_view(signal) == "STOP") {
    raise(SIGSTOP);
    return;
  }
  kill(getpid(), SIGKILL);
  while (true) pause();
}

class CrashingSession final : public Session {
 public:
  explicit CrashingSession(std::unique_ptr<Session> session)
      : session_(std::move(session)) {}

  Engine engine() const override { return session_->engine(); }

  absl::StatusOr<std::vector<Result>> Run(
      absl::Span<const Statement> statements, absl::Time deadline) override {
    const CrashPoint& point = ThePoint();
    const bool hit = std::any_of(statements.begin(), statements.end(),
                                 [&point](const Statement& statement) {
                                   return statement.sql.find(point.text) !=
                                          std::string::npos;
                                 });
    if (point.moment == "before_statement" && hit && IsTheOne()) Crash();
    if (!session_->in_transaction()) concerned_ = false;
    concerned_ = concerned_ || hit;
    const bool commits =
        !statements.empty() && statements.back().sql == "COMMIT";
    if (!commits || !concerned_) return session_->Run(statements, deadline);
    if (point.moment == "before_commit" && IsTheOne()) {
      statements.remove_suffix(1);
      if (statements.empty() || session_->Run(statements, deadline).ok()) {
        Crash();
      }
      std::fputs("the transaction failed before its COMMIT\n", stderr);
      std::abort();
    }
    auto results = session_->Run(statements, deadline);
    if (point.moment == "after_commit" && results.ok() && IsTheOne()) Crash();
    return results;
  }

  absl::Status RunScript(std::string_view sql) override {
    return session_->RunScript(sql);
  }
  bool usable() const override { return session_->usable(); }
  bool in_transaction() const override { return session_->in_transaction(); }

 private:
  static bool IsTheOne() {
    static std::atomic<int> seen = 0;
    return ++seen == ThePoint().count;
  }

  const std::unique_ptr<Session> session_;
  // Whether the open transaction has a statement with the text.
  bool concerned_ = false;
};

}  // namespace

std::function<std::unique_ptr<Session>(std::unique_ptr<Session>)>
SessionDecorator() {
  if (ThePoint().moment.empty()) return nullptr;
  return [](std::unique_ptr<Session> session) -> std::unique_ptr<Session> {
    return std::make_unique<CrashingSession>(std::move(session));
  };
}

}  // namespace parcours::platform
