#include "clients/cli/connection.h"

#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "parcours/enrolment/v1/application.pb.h"

namespace parcours::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr CallPolicy kQuick{.deadline = absl::Seconds(1),
                            .attempts = 3,
                            .first_pause = absl::ZeroDuration()};

// What a call with `answers`, one for each attempt, ends with.
struct Outcome {
  absl::Status status;
  int attempts = 0;
};
Outcome Call(const std::vector<grpc::Status>& answers) {
  Outcome outcome;
  outcome.status = CallWithRetries(kQuick, "host:1", [&](grpc::ClientContext&) {
    return answers.at(static_cast<std::size_t>(outcome.attempts++));
  });
  return outcome;
}

const grpc::Status kUnavailable(grpc::StatusCode::UNAVAILABLE, "connect");

TEST(CallWithRetriesTest, TriesAgainOnlyWhileUnavailable) {
  EXPECT_EQ(Call({kUnavailable, kUnavailable, grpc::Status::OK}).attempts, 3);
  const Outcome aborted =
      Call({grpc::Status(grpc::StatusCode::ABORTED, "conflict")});
  EXPECT_EQ(aborted.attempts, 1);
  EXPECT_EQ(aborted.status.code(), absl::StatusCode::kAborted);
}

TEST(CallWithRetriesTest, GivesUpAfterItsAttemptsAndNamesTheAddress) {
  const Outcome outcome = Call({kUnavailable, kUnavailable, kUnavailable});
  EXPECT_EQ(outcome.attempts, 3);
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("host:1"));
  EXPECT_EQ(ExitCodeOf(outcome.status), kUnreachable);
}

TEST(FillRequestIdTest, FillsAnEmptyOneAndKeepsAGivenOne) {
  enrolment::v1::SubmitApplicationRequest request;
  FillRequestId(request);
  EXPECT_EQ(request.request_id().size(), 36U);
  const std::string first = request.request_id();
  FillRequestId(request);
  EXPECT_EQ(request.request_id(), first);
}

TEST(FillRequestIdTest, LeavesARequestWithoutOneAlone) {
  enrolment::v1::GetApplicationRequest request;
  FillRequestId(request);
  EXPECT_EQ(request.ByteSizeLong(), 0U);
}

TEST(PrintErrorTest, TellsTheFrenchTextTheReasonAndTheFields) {
  FieldViolations violations;
  violations.Add("cohort.capacity", Reason::kFieldNegative);
  violations.Add("cohort.display_name", Reason::kFieldRequired);
  const absl::Status error =
      rpc::FromGrpcStatus(rpc::ToGrpcStatus(violations.ToStatus()));
  std::ostringstream out;
  PrintError(out, error);
  EXPECT_THAT(out.str(),
              AllOf(HasSubstr("Erreur : "), HasSubstr("INVALID_FIELDS"),
                    HasSubstr("cohort.capacity : "),
                    HasSubstr("Le champ cohort.display_name est obligatoire")));
  EXPECT_EQ(ExitCodeOf(error), kRefused);
}

TEST(PrintErrorTest, TellsInFrenchThatAServiceIsNotThere) {
  EXPECT_THAT(DescribeError(absl::UnavailableError("127.0.0.1:1: refused")),
              AllOf(HasSubstr("injoignable"), HasSubstr("127.0.0.1:1")));
}

}  // namespace
}  // namespace parcours::cli
