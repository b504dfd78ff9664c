#ifndef PARCOURS_TESTS_BENCHMARKS_SUBMISSION_LOAD_H_
#define PARCOURS_TESTS_BENCHMARKS_SUBMISSION_LOAD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "parcours/enrolment/v1/application.grpc.pb.h"

namespace parcours::benchmarks {

namespace pb = ::parcours::enrolment::v1;

// What became of one submission.
struct Submitted {
  std::string name;
  int64_t rank = 0;
  pb::PlaceState place_state = pb::PLACE_STATE_UNSPECIFIED;
  // When it was first sent, and when it was answered for good.
  absl::Time sent;
  absl::Time answered;
  // How often it was refused by overload, and sent again when the server said.
  int refused = 0;
  // How often its deadline passed, and it was sent again at once.
  int expired = 0;
};

struct SubmissionsDone {
  std::vector<Submitted> submissions;
  absl::Duration time;
  double rate() const {
    return static_cast<double>(submissions.size()) /
           absl::ToDoubleSeconds(time);
  }
};

// Sends `requests` in their order, `outstanding` at a time, by turns over
// `channels`; returns when all are answered. A refusal by overload is waited
// out as it says, and what was not answered in time is sent again, under the
// same request id; any other error ends the program.
SubmissionsDone SubmitAll(
    const std::vector<std::shared_ptr<grpc::Channel>>& channels,
    const std::vector<pb::SubmitApplicationRequest>& requests, int outstanding);

}  // namespace parcours::benchmarks

#endif  // PARCOURS_TESTS_BENCHMARKS_SUBMISSION_LOAD_H_
