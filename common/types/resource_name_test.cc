#include "common/types/resource_name.h"

#include <string>

#include "common/testing/status_matchers.h"
#include "common/types/enum_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours {
namespace {

using BodyName = ResourceName<"bodies/*">;
using CohortName = ResourceName<"bodies/*/cohorts/*">;

TEST(ResourceName, ParsesWhatFollowsThePattern) {
  const auto name = CohortName::Parse("bodies/opale/cohorts/culture-2026");
  ASSERT_OK(name);
  EXPECT_EQ(name->body(), "bodies/opale");
  EXPECT_EQ(name->id(), "culture-2026");
  EXPECT_EQ(name->Under<BodyName>().text(), "bodies/opale");
}

TEST(ResourceName, RefusesWhatDoesNot) {
  const std::string long_id(64, 'a');
  for (const std::string& text : {std::string(), std::string("bodies/opale"),
                                  std::string("bodies/opale/cohorts/"),
                                  std::string("bodies/opale/cohorts/Culture"),
                                  std::string("bodies/opale/cohorts/-a"),
                                  std::string("bodies/opale/cohorts/a-"),
                                  std::string("bodies/opale/cohorts/a/b"),
                                  std::string("bodies/opale/venues/a"),
                                  std::string("/bodies/opale/cohorts/a"),
                                  std::string("bodies/opale/cohorts/*"),
                                  "bodies/opale/cohorts/" + long_id}) {
    EXPECT_THAT(CohortName::Parse(text, "cohort"),
                ::testing::AllOf(HasReason(Reason::kFieldMalformed),
                                 ViolatesField("cohort")))
        << text;
  }
}

TEST(ResourceName, ChildNameIsOfTheChildsPattern) {
  const BodyName body = BodyName::FromRecord("bodies/opale");
  const auto child = ChildName<CohortName>(body, "cohorts", "a1");
  EXPECT_OK(CohortName::Parse(child.text()));
}

TEST(NewUuidV7, IsOfVersionSevenUniqueAndOrdered) {
  const absl::Time now = absl::FromUnixMillis(1'780'000'000'000);
  std::string previous;
  for (int i = 0; i < 5000; ++i) {
    const std::string id = NewUuidV7(now);
    ASSERT_EQ(id.size(), 36U);
    ASSERT_EQ(id[14], '7');
    ASSERT_NE(std::string("89ab").find(id[19]), std::string::npos);
    ASSERT_LT(previous, id);
    previous = id;
  }
}

TEST(NewUuidV7, StaysOrderedWhenTimeStepsBack) {
  const std::string later = NewUuidV7(absl::FromUnixMillis(1'790'000'000'000));
  const std::string earlier =
      NewUuidV7(absl::FromUnixMillis(1'790'000'000'000 - 60'000));
  EXPECT_LT(later, earlier);
}

enum class Light { kRed, kGreen };

}  // namespace

template <>
struct EnumNames<Light> {
  static constexpr std::string_view values[] = {"RED", "GREEN"};
};

namespace {

TEST(EnumNames, GoBothWays) {
  EXPECT_EQ(NameOf(Light::kGreen), "GREEN");
  EXPECT_EQ(FromName<Light>("RED"), Light::kRed);
  EXPECT_EQ(FromName<Light>("BLUE"), std::nullopt);
}

TEST(NameSegmentsTest, OfNothingAreOneEmptySegment) {
  EXPECT_EQ(NameSegments("").size(), 1U);
  EXPECT_EQ(NameSegments(std::string_view()).size(), 1U);
  EXPECT_EQ(NameSegments("/").size(), 2U);
}

}  // namespace
}  // namespace parcours
