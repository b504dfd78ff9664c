#ifndef PARCOURS_SERVICES_ENROLMENT_TESTING_ERASURE_FAKES_H_
#define PARCOURS_SERVICES_ENROLMENT_TESTING_ERASURE_FAKES_H_

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "services/enrolment/domain/peer_port.h"

namespace parcours::enrolment {

// Another service that answers what the test says. Thread-safe.
class FakePeer final : public PeerPort {
 public:
  explicit FakePeer(std::string service) : service_(std::move(service)) {}

  // From now on every call fails with `status`, until it is OK.
  void Fail(absl::Status status) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(status);
  }
  void Hold(std::vector<privacy::LegalHold> holds) {
    const std::lock_guard lock(mutex_);
    holds_ = std::move(holds);
  }
  // Says in the feed that it has erased whom `erasure` names.
  void Say(const ErasureName& erasure) {
    const std::lock_guard lock(mutex_);
    said_.push_back(erasure);
  }
  // The feed begins anew: older tokens are refused once with `reason`.
  void Restart(Reason reason) {
    const std::lock_guard lock(mutex_);
    ++incarnation_;
    restarted_as_ = reason;
  }
  int asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  const std::string& service() const override { return service_; }

  absl::StatusOr<std::vector<privacy::LegalHold>> LegalHolds(
      const access::Caller&, const PersonName&) override {
    const std::lock_guard lock(mutex_);
    ++asked_;
    if (!failure_.ok()) return failure_;
    return holds_;
  }

  // Two to a page; a token is the incarnation and the position.
  absl::StatusOr<PeerErasures> ErasuresAfter(
      const access::Caller&, const std::string& token) override {
    const std::lock_guard lock(mutex_);
    ++asked_;
    if (!failure_.ok()) return failure_;
    std::size_t after = 0;
    if (!token.empty()) {
      const std::size_t dash = token.find('-');
      if (token.substr(0, dash) != Cat(incarnation_)) {
        return MakeError(restarted_as_);
      }
      if (!absl::SimpleAtoi(token.substr(dash + 1), &after)) {
        return absl::InternalError(token);
      }
    }
    PeerErasures page;
    const std::size_t end = std::min(said_.size(), after + 2);
    for (std::size_t i = after; i < end; ++i) page.done.push_back(said_[i]);
    page.next_token = Cat(incarnation_, "-", end);
    page.more = end < said_.size();
    return page;
  }

 private:
  const std::string service_;
  std::mutex mutex_;  // guards all below
  absl::Status failure_;
  std::vector<privacy::LegalHold> holds_;
  std::vector<ErasureName> said_;
  int incarnation_ = 1;
  Reason restarted_as_ = Reason::kFeedTrimmed;
  int asked_ = 0;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_TESTING_ERASURE_FAKES_H_
