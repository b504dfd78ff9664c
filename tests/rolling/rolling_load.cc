// Applications to replicas that come and go:
//
//   rolling_load TOKEN_FILE FIRST COUNT ADDRESS...
//
// FIRST is the number of the first made-up candidate; with 1, body, programme
// and cohort are created before. Each application is sent, under one request
// id, to one replica after the other until it is acknowledged. Ends with 0 when
// all that was sent so far is there: once, with ranks without a gap, and as
// many places held as there are.

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/bearer.h"
#include "tests/integration/enrolment_client.h"

namespace parcours::integration {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

int Fail(const std::string& what) {
  std::cerr << what << '\n';
  return 1;
}

int Run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 4) return Fail("see rolling_load.cc");
  std::ifstream file(arguments[0]);
  std::string token{std::istreambuf_iterator<char>(file), {}};
  while (!token.empty() && token.back() == '\n') token.pop_back();
  const int first = std::atoi(arguments[1].c_str());
  const int count = std::atoi(arguments[2].c_str());
  std::vector<std::unique_ptr<EnrolmentClient>> replicas;
  for (std::size_t i = 3; i < arguments.size(); ++i) {
    replicas.push_back(std::make_unique<EnrolmentClient>(
        rpc::MakeBearerChannel(arguments[i], token)));
  }
  if (first == 1) {
    if (const absl::Status created = replicas[0]->CreateAll(); !created.ok()) {
      return Fail(created.ToString());
    }
  }
  std::size_t turn = 0;
  for (int number = first; number < first + count; ++number) {
    const absl::Time limit = absl::Now() + kPatience;
    std::unique_ptr<pb::SubmitApplicationRequest> request;
    while (true) {
      EnrolmentClient& replica = *replicas[turn++ % replicas.size()];
      absl::Status status;
      if (request == nullptr) {
        auto made = replica.CompleteFile(number);
        status = made.status();
        if (made.ok()) {
          request = std::make_unique<pb::SubmitApplicationRequest>(*made);
        }
      }
      if (request != nullptr) {
        status = replica.Submit(*request, absl::Seconds(10)).status();
        if (status.ok()) break;
      }
      const bool passing = absl::IsUnavailable(status) ||
                           absl::IsDeadlineExceeded(status) ||
                           absl::IsAborted(status);
      if (!passing || absl::Now() > limit) return Fail(status.ToString());
      absl::SleepFor(absl::Milliseconds(50));
    }
  }
  const auto listed = replicas[turn % replicas.size()]->ListApplications();
  if (!listed.ok()) return Fail(listed.status().ToString());
  std::set<std::string> people;
  int held = 0;
  int64_t rank = 0;
  for (const pb::Application& one : *listed) {
    people.insert(one.candidate().email());
    held += one.place_state() == pb::PLACE_STATE_HELD ? 1 : 0;
    if (one.rank() != ++rank) return Fail("the ranks have a gap");
  }
  const int sent = first + count - 1;
  const int places = EnrolmentClient::File().cohort().capacity();
  if (rank != sent || static_cast<int>(people.size()) != sent ||
      held != std::min(sent, places)) {
    return Fail("the record is not what was acknowledged");
  }
  std::cout << sent << " applications, " << held << " places held\n";
  return 0;
}

}  // namespace
}  // namespace parcours::integration

int main(int argc, char** argv) {
  return parcours::integration::Run({argv + 1, argv + argc});
}
