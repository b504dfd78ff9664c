#include "clients/cli/demo/report.h"

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clients/cli/dates.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace parcours::cli::demo {
namespace {

using enrolment::v1::PLACE_STATE_CONFIRMED;
using enrolment::v1::PLACE_STATE_HELD;
using enrolment::v1::PLACE_STATE_OFFERED;
using enrolment::v1::PLACE_STATE_RELEASED;
using enrolment::v1::PLACE_STATE_WAITLISTED;
using enrolment::v1::PlaceState;
using ::testing::HasSubstr;

struct Step {
  int hour;
  PlaceState state;
  std::string cause;
};

enrolment::v1::ExplainPlaceResponse Story(const std::vector<Step>& steps) {
  enrolment::v1::ExplainPlaceResponse story;
  for (const Step& step : steps) {
    auto& event = *story.add_events();
    *event.mutable_event_time() =
        TimestampOf(absl::UnixEpoch() + absl::Hours(step.hour));
    event.set_place_state(step.state);
    event.set_cause(step.cause);
  }
  return story;
}

PlaceStories Stories() {
  return {
      Story({{1, PLACE_STATE_HELD, "SubmitApplication"},
             {5, PLACE_STATE_CONFIRMED, "ConfirmPlace"},
             {9, PLACE_STATE_RELEASED, "EndEnrolment"}}),
      Story({{1, PLACE_STATE_HELD, "SubmitApplication"},
             {4, PLACE_STATE_RELEASED, "PlaceDeadline"}}),
      Story({{1, PLACE_STATE_WAITLISTED, "SubmitApplication"},
             {2, PLACE_STATE_OFFERED, "OfferPlace"},
             {3, PLACE_STATE_RELEASED, "PlaceDeadline"}}),
      Story({{1, PLACE_STATE_WAITLISTED, "SubmitApplication"},
             {3, PLACE_STATE_OFFERED, "OfferPlace"},
             {3, PLACE_STATE_RELEASED, "DeclineOffer"}}),
      Story({{2, PLACE_STATE_WAITLISTED, "SubmitApplication"},
             {3, PLACE_STATE_OFFERED, "OfferPlace"},
             {4, PLACE_STATE_HELD, "AcceptOffer"},
             {5, PLACE_STATE_CONFIRMED, "ConfirmPlace"}}),
      Story({}),
  };
}

TEST(PlaceStoriesTest, ThePeakIsTheMostThatWaitedAtOnce) {
  EXPECT_EQ(WaitlistedPeak(Stories()), 2);
  EXPECT_EQ(WaitlistedPeak({}), 0);
}

TEST(PlaceStoriesTest, StepsOfOneInstantCountAsOne) {
  // Waits and is offered a place in the same instant: nobody saw it wait.
  EXPECT_EQ(WaitlistedPeak({Story({{1, PLACE_STATE_WAITLISTED, ""},
                                   {1, PLACE_STATE_OFFERED, ""}})}),
            0);
}

TEST(PlaceStoriesTest, OffersEndInThreeWays) {
  EXPECT_EQ(CountOfferEnds(Stories(), PLACE_STATE_RELEASED, "PlaceDeadline"),
            1);
  EXPECT_EQ(CountOfferEnds(Stories(), PLACE_STATE_RELEASED, "DeclineOffer"), 1);
  EXPECT_EQ(CountOfferEnds(Stories(), PLACE_STATE_HELD), 1);
}

TEST(PlaceStoriesTest, ConfirmedPlacesAreThoseOfTheInstant) {
  EXPECT_EQ(ConfirmedAt(Stories(), absl::UnixEpoch() + absl::Hours(4)), 0);
  EXPECT_EQ(ConfirmedAt(Stories(), absl::UnixEpoch() + absl::Hours(5)), 2);
  EXPECT_EQ(ConfirmedAt(Stories(), absl::UnixEpoch() + absl::Hours(9)), 1);
}

Report Filled() {
  Report report;
  report.cohort = "bodies/exemple/cohorts/essai";
  report.capacity = 30;
  report.applications = 44;
  report.confirmed = 30;
  report.awarded = 27;
  report.half_days = 30;
  report.confirmed_by_payer = {{"CPF", 12}, {"INDIVIDUAL", 18}};
  report.certificates.push_back({.name = "bodies/exemple/certificates/1",
                                 .number = "N-1",
                                 .code = "ABC",
                                 .holder = "Candidate Fictive 01",
                                 .award_date = "2027-01-12",
                                 .verified = true});
  return report;
}

TEST(ReportTest, JsonHasEveryPromisedKey) {
  const nlohmann::json json = nlohmann::json::parse(ToJson(Filled()));
  for (const std::string key :
       {"applications", "refused", "waitlisted_peak", "offers_expired",
        "confirmed", "dropped_out", "days", "half_days", "scheduled_minutes",
        "attendance_entries", "awarded", "deferred", "refused_by_jury"}) {
    ASSERT_TRUE(json.contains(key)) << key;
    EXPECT_TRUE(json[key].is_number_integer()) << key;
  }
  EXPECT_EQ(json["applications"], 44);
  EXPECT_EQ(json["confirmed_by_payer"]["CPF"], 12);
  ASSERT_EQ(json["certificates"].size(), 1U);
  EXPECT_EQ(json["certificates"][0]["number"], "N-1");
  EXPECT_EQ(json["certificates"][0]["verified"], true);
}

TEST(ReportTest, AReportWithoutCertificatesHasAnEmptyList) {
  const nlohmann::json json = nlohmann::json::parse(ToJson(Report()));
  EXPECT_TRUE(json["certificates"].is_array());
  EXPECT_TRUE(json["certificates"].empty());
}

TEST(ReportTest, TheSummaryLeavesOutWhatDidNotHappen) {
  std::ostringstream with_jury;
  PrintSummary(with_jury, Filled());
  EXPECT_THAT(with_jury.str(), HasSubstr("Jury"));
  std::ostringstream without;
  PrintSummary(without, Report());
  EXPECT_THAT(without.str(), ::testing::Not(HasSubstr("Jury")));
}

}  // namespace
}  // namespace parcours::cli::demo
