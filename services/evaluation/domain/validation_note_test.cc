#include "services/evaluation/domain/validation_note.h"

#include <functional>
#include <map>
#include <set>

#include "common/status/error.h"
#include "common/testing/status_matchers.h"
#include "common/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/evaluation/testing/samples.h"

namespace parcours::evaluation {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kInTime =
    ParisMidnight(absl::CivilDay(2027, 1, 1)) - absl::Seconds(1);
const absl::Time kLate = ParisMidnight(absl::CivilDay(2027, 1, 1));

ValidationNote NoteIn(NoteState state) {
  ValidationNote note = *StartNote(SampleLearner("a"), "Un sujet");
  note.state = state;
  if (state == NoteState::kFinal) note.final_version = note.version_count = 1;
  return note;
}

Submission Draft(int64_t pages) {
  return {.file = {.sha256 = "d", .byte_size = 1, .page_count = pages},
          .object_id = "o"};
}

Submission Final(int64_t pages) {
  Submission submission = Draft(pages);
  submission.final = true;
  return submission;
}

// Each action in each state: where it leads, or that it is illegal.
TEST(ValidationNoteTest, HasTheseTransitionsAndNoOther) {
  using State = NoteState;
  const AssessmentPlan plan = SamplePlan();
  const std::map<std::string, std::function<absl::Status(ValidationNote&)>>
      actions = {
          {"propose", [](auto& n) { return ProposeSubject(n, "Un autre"); }},
          {"approve",
           [](auto& n) { return ApproveSubject(n, "Quelqu’un", kInTime); }},
          {"ask",
           [](auto& n) {
             return AskSubjectChanges(n, "Quelqu’un", "Un motif", kInTime);
           }},
          {"draft",
           [&](auto& n) {
             return AddVersion(n, plan, Draft(5), kInTime).status();
           }},
          {"final",
           [&](auto& n) {
             return AddVersion(n, plan, Final(16), kInTime).status();
           }},
          {"reopen", [](auto& n) { return ReopenNote(n, "Un motif"); }},
      };
  const std::map<std::pair<State, std::string>, State> legal = {
      {{State::kSubjectProposed, "propose"}, State::kSubjectProposed},
      {{State::kSubjectProposed, "approve"}, State::kSubjectApproved},
      {{State::kSubjectProposed, "ask"}, State::kSubjectChangesAsked},
      {{State::kSubjectChangesAsked, "propose"}, State::kSubjectProposed},
      {{State::kSubjectApproved, "draft"}, State::kDraft},
      {{State::kSubjectApproved, "final"}, State::kFinal},
      {{State::kDraft, "draft"}, State::kDraft},
      {{State::kDraft, "final"}, State::kFinal},
      {{State::kFinal, "reopen"}, State::kDraft},
  };
  for (const State state :
       {State::kSubjectProposed, State::kSubjectChangesAsked,
        State::kSubjectApproved, State::kDraft, State::kFinal}) {
    for (const auto& [name, action] : actions) {
      ValidationNote note = NoteIn(state);
      const absl::Status status = action(note);
      const auto expected = legal.find({state, name});
      if (expected == legal.end()) {
        EXPECT_THAT(status, HasReason(Reason::kIllegalTransition))
            << NameOf(state) << " " << name;
        EXPECT_EQ(note.state, state);
      } else {
        EXPECT_OK(status) << NameOf(state) << " " << name;
        EXPECT_EQ(note.state, expected->second) << NameOf(state) << " " << name;
      }
    }
  }
}

TEST(ValidationNoteTest, IsForThoseWhoTakePart) {
  for (const EnrolmentState state :
       {EnrolmentState::kEnrolled, EnrolmentState::kStarted,
        EnrolmentState::kCompleted}) {
    EXPECT_OK(StartNote(SampleLearner("a", state), "Un sujet"));
  }
  for (const EnrolmentState state :
       {EnrolmentState::kDroppedOut, EnrolmentState::kExcluded,
        EnrolmentState::kReplaced, EnrolmentState::kNoShow,
        EnrolmentState::kTransferred, EnrolmentState::kWithdrawn}) {
    EXPECT_THAT(StartNote(SampleLearner("a", state), "Un sujet"),
                HasReason(Reason::kNotACandidate));
  }
}

TEST(ValidationNoteTest, ChangesAreAskedWithAReason) {
  ValidationNote note = NoteIn(NoteState::kSubjectProposed);
  EXPECT_THAT(AskSubjectChanges(note, "Quelqu’un", "", kInTime),
              HasReason(Reason::kReasonRequired));
  EXPECT_EQ(note.state, NoteState::kSubjectProposed);
  note = NoteIn(NoteState::kFinal);
  EXPECT_THAT(ReopenNote(note, ""), HasReason(Reason::kReasonRequired));
}

TEST(ValidationNoteTest, IsOnTimeToTheEndOfTheLastDayInParis) {
  ValidationNote note = NoteIn(NoteState::kDraft);
  const auto on_time = AddVersion(note, SamplePlan(), Final(16), kInTime);
  ASSERT_OK(on_time);
  EXPECT_FALSE(on_time->late);
  note = NoteIn(NoteState::kDraft);
  EXPECT_THAT(AddVersion(note, SamplePlan(), Final(16), kLate),
              HasReason(Reason::kNoteLate));
  EXPECT_OK(AddVersion(note, SamplePlan(), Draft(16), kLate));
}

TEST(ValidationNoteTest, LateOneNeedsReasonAgreementAndName) {
  Submission submission = Final(16);
  submission.late_reason = "Un empêchement";
  submission.accept_late = true;
  submission.late_accepted_by = "Quelqu’un";
  for (const auto& spoil : std::vector<std::function<void(Submission&)>>{
           [](auto& s) { s.late_reason.clear(); },
           [](auto& s) { s.accept_late = false; },
           [](auto& s) { s.late_accepted_by.clear(); }}) {
    ValidationNote note = NoteIn(NoteState::kDraft);
    Submission spoilt = submission;
    spoil(spoilt);
    EXPECT_THAT(AddVersion(note, SamplePlan(), spoilt, kLate),
                HasReason(Reason::kNoteLate));
    EXPECT_EQ(note.version_count, 0);
  }
  ValidationNote note = NoteIn(NoteState::kDraft);
  const auto late = AddVersion(note, SamplePlan(), submission, kLate);
  ASSERT_OK(late);
  EXPECT_TRUE(late->late);
  EXPECT_THAT(late->warnings, SizeIs(1));
}

TEST(ValidationNoteTest, AgreedDateStandsForThatOfThePlan) {
  ValidationNote note = NoteIn(NoteState::kDraft);
  ASSERT_OK(AdaptNote(note, {.due_date = absl::CivilDay(2027, 1, 8),
                             .agreed_by = "Quelqu’un"}));
  const auto later = AddVersion(note, SamplePlan(), Final(16), kLate);
  ASSERT_OK(later);
  EXPECT_FALSE(later->late);
}

TEST(ValidationNoteTest, PageRangeHasBothItsEnds) {
  for (const auto& [pages, outside] : std::map<int64_t, bool>{
           {14, true}, {15, false}, {20, false}, {21, true}}) {
    ValidationNote note = NoteIn(NoteState::kDraft);
    const auto version = AddVersion(note, SamplePlan(), Final(pages), kInTime);
    ASSERT_OK(version);
    EXPECT_EQ(version->out_of_range, outside) << pages;
    EXPECT_EQ(version->warnings.empty(), !outside) << pages;
  }
}

TEST(ValidationNoteTest, PageRangeIsThePlans) {
  AssessmentPlan plan = SamplePlan();
  plan.note_min_pages = 2;
  plan.note_max_pages = 3;
  ValidationNote note = NoteIn(NoteState::kDraft);
  EXPECT_FALSE(AddVersion(note, plan, Draft(3), kInTime)->out_of_range);
  EXPECT_TRUE(AddVersion(note, plan, Draft(4), kInTime)->out_of_range);
}

TEST(ValidationNoteTest, AdaptationStopsAtTheFinalVersion) {
  ValidationNote note = NoteIn(NoteState::kFinal);
  EXPECT_THAT(AdaptNote(note, {}), HasReason(Reason::kIllegalTransition));
  note = NoteIn(NoteState::kDraft);
  EXPECT_THAT(AdaptNote(note, {.min_pages = 9, .max_pages = 8}),
              HasReason(Reason::kFieldOutOfRange));
}

TEST(ValidationNoteTest, VersionsAreNumberedAndNamedInOrder) {
  ValidationNote note = NoteIn(NoteState::kDraft);
  std::set<NoteVersionName> names;
  for (int i = 1; i <= 12; ++i) {
    const auto version = AddVersion(note, SamplePlan(), Draft(5), kInTime);
    ASSERT_OK(version);
    EXPECT_EQ(version->name, VersionOf(note.name, i));
    names.insert(version->name);
  }
  EXPECT_EQ(*names.rbegin(), VersionOf(note.name, 12));
}

TEST(NoteReaderTest, ReportsOnce) {
  NoteReader reader;
  AssessmentPlan plan = SamplePlan();
  EXPECT_THAT(SubmitReport(reader, plan, "Lu", 1200, kInTime),
              HasReason(Reason::kFieldOutOfRange));
  ASSERT_OK(SubmitReport(reader, plan, "Lu", std::nullopt, kInTime));
  EXPECT_THAT(SubmitReport(reader, plan, "Relu", std::nullopt, kInTime),
              HasReason(Reason::kIllegalTransition));
  NoteReader marking;
  plan.marked = true;
  EXPECT_THAT(SubmitReport(marking, plan, "Lu", std::nullopt, kInTime),
              HasReason(Reason::kFieldRequired));
  EXPECT_OK(SubmitReport(marking, plan, "Lu", 1200, kInTime));
}

}  // namespace
}  // namespace parcours::evaluation
