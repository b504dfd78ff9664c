#include "common/rpc/grpc_status.h"

#include <string>
#include <vector>

#include "common/status/error.h"
#include "common/telemetry/log.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace parcours::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST(ToGrpcStatus, OkIsOk) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_OK(FromGrpcStatus(grpc::Status::OK));
}

TEST(ToGrpcStatus, EveryDetailArrivesAtTheClient) {
  FieldViolations violations;
  violations.Add("email", Reason::kFieldRequired);
  violations.Add("price_cents", Reason::kFieldNegative);
  const absl::Status error =
      WithRetryAfter(violations.ToStatus(), absl::Seconds(2));

  const grpc::Status wire = ToGrpcStatus(error);
  EXPECT_EQ(wire.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const absl::Status received = FromGrpcStatus(wire);

  EXPECT_THAT(received, HasReason(Reason::kInvalidFields));
  EXPECT_THAT(ViolatedFields(received), ElementsAre("email", "price_cents"));
  EXPECT_TRUE(received.GetPayload("type.googleapis.com/google.rpc.RetryInfo"));
  EXPECT_TRUE(
      received.GetPayload("type.googleapis.com/google.rpc.LocalizedMessage"));
}

TEST(ToGrpcStatus, StaysWithinItsBudgetByDroppingViolationsFromTheEnd) {
  FieldViolations violations;
  for (int i = 0; i < 20; ++i) {
    violations.Add("application.person.addresses[" + std::to_string(i) +
                       "].a_rather_long_field_name",
                   Reason::kFieldMalformed, {{"expected", "an address"}});
  }
  const grpc::Status wire = ToGrpcStatus(violations.ToStatus());
  EXPECT_LE(wire.error_details().size(), kMaxStatusBytes);
  const std::vector<std::string> fields = ViolatedFields(FromGrpcStatus(wire));
  ASSERT_THAT(fields, Not(SizeIs(0)));
  EXPECT_THAT(fields.front(), HasSubstr("addresses[0]"));
  EXPECT_LT(fields.size(), 20U);
}

TEST(ToGrpcStatus, StaysWithinItsBudgetWhateverTheMetadata) {
  const grpc::Status wire = ToGrpcStatus(
      MakeError(Reason::kNotFound, {{"resource", std::string(9000, 'x')}}));
  EXPECT_LE(wire.error_details().size(), kMaxStatusBytes);
  EXPECT_LE(wire.error_message().size(), kMaxStatusBytes);
  EXPECT_THAT(FromGrpcStatus(wire), HasReason(Reason::kNotFound));
}

class MaskingTest : public ::testing::TestWithParam<absl::Status> {
 protected:
  MaskingTest() {
    telemetry::SetLogWriterForTest(
        [this](std::string_view line) { lines_.emplace_back(line); });
  }
  ~MaskingTest() override { telemetry::SetLogWriterForTest(nullptr); }
  std::vector<std::string> lines_;
};

TEST_P(MaskingTest, TheClientSeesAReferenceAndTheLogTheText) {
  const absl::Status received =
      FromGrpcStatus(ToGrpcStatus(GetParam(), "trace-1"));

  EXPECT_THAT(received, StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(received, HasReason(Reason::kInternal));
  EXPECT_THAT(received.ToString(), Not(HasSubstr("secret table")));
  const std::string reference = MetadataOf(received)["reference"];
  EXPECT_THAT(reference, SizeIs(16));
  ASSERT_THAT(lines_, SizeIs(1));
  EXPECT_THAT(lines_[0], HasSubstr("secret table"));
  EXPECT_THAT(lines_[0], HasSubstr(reference));
  EXPECT_THAT(lines_[0], HasSubstr("trace-1"));
}

INSTANTIATE_TEST_SUITE_P(
    Foreign, MaskingTest,
    ::testing::Values(absl::InternalError("secret table"),
                      absl::UnknownError("secret table"),
                      absl::NotFoundError("secret table"),
                      absl::UnavailableError("secret table"),
                      MakeError(Reason::kInternal,
                                {{"reference", "secret table"}})));

TEST(FromGrpcStatus, AForeignErrorHasNoReason) {
  const absl::Status error = FromGrpcStatus(
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "failed to connect"));
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(ReasonOf(error), std::nullopt);
}

}  // namespace
}  // namespace parcours::rpc
