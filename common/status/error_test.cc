#include "common/status/error.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/strings/cord.h"
#include "common/status/macros.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "parcours/type/v1/error_reason.pb.h"

namespace parcours {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

template <typename Detail>
Detail DetailOf(const absl::Status& status, std::string_view url) {
  Detail detail;
  const auto payload = status.GetPayload(AbslView(url));
  EXPECT_TRUE(payload && detail.ParseFromString(std::string(*payload)))
      << "no detail " << url << " in " << status;
  return detail;
}

std::set<std::string> Places(std::string_view text) {
  std::set<std::string> places;
  for (std::size_t open = text.find('{'); open != std::string_view::npos;
       open = text.find('{', open + 1)) {
    places.insert(
        std::string(text.substr(open, text.find('}', open) - open + 1)));
  }
  return places;
}

TEST(ReasonCatalogue, EveryReasonHasACodeAndBothTextsWithTheSamePlaces) {
  for (const Reason reason : kAllReasons) {
    const auto* value = type::v1::ErrorReason_descriptor()->FindValueByNumber(
        static_cast<int>(reason));
    ASSERT_NE(value, nullptr);
    SCOPED_TRACE(value->name());
    const type::v1::ReasonText& text =
        value->options().GetExtension(type::v1::reason_text);
    EXPECT_NE(text.code(), google::rpc::OK);
    EXPECT_FALSE(text.en().empty());
    EXPECT_FALSE(text.fr().empty());
    EXPECT_EQ(Places(text.en()), Places(text.fr()));
    EXPECT_LE(value->name().size(), std::string("ERROR_REASON_").size() + 63);
  }
}

TEST(MakeError, CarriesCodeTextsReasonAndMetadata) {
  const absl::Status status =
      MakeError(Reason::kNotFound, {{"resource", "bodies/opale"}});

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(status, HasReason(Reason::kNotFound));
  EXPECT_EQ(status.message(), "bodies/opale does not exist.");
  EXPECT_THAT(MetadataOf(status),
              UnorderedElementsAre(Pair("resource", "bodies/opale")));
  const auto info = DetailOf<google::rpc::ErrorInfo>(status, kErrorInfoUrl);
  EXPECT_EQ(info.domain(), "parcours");
  EXPECT_EQ(info.reason(), "NOT_FOUND");
  const auto localized =
      DetailOf<google::rpc::LocalizedMessage>(status, kLocalizedMessageUrl);
  EXPECT_EQ(localized.locale(), "fr");
  EXPECT_EQ(localized.message(), "bodies/opale n’existe pas.");
}

TEST(MakeError, LeavesAPlaceWithoutMetadataVisible) {
  EXPECT_EQ(MakeError(Reason::kNotFound).message(),
            "{resource} does not exist.");
}

TEST(MakeError, SaysDaysInFrenchAndLeavesThemInMetadata) {
  const absl::Status status =
      MakeError(Reason::kNoteLate, {{"due", "2026-06-01"}});
  EXPECT_EQ(MetadataOf(status)["due"], "2026-06-01");
  EXPECT_THAT(status.message(), HasSubstr("2026-06-01"));
  const auto localized =
      DetailOf<google::rpc::LocalizedMessage>(status, kLocalizedMessageUrl);
  EXPECT_THAT(localized.message(), HasSubstr("attendues le 1er juin 2026 ;"));
}

TEST(MakeError, DoesNotExpandPlacesThatComeWithMetadata) {
  EXPECT_EQ(MakeError(Reason::kAlreadyBooked,
                      {{"resource", "{booked_by}"}, {"booked_by", "a visit"}})
                .message(),
            "{booked_by} is already booked at that time by a visit.");
}

TEST(MakeFieldError, NamesTheFieldInBadRequestAndMetadata) {
  const absl::Status status =
      MakeFieldError("application.person.email", Reason::kFieldMalformed,
                     {{"expected", "an address"}});

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(status, HasReason(Reason::kFieldMalformed));
  EXPECT_THAT(ViolatedFields(status), ElementsAre("application.person.email"));
  EXPECT_EQ(status.message(), "application.person.email is not an address.");
  const auto bad_request =
      DetailOf<google::rpc::BadRequest>(status, kBadRequestUrl);
  EXPECT_EQ(bad_request.field_violations(0).reason(), "FIELD_MALFORMED");
  EXPECT_EQ(bad_request.field_violations(0).localized_message().locale(), "fr");
}

TEST(FieldViolations, NothingAddedIsOk) {
  EXPECT_OK(FieldViolations().ToStatus());
}

TEST(FieldViolations, DifferentReasonsAreReportedAllAtOnce) {
  FieldViolations violations;
  violations.Add("email", Reason::kFieldRequired);
  violations.Add("price_cents", Reason::kFieldNegative);
  violations.AddError("cohort", MakeError(Reason::kUnknownReference));
  violations.AddError("note", absl::OkStatus());

  const absl::Status status = violations.ToStatus();

  EXPECT_THAT(status, HasReason(Reason::kInvalidFields));
  EXPECT_THAT(ViolatedFields(status),
              ElementsAre("email", "price_cents", "cohort"));
}

TEST(FieldViolations, AgreeingReasonsKeepTheirReason) {
  FieldViolations violations;
  violations.Add("family_name", Reason::kFieldRequired);
  violations.Add("given_name", Reason::kFieldRequired);

  const absl::Status status = violations.ToStatus();

  EXPECT_THAT(status, HasReason(Reason::kFieldRequired));
  EXPECT_THAT(ViolatedFields(status), ElementsAre("family_name", "given_name"));
}

TEST(FieldViolations, TheCodeIsThatOfTheFirstViolation) {
  FieldViolations violations;
  violations.Add("place", Reason::kNoPlace, {{"state", "WAITING"}});
  violations.Add("email", Reason::kFieldRequired);
  EXPECT_THAT(violations.ToStatus(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(FieldViolations, ListsTheFirstTwenty) {
  FieldViolations violations;
  for (int i = 0; i < 30; ++i) {
    violations.Add("rows[" + std::to_string(i) + "]", Reason::kFieldRequired);
  }
  const std::vector<std::string> fields = ViolatedFields(violations.ToStatus());
  EXPECT_THAT(fields, SizeIs(20));
  EXPECT_EQ(fields.back(), "rows[19]");
}

TEST(ReasonOf, IsNothingForAForeignStatus) {
  EXPECT_EQ(ReasonOf(absl::InternalError("disk")), std::nullopt);
  EXPECT_THAT(MetadataOf(absl::InternalError("disk")), IsEmpty());
}

TEST(WithRetryAfter, AddsTheDelay) {
  const auto retry = DetailOf<google::rpc::RetryInfo>(
      WithRetryAfter(MakeError(Reason::kOverloaded), absl::Milliseconds(1250)),
      kRetryInfoUrl);
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 250'000'000);
}

absl::StatusOr<int> Half(int number) {
  if (number % 2 != 0) {
    return MakeFieldError("number", Reason::kFieldMalformed,
                          {{"expected", "even"}});
  }
  return number / 2;
}

absl::StatusOr<int> Quarter(int number) {
  ASSIGN_OR_RETURN(const int half, Half(number));
  RETURN_IF_ERROR(Half(half).status());
  return Half(half);
}

TEST(Macros, PassErrorsOnAndValuesThrough) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_THAT(Quarter(7), HasReason(Reason::kFieldMalformed));
  EXPECT_THAT(Quarter(6), ViolatesField("number"));
}

}  // namespace
}  // namespace parcours
