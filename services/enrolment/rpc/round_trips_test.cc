// How often a call waits for the database, and for Redis. A query too many in a
// hot path makes these tests fail, where a measurement would only drift.

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "common/cache/scripted_shared_cache.h"
#include "common/testing/session_counts.h"
#include "gmock/gmock.h"
#include "services/enrolment/testing/enrolment_fixture.h"

namespace parcours::enrolment {
namespace {

class RoundTripsTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  RoundTripsTest() { fixture_.MakeCohort(); }

  template <typename Stub, typename Request, typename Response>
  int OfCall(Stub& stub,
             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                          Response*),
             const Request& request) {
    const int before = counts_.round_trips();
    EXPECT_OK(fixture_.Call(stub, method, request));
    return counts_.round_trips() - before;
  }

  int OfSubmission(pb::SubmitApplicationRequest request) {
    request.set_request_id(NewUuidV7(absl::Now()));
    return OfCall(fixture_.applications(), &Applications::SubmitApplication,
                  request);
  }

  int OfReading() {
    pb::GetProgrammeRequest request;
    request.set_name(fixture_.programme);
    return OfCall(fixture_.programmes(), &Programmes::GetProgramme, request);
  }

  testing::SessionCounts counts_;
  cache::ScriptedSharedCache shared_{absl::Now};
  EnrolmentFixture fixture_{GetParam(), counts_.Decorator(), &shared_};
};

// Begin, limits of time, idempotency, locks and all that is looked at; then
// everything that is written, the feed, the audit trail and the commit.
TEST_P(RoundTripsTest, ACompleteApplicationTakesTwo) {
  EXPECT_EQ(OfSubmission(fixture_.Submission(1)), 2);
  pb::SubmitApplicationRequest paid = fixture_.Submission(2);
  pb::Payer& payer = *paid.mutable_application()->mutable_payer();
  payer.set_kind(type::v1::PAYER_KIND_EMPLOYER);
  payer.set_organisation(fixture_.employer);
  EXPECT_EQ(OfSubmission(paid), 2);
}

TEST_P(RoundTripsTest, AnIncompleteApplicationTakesTwo) {
  pb::SubmitApplicationRequest request = fixture_.Submission(1);
  request.mutable_pieces()->RemoveLast();
  EXPECT_EQ(OfSubmission(request), 2);
}

TEST_P(RoundTripsTest, AColdReadTakesOneAndAHotOneNone) {
  EXPECT_EQ(OfReading(), 1);
  const int gets = shared_.gets;
  const int puts = shared_.puts;
  EXPECT_EQ(gets, 1);
  EXPECT_EQ(puts, 1);
  EXPECT_EQ(OfReading(), 0);
  EXPECT_EQ(shared_.gets, gets);
  EXPECT_EQ(shared_.puts, puts);
}

TEST_P(RoundTripsTest, AnotherReadTakesOne) {
  pb::GetBodyRequest request;
  request.set_name(fixture_.body);
  EXPECT_EQ(OfCall(fixture_.programmes(), &Programmes::GetBody, request), 1);
  EXPECT_EQ(OfCall(fixture_.programmes(), &Programmes::GetBody, request), 1);
}

PARCOURS_ON_BOTH_ENGINES(RoundTripsTest);

}  // namespace
}  // namespace parcours::enrolment
