#include "tests/benchmarks/submission_load.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "google/rpc/error_details.pb.h"
#include "grpcpp/alarm.h"
#include "tests/benchmarks/measured_enrolmentd.h"

namespace parcours::benchmarks {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(5);

// Nothing where `status` does not say when to try again.
absl::Duration RetryAfter(const absl::Status& status) {
  const auto payload = status.GetPayload(AbslView(kRetryInfoUrl));
  google::rpc::RetryInfo info;
  if (!payload || !info.ParseFromString(std::string(*payload))) {
    return absl::ZeroDuration();
  }
  return absl::Seconds(info.retry_delay().seconds()) +
         absl::Nanoseconds(info.retry_delay().nanos());
}

class Load {
 public:
  Load(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
       const std::vector<pb::SubmitApplicationRequest>& requests)
      : requests_(requests),
        submissions_(requests.size()),
        calls_(requests.size()),
        answered_(static_cast<int>(requests.size())) {
    for (const auto& channel : channels) {
      channel->WaitForConnected(absl::ToChronoTime(absl::Now() + kPatience));
      stubs_.push_back(pb::ApplicationService::NewStub(channel));
    }
  }

  SubmissionsDone Run(int outstanding) {
    const absl::Time start = absl::Now();
    for (int i = 0; i < outstanding; ++i) Next();
    answered_.Wait();
    const absl::Duration time = absl::Now() - start;
    return {std::move(submissions_), time};
  }

 private:
  struct Call {
    std::unique_ptr<grpc::ClientContext> context;
    pb::Application answer;
    grpc::Alarm alarm;
  };

  void Next() {
    const std::size_t index = next_++;
    if (index >= requests_.size()) return;
    submissions_[index].sent = absl::Now();
    Send(index);
  }

  void Send(std::size_t index) {
    Call& call = calls_[index];
    call.context = std::make_unique<grpc::ClientContext>();
    call.context->set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    stubs_[index % stubs_.size()]->async()->SubmitApplication(
        call.context.get(), &requests_[index], &call.answer,
        [this, index](const grpc::Status& status) { Take(index, status); });
  }

  void Take(std::size_t index, const grpc::Status& status) {
    Call& call = calls_[index];
    Submitted& submitted = submissions_[index];
    if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
      const absl::Duration delay = RetryAfter(rpc::FromGrpcStatus(status));
      if (delay > absl::ZeroDuration()) {
        ++submitted.refused;
        call.alarm.Set(absl::ToChronoTime(absl::Now() + delay),
                       [this, index](bool) { Send(index); });
        return;
      }
    }
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      ++submitted.expired;
      Send(index);
      return;
    }
    MustBeOk(rpc::FromGrpcStatus(status));
    submitted.answered = absl::Now();
    submitted.name = call.answer.name();
    submitted.rank = call.answer.rank();
    submitted.place_state = call.answer.place_state();
    Next();
    answered_.DecrementCount();
  }

  const std::vector<pb::SubmitApplicationRequest>& requests_;
  std::vector<Submitted> submissions_;
  std::vector<Call> calls_;
  std::vector<std::unique_ptr<pb::ApplicationService::Stub>> stubs_;
  std::atomic<std::size_t> next_ = 0;
  absl::BlockingCounter answered_;
};

}  // namespace

SubmissionsDone SubmitAll(
    const std::vector<std::shared_ptr<grpc::Channel>>& channels,
    const std::vector<pb::SubmitApplicationRequest>& requests,
    int outstanding) {
  return Load(channels, requests).Run(outstanding);
}

}  // namespace parcours::benchmarks
