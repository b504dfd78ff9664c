#include "clients/cli/programme_plan.h"

#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clients/cli/programme_apply.h"
#include "clients/cli/programme_file.h"
#include "common/status/error.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace parcours::cli {

void PrintTo(const FieldChange& change, std::ostream* out) {
  *out << change.field << ": " << change.before << " -> " << change.after;
}

namespace {

using enrolment::v1::Cohort;
using enrolment::v1::ProgrammeFile;
using scheduling::v1::HalfDay;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

template <typename T>
T Parse(const std::string& text) {
  T message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

ProgrammeFile Load(const std::string& name) {
  return LoadProgrammeFile(absl::StrCat(std::getenv("PARCOURS_PROGRAMMES_DIR"),
                                        "/", name, ".txtpb"))
      .value();
}

ProgrammeFile Completed() {
  ProgrammeFile file = Load("culture-ess-2026");
  EXPECT_TRUE(
      CompleteProgrammeFile(Load("culture-ess-2026.fictitious"), file).ok());
  return file;
}

TEST(FieldChangesTest, NothingDiffersFromWhatWasWritten) {
  const Cohort wanted = Completed().cohort();
  Cohort stored = wanted;
  stored.set_etag("3");
  stored.set_held_count(12);
  stored.set_state(Cohort::STATE_OPEN);
  stored.mutable_create_time()->set_seconds(5);
  EXPECT_THAT(FieldChanges(stored, wanted), IsEmpty());
}

TEST(FieldChangesTest, NamesTheLeavesThatDiffer) {
  const Cohort stored = Parse<Cohort>(R"pb(
    capacity: 30
    start_date { year: 2026 month: 3 day: 16 }
    prices { payer_kind: PAYER_KIND_INDIVIDUAL amount_cents: 172500 }
    prices { payer_kind: PAYER_KIND_CPF amount_cents: 345000 })pb");
  const Cohort wanted = Parse<Cohort>(R"pb(
    capacity: 28
    start_date { year: 2026 month: 3 day: 17 }
    prices { payer_kind: PAYER_KIND_INDIVIDUAL amount_cents: 180000 }
    prices { payer_kind: PAYER_KIND_CPF amount_cents: 345000 })pb");
  const std::vector<FieldChange> changes = FieldChanges(stored, wanted);
  EXPECT_THAT(
      changes,
      ElementsAre(FieldChange{"capacity", "30", "28"},
                  FieldChange{"start_date", "2026-03-16", "2026-03-17"},
                  FieldChange{"prices[0].amount_cents", "172500", "180000"}));
  EXPECT_THAT(MaskOf(changes).paths(),
              ElementsAre("capacity", "start_date", "prices"));
}

TEST(FieldChangesTest, AnUnpublishedPriceIsNotAPriceOfZero) {
  EXPECT_THAT(FieldChanges(
                  Parse<Cohort>("prices { payer_kind: PAYER_KIND_CPF }"),
                  Parse<Cohort>(
                      "prices { payer_kind: PAYER_KIND_CPF amount_cents: 0 }")),
              ElementsAre(FieldChange{"prices[0].amount_cents", "", "0"}));
}

TEST(FieldChangesTest, WhatTheFileDoesNotSayStays) {
  const HalfDay stored = Parse<HalfDay>(R"pb(
    day_kind: DAY_KIND_VISIT
    venue: "bodies/x/venues/y"
    module_ids: "visites")pb");
  EXPECT_THAT(FieldChanges(stored, Parse<HalfDay>("day_kind: DAY_KIND_TBD")),
              IsEmpty());
  EXPECT_THAT(
      FieldChanges(stored, Parse<HalfDay>("day_kind: DAY_KIND_TUTORING")),
      SizeIs(1));
}

TEST(FieldChangesTest, AnElementThatIsGoneIsAChange) {
  EXPECT_THAT(FieldChanges(Parse<HalfDay>("module_ids: 'a' module_ids: 'b'"),
                           Parse<HalfDay>("module_ids: 'a'")),
              ElementsAre(FieldChange{"module_ids[1]", "b", ""}));
}

TEST(HalfDaysOfTest, EveryHalfOfTheProgrammeHasItsHoursPlaceAndTrainers) {
  const ProgrammeFile file = Completed();
  const std::vector<HalfDay> half_days = HalfDaysOf(file);
  ASSERT_EQ(half_days.size(), static_cast<std::size_t>(2 * file.days_size()));
  EXPECT_EQ(half_days[0].name(),
            "bodies/opale/cohorts/culture-ess-2026/halfDays/"
            "2026-03-16-morning");
  EXPECT_EQ(half_days[0].venue(), "bodies/opale/venues/cnam-saint-martin");
  EXPECT_EQ(half_days[0].local_start().hours(), 9);
  EXPECT_EQ(half_days[0].local_start().minutes(), 30);
  ASSERT_EQ(half_days[0].trainers_size(), 2);
  EXPECT_EQ(half_days[0].trainers(0).person(),
            "bodies/opale/persons/intervenante-fictive-1");
  EXPECT_EQ(half_days[0].trainers(0).kind(), type::v1::TRAINER_KIND_RESEARCHER);
}

TEST(HalfDaysOfTest, ADayWithoutHalvesHasTheUsualOnes) {
  const ProgrammeFile file = Load("culture-ess-2026");
  EXPECT_EQ(HalfDaysOf(file).size(),
            static_cast<std::size_t>(2 * file.days_size()));
}

TEST(AssessmentPlanOfTest, CarriesWhatTheJuryNeeds) {
  const auto plan = AssessmentPlanOf(Completed());
  EXPECT_EQ(plan.name(),
            "bodies/opale/cohorts/culture-ess-2026/assessmentPlan");
  EXPECT_TRUE(plan.options().jury_required());
  EXPECT_EQ(plan.certification_mode(), type::v1::CERTIFICATION_MODE_DELEGATED);
  EXPECT_FALSE(plan.certification_mandate().reference().empty());
  EXPECT_EQ(plan.certifier_display_name(), "CNAM");
}

HalfDay At(int month, int day, type::v1::HalfDayKind half,
           const std::string& name) {
  HalfDay half_day;
  half_day.set_name(name);
  half_day.mutable_date()->set_year(2026);
  half_day.mutable_date()->set_month(month);
  half_day.mutable_date()->set_day(day);
  half_day.set_half(half);
  return half_day;
}
constexpr auto kMorning = type::v1::HALF_DAY_KIND_MORNING;
constexpr auto kAfternoon = type::v1::HALF_DAY_KIND_AFTERNOON;

TEST(MatchHalfDaysTest, AHalfDayThatMovesKeepsItsName) {
  const auto matches =
      MatchHalfDays({At(3, 16, kMorning, "a"), At(5, 4, kMorning, "b"),
                     At(5, 4, kAfternoon, "c")},
                    {At(3, 16, kMorning, "a"), At(5, 6, kMorning, "new-1"),
                     At(5, 6, kAfternoon, "new-2")});
  ASSERT_THAT(matches, SizeIs(3));
  EXPECT_EQ(matches[0].wanted->name(), "a");
  EXPECT_EQ(matches[1].wanted->name(), "b");
  EXPECT_EQ(matches[1].wanted->date().day(), 6);
  EXPECT_EQ(matches[2].wanted->name(), "c");
}

TEST(MatchHalfDaysTest, OneMoreIsAddedAndOneLessIsTakenOut) {
  const auto more =
      MatchHalfDays({At(3, 16, kMorning, "a")},
                    {At(3, 16, kMorning, "a"), At(3, 17, kMorning, "b")});
  ASSERT_THAT(more, SizeIs(2));
  EXPECT_FALSE(more[1].stored.has_value());
  const auto less =
      MatchHalfDays({At(3, 16, kMorning, "a"), At(3, 17, kMorning, "b")},
                    {At(3, 16, kMorning, "a")});
  ASSERT_THAT(less, SizeIs(2));
  EXPECT_FALSE(less[0].wanted.has_value());
  EXPECT_EQ(less[0].stored->name(), "b");
}

TEST(MatchHalfDaysTest, ANameThatHasMovedAwayIsNotGivenAgain) {
  // "a" moves from the 16th to the 17th, and the 16th is used again.
  const auto moved = MatchHalfDays(
      {At(3, 17, kMorning, "16-morning")},
      {At(3, 16, kMorning, "16-morning"), At(3, 17, kMorning, "17-morning")});
  ASSERT_THAT(moved, SizeIs(2));
  EXPECT_EQ(moved[0].wanted->name(), "16-morning-2");
  EXPECT_EQ(moved[1].wanted->name(), "16-morning");
}

TEST(PrintStepTest, ShowsEachFieldOfAChange) {
  std::ostringstream out;
  PrintStep(out, {.service = "enrolment",
                  .effect = Effect::kChange,
                  .name = "bodies/x/cohorts/y",
                  .changes = {{"capacity", "30", "28"}}});
  EXPECT_THAT(out.str(), HasSubstr("~ bodies/x/cohorts/y"));
  EXPECT_THAT(out.str(), HasSubstr("capacity : 30 → 28"));
}

// A step that answers with `answers`, one for each time, and then with OK.
PlannedStep StepOf(const std::string& name, std::vector<std::string>& calls,
                   std::vector<absl::Status> answers = {}) {
  auto left = std::make_shared<std::vector<absl::Status>>(std::move(answers));
  return {.service = "scheduling",
          .effect = Effect::kCreate,
          .name = name,
          .apply = [name, left, &calls]() -> absl::StatusOr<std::string> {
            calls.push_back(name);
            if (left->empty()) return std::string();
            const absl::Status answer = left->front();
            left->erase(left->begin());
            if (!answer.ok()) return answer;
            return std::string();
          }};
}

TEST(ApplyStepsTest, StopsAtTheFirstFailureAndNamesWhatRemains) {
  std::vector<std::string> calls;
  std::ostringstream out;
  const absl::Status status =
      ApplySteps({StepOf("one", calls),
                  StepOf("two", calls, {absl::UnavailableError("gone")}),
                  StepOf("three", calls)},
                 out);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(calls, ElementsAre("one", "two"));
  EXPECT_THAT(out.str(), HasSubstr("Fait : 1 sur 3"));
  EXPECT_THAT(out.str(), HasSubstr("  two\n  three\n"));
}

TEST(ApplyStepsTest, LeavesAloneWhatDoesNotChange) {
  std::ostringstream out;
  EXPECT_TRUE(ApplySteps({{.service = "enrolment", .name = "same"}}, out).ok());
  EXPECT_TRUE(out.str().empty());
}

TEST(ApplyStepsTest, AHalfDayWhosePlaceIsStillTakenWaitsForTheOthers) {
  const absl::Status booked = MakeError(
      Reason::kAlreadyBooked, {{"resource", "r"}, {"booked_by", "h"}});
  std::vector<std::string> calls;
  std::ostringstream out;
  EXPECT_TRUE(
      ApplySteps({StepOf("c/halfDays/a", calls, {booked}),
                  StepOf("c/halfDays/b", calls), StepOf("c/calendar", calls)},
                 out)
          .ok());
  EXPECT_THAT(calls, ElementsAre("c/halfDays/a", "c/halfDays/b", "c/halfDays/a",
                                 "c/calendar"));
}

TEST(ApplyStepsTest, APlaceThatStaysTakenIsTold) {
  const absl::Status booked = MakeError(
      Reason::kAlreadyBooked, {{"resource", "r"}, {"booked_by", "h"}});
  std::vector<std::string> calls;
  std::ostringstream out;
  const absl::Status status = ApplySteps(
      {StepOf("c/halfDays/a", calls, {booked, booked, booked, booked}),
       StepOf("c/halfDays/b", calls, {booked, booked, booked, booked})},
      out);
  EXPECT_EQ(ReasonOf(status), Reason::kAlreadyBooked);
}

}  // namespace
}  // namespace parcours::cli
