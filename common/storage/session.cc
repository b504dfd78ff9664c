#include "common/storage/session.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

constexpr absl::string_view kFailedStatementUrl = "parcours/failed-statement";

// It is awaited although the deadline of the transaction has passed.
constexpr absl::Duration kRollbackTime = absl::Seconds(2);

}  // namespace

void Session::Rollback() {
  // A session on which this fails still has its transaction, and is thrown away
  // by its pool.
  const Statement rollback{"ROLLBACK", {}};
  Run(absl::MakeConstSpan(&rollback, 1), absl::Now() + kRollbackTime)
      .IgnoreError();
}

int FailedStatement(const absl::Status& status) {
  const auto payload = status.GetPayload(kFailedStatementUrl);
  int index = -1;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &index)) return -1;
  return index;
}

absl::Status WithFailedStatement(absl::Status status, std::size_t index) {
  status.SetPayload(kFailedStatementUrl, absl::Cord(Cat(index)));
  return status;
}

absl::Status CheckValues(const Values& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto* text = std::get_if<std::string>(&values[i]);
    if (text != nullptr && text->find('\0') != std::string::npos) {
      return absl::InternalError(Cat("text value $", i + 1, " holds NUL"));
    }
  }
  return absl::OkStatus();
}

}  // namespace parcours::storage
