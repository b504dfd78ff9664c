#ifndef PARCOURS_COMMON_TESTING_FAKE_ERASURE_LOG_H_
#define PARCOURS_COMMON_TESTING_FAKE_ERASURE_LOG_H_

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/privacy/erasure_log.h"

namespace parcours::testing {

// Notes in memory. Thread-safe.
class FakeErasureLog final : public privacy::ErasureLog {
 public:
  // From now on nothing is noted, and `status` is the answer, until it is OK.
  void Fail(absl::Status status) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(status);
  }
  std::vector<std::string> persons() {
    const std::lock_guard lock(mutex_);
    return persons_;
  }
  absl::Status Append(const std::string& person, absl::Time) override {
    const std::lock_guard lock(mutex_);
    if (failure_.ok()) persons_.push_back(person);
    return failure_;
  }

 private:
  std::mutex mutex_;  // guards all below
  absl::Status failure_;
  std::vector<std::string> persons_;
};

}  // namespace parcours::testing

#endif  // PARCOURS_COMMON_TESTING_FAKE_ERASURE_LOG_H_
