#include "services/scheduling/domain/completion.h"

#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::scheduling {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kCohort[] = "bodies/opale/cohorts/c";

// Two mornings of three hours; one learner.
class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() {
    attendance_.calendar.time_zone = "Europe/Paris";
    for (const int day : {16, 17}) {
      HalfDay half_day;
      half_day.name = HalfDayName::FromRecord(
          std::string(kCohort) + "/halfDays/d" + std::to_string(day));
      half_day.date = absl::CivilDay(2026, 3, day);
      half_day.local_start = 9 * 60 + 30;
      half_day.local_end = 12 * 60 + 30;
      FieldViolations violations;
      Resolve(ZoneOf("Europe/Paris"), "", half_day, violations);
      attendance_.calendar.half_days.push_back(half_day);
      AttendanceSheet sheet;
      sheet.name = SheetOf(half_day.name);
      sheet.state = SheetState::kClosed;
      sheet.root = "root " + std::to_string(day);
      attendance_.sheets.push_back(sheet);
    }
    learner_.enrolment =
        EnrolmentName::FromRecord(std::string(kCohort) + "/enrolments/une");
    learner_.person = PersonName::FromRecord("bodies/opale/persons/une");
    learner_.display_name = "Candidate Une";
    learner_.state = EnrolmentState::kStarted;
    learner_.since =
        absl::FromCivil(absl::CivilDay(2026, 1, 1), ZoneOf("Europe/Paris"));
    after_ = attendance_.calendar.half_days[1].end;
    action_.title = "Titre de l’action";
    action_.body_display_name = "Organisme";
  }

  void Signed(int index, AttendanceClaim claim) {
    const HalfDay& half_day =
        attendance_.calendar.half_days[static_cast<std::size_t>(index)];
    AttendanceEntry entry;
    entry.name = ChildName<EntryName>(half_day.name, "attendanceEntries",
                                      "e" + std::to_string(index));
    entry.signer = learner_.person;
    entry.enrolment = learner_.enrolment;
    entry.claim = claim;
    entry.attended_minutes = AttendedMinutes(half_day, claim);
    attendance_.entries.push_back(entry);
  }

  absl::StatusOr<CompletionRecord> Issue() {
    return IssueRecord(attendance_, learner_, action_, after_);
  }

  CohortAttendance attendance_;
  RosterEntry learner_;
  ActionFacts action_;
  absl::Time after_;
};

TEST_F(CompletionTest, MinutesAreDueAttendedJustifiedAndAbsent) {
  const HalfDay& first = attendance_.calendar.half_days[0];
  Signed(0, {AttendanceStatus::kLate, first.start + absl::Minutes(17)});
  Signed(1, {AttendanceStatus::kJustified});
  const AttendanceSummary summary = Summarise(attendance_, learner_, after_);
  EXPECT_EQ(summary.due_minutes, 360);
  EXPECT_EQ(summary.attended_minutes, 163);
  EXPECT_EQ(summary.justified_minutes, 180);
  EXPECT_EQ(summary.absent_minutes, 17);
  EXPECT_EQ(summary.half_days, 2);
  EXPECT_THAT(summary.open_half_days, SizeIs(0));
}

TEST_F(CompletionTest, WhatIsToComeIsDueButNotAbsent) {
  const absl::Time between = attendance_.calendar.half_days[0].end;
  const AttendanceSummary summary = Summarise(attendance_, learner_, between);
  EXPECT_EQ(summary.due_minutes, 360);
  EXPECT_EQ(summary.absent_minutes, 180);
}

TEST_F(CompletionTest, OnlyHalfDaysOfTheEnrolmentAreDue) {
  learner_.until = attendance_.calendar.half_days[1].start;
  EXPECT_EQ(Summarise(attendance_, learner_, after_).due_minutes, 180);
}

TEST_F(CompletionTest, ARecordStatesWhatTheClosedSheetsSay) {
  Signed(0, {});
  Signed(1, {AttendanceStatus::kLate, after_ - absl::Minutes(90)});
  const absl::StatusOr<CompletionRecord> record = Issue();
  ASSERT_OK(record);
  EXPECT_EQ(record->scheduled_minutes, 360);
  EXPECT_EQ(record->attended_minutes, 270);
  EXPECT_FALSE(record->partial);
  EXPECT_EQ(record->start_date, absl::CivilDay(2026, 3, 16));
  EXPECT_EQ(record->end_date, absl::CivilDay(2026, 3, 17));
  EXPECT_THAT(record->evidence, SizeIs(2));
  EXPECT_THAT(record->text, Contains(HasSubstr("Durée suivie : 4 h 30")));
  EXPECT_THAT(record->text, Contains(HasSubstr("Candidate Une")));
  EXPECT_THAT(record->text, Not(Contains(HasSubstr("partielle"))));
}

TEST_F(CompletionTest, SomebodyWhoLeftGetsAPartialRecord) {
  Signed(0, {});
  learner_.state = EnrolmentState::kDroppedOut;
  learner_.until = attendance_.calendar.half_days[1].start;
  const absl::StatusOr<CompletionRecord> record = Issue();
  ASSERT_OK(record);
  EXPECT_TRUE(record->partial);
  EXPECT_EQ(record->due_minutes, 180);
  EXPECT_EQ(record->scheduled_minutes, 360);
  EXPECT_THAT(record->text, Contains(HasSubstr("partielle")));
}

TEST_F(CompletionTest, OpenSheetsAreNamed) {
  Signed(0, {});
  attendance_.sheets[1].state = SheetState::kOpen;
  const absl::StatusOr<CompletionRecord> record = Issue();
  EXPECT_THAT(record, HasReason(Reason::kSheetOpen));
  EXPECT_EQ(MetadataOf(record.status())["half_days"], "d17");
}

TEST_F(CompletionTest, TheCourseMustHaveEnded) {
  Signed(0, {});
  after_ -= absl::Seconds(1);
  EXPECT_THAT(Issue(), HasReason(Reason::kTooEarly));
}

TEST_F(CompletionTest, SomebodyWhoNeverCameGetsNone) {
  Signed(0, {AttendanceStatus::kAbsent});
  EXPECT_THAT(Issue(), HasReason(Reason::kIllegalTransition));
  learner_.until = learner_.since;
  EXPECT_THAT(Issue(), HasReason(Reason::kIllegalTransition));
}

TEST_F(CompletionTest, AnEntryThatWaitsDoesNotCount) {
  Signed(0, {});
  attendance_.entries[0].to_reconcile = true;
  EXPECT_EQ(Summarise(attendance_, learner_, after_).attended_minutes, 0);
}

}  // namespace
}  // namespace parcours::scheduling
