// 20 000 complete applications at the same moment to one cohort of 30 places:
// how fast they are ranked, how long each waits, and whether the order holds
// for all of them. An order that does not hold ends the program.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "tests/benchmarks/measured_enrolmentd.h"
#include "tests/benchmarks/rows.h"
#include "tests/benchmarks/submission_load.h"

namespace parcours::benchmarks {
namespace {

constexpr int kCandidates = 20'000;
constexpr int kConnections = 10;

[[noreturn]] void Wrong(const std::string& what) {
  std::fprintf(stderr, "the order does not hold: %s\n", what.c_str());
  std::exit(1);
}

// Ranks are dense, the first places are held, and what was answered before
// another was sent is ranked before it.
void CheckOrder(const std::vector<Submitted>& all, int64_t capacity) {
  std::vector<const Submitted*> by_rank(all.size());
  for (const Submitted& one : all) {
    if (one.rank < 1 || one.rank > static_cast<int64_t>(all.size())) {
      Wrong(absl::StrFormat("rank %d", one.rank));
    }
    const Submitted*& place = by_rank[static_cast<std::size_t>(one.rank - 1)];
    if (place != nullptr) Wrong(absl::StrFormat("two have rank %d", one.rank));
    place = &one;
    const pb::PlaceState expected = one.rank <= capacity
                                        ? pb::PLACE_STATE_HELD
                                        : pb::PLACE_STATE_WAITLISTED;
    if (one.place_state != expected) {
      Wrong(absl::StrFormat("the place of rank %d", one.rank));
    }
  }
  std::vector<const Submitted*> by_sent, by_answered;
  for (const Submitted& one : all) {
    by_sent.push_back(&one);
    by_answered.push_back(&one);
  }
  std::sort(
      by_sent.begin(), by_sent.end(),
      [](const Submitted* a, const Submitted* b) { return a->sent < b->sent; });
  std::sort(by_answered.begin(), by_answered.end(),
            [](const Submitted* a, const Submitted* b) {
              return a->answered < b->answered;
            });
  int64_t greatest_before = 0;
  std::size_t answered = 0;
  for (const Submitted* one : by_sent) {
    while (answered < by_answered.size() &&
           by_answered[answered]->answered < one->sent) {
      greatest_before =
          std::max(greatest_before, by_answered[answered++]->rank);
    }
    if (greatest_before > one->rank) {
      Wrong(absl::StrFormat("rank %d was acknowledged before rank %d was sent",
                            greatest_before, one->rank));
    }
  }
}

void Rush(storage::Engine engine, const std::string& name,
          std::vector<BenchRow>& rows) {
  MeasuredEnrolmentd enrolmentd(PARCOURS_ENROLMENTD, engine, 1);
  enrolmentd.Stop();
  const std::vector<std::string> uploads = enrolmentd.SeedUploads(kCandidates);
  enrolmentd.Start();
  std::vector<pb::SubmitApplicationRequest> requests;
  for (int i = 0; i < kCandidates; ++i) {
    requests.push_back(enrolmentd.Submission(i, 0, uploads));
  }
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < kConnections; ++i) {
    channels.push_back(enrolmentd.ConnectAsProgram());
  }
  // All at once; those that come back after an overload, and the last tenth,
  // which follow answers, give the order something to hold for.
  const SubmissionsDone done =
      SubmitAll(channels, requests, kCandidates - kCandidates / 10);
  CheckOrder(done.submissions,
             integration::EnrolmentClient::File().cohort().capacity());
  std::vector<double> waits;
  int refused = 0;
  int refusals = 0;
  int expired = 0;
  int expiries = 0;
  for (const Submitted& one : done.submissions) {
    waits.push_back(absl::ToDoubleSeconds(one.answered - one.sent));
    refused += one.refused > 0 ? 1 : 0;
    refusals += one.refused;
    expired += one.expired > 0 ? 1 : 0;
    expiries += one.expired;
  }
  const auto row = [&](const std::string& what, double value,
                       const std::string& unit, const std::string& aim = "",
                       const std::string& note = "") {
    rows.push_back({.group = "rush",
                    .name = name + ": " + what,
                    .value = value,
                    .unit = unit,
                    .aim = aim,
                    .note = note});
  };
  row("ranked", done.rate(), "1/s", "",
      absl::StrFormat("%d candidates at once over %d connections; ranks dense "
                      "and in the order of the answers, verified",
                      kCandidates, kConnections));
  row("wait, p50", Quantile(waits, 0.5), "s");
  row("wait, p99", Quantile(waits, 0.99), "s");
  row("refused by overload", refused, "candidates", "<= 0",
      absl::StrFormat("%d refusals, each sent again when the server said",
                      refusals));
  row("not answered within a minute", expired, "candidates", "<= 0",
      absl::StrFormat("%d deadlines passed; each was sent again with its id",
                      expiries));
}

}  // namespace
}  // namespace parcours::benchmarks

int main() {
  using namespace parcours::benchmarks;
  // As the services do.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::vector<BenchRow> rows;
  Rush(parcours::storage::Engine::kPostgresql, "PostgreSQL", rows);
  Rush(parcours::storage::Engine::kSqlite, "SQLite", rows);
  WriteRows("rush", rows);
  return 0;
}
