#include "services/scheduling/domain/attendance.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Other numbers than the house's, to show that they come from the book.
constexpr char kRules[] = R"(
  book: "test"
  rules {
    id: "attendance.signing_opens_before" description_fr: "a"
    unit: UNIT_MINUTES
    values { effective_from { year: 2020 month: 1 day: 1 } value: 10
             article: "règle 1" source: "test" certainty: CERTAINTY_HOUSE }
  }
  rules {
    id: "attendance.signing_closes_after" description_fr: "b"
    unit: UNIT_MINUTES
    values { effective_from { year: 2020 month: 1 day: 1 } value: 20
             article: "règle 2" source: "test" certainty: CERTAINTY_HOUSE }
  }
  rules {
    id: "attendance.late_signature" description_fr: "c" unit: UNIT_DAYS
    values { effective_from { year: 2020 month: 1 day: 1 } value: 2
             article: "règle 3" source: "test" certainty: CERTAINTY_HOUSE }
  }
  rules {
    id: "attendance.sheet_closing_by_coordinator" description_fr: "d"
    unit: UNIT_DAYS
    values { effective_from { year: 2020 month: 1 day: 1 } value: 4
             article: "règle 4" source: "test" certainty: CERTAINTY_HOUSE }
  }
)";

PersonName Person(const std::string& id) {
  return PersonName::FromRecord("bodies/opale/persons/" + id);
}

EnrolmentName Enrolment(const std::string& id) {
  return EnrolmentName::FromRecord("bodies/opale/cohorts/c/enrolments/" + id);
}

class AttendanceTest : public ::testing::Test {
 protected:
  AttendanceTest() {
    HalfDay& half_day = session_.half_day;
    half_day.name = HalfDayName::FromRecord(
        "bodies/opale/cohorts/c/halfDays/2026-03-16-morning");
    half_day.date = absl::CivilDay(2026, 3, 16);
    half_day.local_start = 9 * 60 + 30;
    half_day.local_end = 12 * 60 + 30;
    half_day.trainers = {{Person("trainer")}};
    session_.time_zone = "Europe/Paris";
    FieldViolations violations;
    Resolve(ZoneOf(session_.time_zone), "", half_day, violations);
    start_ = half_day.start;
    end_ = half_day.end;
    for (const char* id : {"une", "deux"}) {
      RosterEntry entry;
      entry.enrolment = Enrolment(id);
      entry.person = Person(id);
      entry.since = start_ - absl::Hours(240);
      session_.roster.push_back(entry);
    }
    sheet_.name = SheetOf(half_day.name);
  }

  SigningWindow Window() const {
    return *WindowOf(rules_, session_.half_day, session_.time_zone);
  }

  // Adds `entry` to the chain.
  AttendanceEntry Add(absl::StatusOr<AttendanceEntry> entry, absl::Time now) {
    EXPECT_OK(entry);
    if (!entry.ok()) return {};
    EXPECT_OK(Append(now, "tester", sheet_, *entry));
    session_.entries.push_back(*entry);
    return *entry;
  }

  AttendanceEntry SignAs(const std::string& id, SignerRole role,
                         AttendanceClaim claim = {}) {
    return Add(
        Sign(session_, Window(),
             {.signer = Person(id), .role = role, .claim = claim}, start_),
        start_);
  }

  // Everybody has signed.
  void SignAll() {
    SignAs("une", SignerRole::kLearner);
    SignAs("deux", SignerRole::kLearner);
    SignAs("trainer", SignerRole::kTrainer);
  }

  absl::Status CloseAt(absl::Time now, const std::string& reason = "") {
    return Close(rules_, session_, reason, "tester", now, sheet_);
  }

  const rules::RuleBook rules_ = *rules::RuleBook::Parse(kRules, "test");
  Session session_;
  AttendanceSheet sheet_;
  absl::Time start_;
  absl::Time end_;
};

TEST_F(AttendanceTest, TheWindowComesFromTheRules) {
  const SigningWindow window = Window();
  EXPECT_EQ(window.opens, start_ - absl::Minutes(10));
  EXPECT_EQ(window.closes, end_ + absl::Minutes(20));
  EXPECT_EQ(window.late_until, absl::FromCivil(absl::CivilDay(2026, 3, 19),
                                               ZoneOf("Europe/Paris")));
}

TEST_F(AttendanceTest, MinutesAreWholeAndComputed) {
  struct Case {
    AttendanceClaim claim;
    int64_t minutes;
  };
  for (const Case& c : std::vector<Case>{
           {{AttendanceStatus::kPresent}, 180},
           {{AttendanceStatus::kLate, start_ + absl::Minutes(17)}, 163},
           {{AttendanceStatus::kLate, start_ + absl::Seconds(61)}, 178},
           {{AttendanceStatus::kLeftEarly, std::nullopt,
             start_ + absl::Minutes(50)},
            50},
           {{AttendanceStatus::kLeftEarly, start_ + absl::Minutes(10),
             start_ + absl::Minutes(50)},
            40},
           {{AttendanceStatus::kAbsent}, 0},
           {{AttendanceStatus::kJustified}, 0}}) {
    EXPECT_EQ(AttendedMinutes(session_.half_day, c.claim), c.minutes)
        << NameOf(c.claim.status);
  }
}

TEST_F(AttendanceTest, ClaimsNameWhatIsWrong) {
  struct Case {
    AttendanceClaim claim;
    std::string field;
    Reason reason;
  };
  for (const Case& c : std::vector<Case>{
           {{AttendanceStatus::kLate}, "arrival_time", Reason::kFieldRequired},
           {{AttendanceStatus::kLeftEarly},
            "departure_time",
            Reason::kFieldRequired},
           {{AttendanceStatus::kPresent, start_},
            "arrival_time",
            Reason::kFieldMalformed},
           {{AttendanceStatus::kLate, end_ + absl::Seconds(1)},
            "arrival_time",
            Reason::kFieldOutOfRange},
           {{AttendanceStatus::kLeftEarly, start_ + absl::Minutes(50),
             start_ + absl::Minutes(10)},
            "departure_time",
            Reason::kDatesOutOfOrder}}) {
    FieldViolations violations;
    Validate(session_.half_day, c.claim, "", violations);
    EXPECT_THAT(violations.ToStatus(), HasReason(c.reason));
    EXPECT_THAT(violations.ToStatus(), ViolatesField(c.field));
  }
}

TEST_F(AttendanceTest, ALearnerOfTheRosterSignsInsideTheWindow) {
  const AttendanceEntry entry = SignAs("une", SignerRole::kLearner);
  EXPECT_EQ(entry.enrolment, Enrolment("une"));
  EXPECT_FALSE(entry.to_reconcile);
  EXPECT_FALSE(entry.late);
  EXPECT_EQ(entry.attended_minutes, 180);
}

TEST_F(AttendanceTest, TheWindowIsHalfOpen) {
  const Signature signature{.signer = Person("une")};
  const auto at = [&](absl::Time now) {
    return Sign(session_, Window(), signature, now);
  };
  EXPECT_THAT(at(Window().opens - absl::Seconds(1)),
              HasReason(Reason::kOutsideSlot));
  EXPECT_OK(at(Window().opens));
  EXPECT_OK(at(Window().closes - absl::Seconds(1)));
  EXPECT_THAT(at(Window().closes), HasReason(Reason::kOutsideSlot));
}

TEST_F(AttendanceTest, NobodySignsTwice) {
  SignAs("une", SignerRole::kLearner);
  EXPECT_THAT(Sign(session_, Window(), {.signer = Person("une")}, start_),
              HasReason(Reason::kAlreadySigned));
}

TEST_F(AttendanceTest, AnAbsenceIsNotSignedByOneself) {
  const auto sign = [&](SigningMeans means, AttendanceStatus status) {
    return Sign(
        session_, Window(),
        {.signer = Person("une"), .claim = {.status = status}, .means = means},
        start_);
  };
  EXPECT_THAT(sign(SigningMeans::kPersonalLink, AttendanceStatus::kAbsent),
              ViolatesField("attendance_entry.means"));
  EXPECT_OK(sign(SigningMeans::kTrainerDevice, AttendanceStatus::kAbsent));
  EXPECT_THAT(sign(SigningMeans::kTrainerDevice, AttendanceStatus::kJustified),
              ViolatesField("attendance_entry.means"));
  EXPECT_OK(
      sign(SigningMeans::kCoordinatorEntry, AttendanceStatus::kJustified));
  EXPECT_THAT(sign(SigningMeans::kAutomatic, AttendanceStatus::kPresent),
              ViolatesField("attendance_entry.means"));
}

TEST_F(AttendanceTest, AnAssistedSignatureNamesItsWitness) {
  EXPECT_THAT(
      Sign(session_, Window(),
           {.signer = Person("une"), .means = SigningMeans::kAssisted}, start_),
      ViolatesField("attendance_entry.witness"));
}

TEST_F(AttendanceTest, AForgottenSignatureNeedsAStatementAndAnAttestation) {
  const absl::Time later = Window().closes;
  const AttendanceEntry entry =
      Add(Sign(session_, Window(),
               {.signer = Person("une"), .statement = "The battery was empty"},
               later),
          later);
  EXPECT_TRUE(entry.late);
  EXPECT_THAT(MissingLearners(session_), SizeIs(2)) << "not attested yet";

  EXPECT_THAT(Attest(session_, Window(), entry.name, Person("deux"), later),
              HasReason(Reason::kUnknownReference));
  EXPECT_THAT(Attest(session_, Window(), entry.name, Person("trainer"),
                     Window().late_until),
              HasReason(Reason::kOutsideSlot));
  const AttendanceEntry attested = Add(
      Attest(session_, Window(), entry.name, Person("trainer"), later), later);
  EXPECT_TRUE(attested.late);
  EXPECT_THAT(MissingLearners(session_), SizeIs(1));
  EXPECT_THAT(Attest(session_, Window(), entry.name, Person("trainer"), later),
              HasReason(Reason::kIllegalTransition));
}

TEST_F(AttendanceTest, AStatementIsTooLateAfterTheDaysForIt) {
  EXPECT_THAT(Sign(session_, Window(),
                   {.signer = Person("une"), .statement = "Forgotten"},
                   Window().late_until),
              HasReason(Reason::kOutsideSlot));
}

TEST_F(AttendanceTest, TheCoordinatorEntersLaterWithAReason) {
  const absl::Time later = Window().late_until;
  Signature signature{.signer = Person("une"),
                      .means = SigningMeans::kCoordinatorEntry};
  EXPECT_THAT(Sign(session_, Window(), signature, later),
              HasReason(Reason::kReasonRequired));
  signature.statement = "Signed on paper";
  const AttendanceEntry entry =
      Add(Sign(session_, Window(), signature, later), later);
  EXPECT_TRUE(entry.late);
  EXPECT_THAT(MissingLearners(session_), SizeIs(1));
}

TEST_F(AttendanceTest, ACorrectionNamesTheLatestEntryAndHasAReason) {
  const AttendanceEntry entry = SignAs("une", SignerRole::kLearner);
  const AttendanceClaim late{AttendanceStatus::kLate,
                             start_ + absl::Minutes(30)};
  EXPECT_THAT(Correct(session_, entry.name, late, " "),
              HasReason(Reason::kReasonRequired));
  const AttendanceEntry correction =
      Add(Correct(session_, entry.name, late, "Came at ten"), end_);
  EXPECT_EQ(correction.about, entry.name);
  EXPECT_EQ(correction.attended_minutes, 150);
  EXPECT_EQ(Records(session_.entries)[0].attended_minutes, 150);
  EXPECT_THAT(Correct(session_, entry.name, late, "Again"),
              HasReason(Reason::kIllegalTransition));
  EXPECT_OK(Correct(session_, correction.name, {}, "Was there after all"));
}

TEST_F(AttendanceTest, AnUnknownSignerIsRecordedAndReconciled) {
  const AttendanceEntry entry = SignAs("new", SignerRole::kLearner);
  EXPECT_TRUE(entry.to_reconcile);
  EXPECT_TRUE(entry.enrolment.empty());
  EXPECT_THAT(SettleKnown(session_), IsEmpty());
  EXPECT_THAT(Reconcile(session_, entry.name, true, Enrolment("une"), "It is"),
              HasReason(Reason::kUnknownReference))
      << "another person's enrolment";
  EXPECT_THAT(Reconcile(session_, entry.name, false, {}, ""),
              HasReason(Reason::kReasonRequired));

  RosterEntry caught_up;
  caught_up.enrolment = Enrolment("new");
  caught_up.person = Person("new");
  caught_up.since = start_ - absl::Hours(1);
  session_.roster.push_back(caught_up);
  EXPECT_THAT(SettleKnown(session_), SizeIs(1));
  Add(Reconcile(session_, entry.name, true, Enrolment("new"), "Confirmed"),
      end_);
  EXPECT_EQ(Records(session_.entries)[0].enrolment, Enrolment("new"));
  EXPECT_THAT(SettleKnown(session_), IsEmpty());
  EXPECT_THAT(Reconcile(session_, entry.name, true, Enrolment("new"), "Again"),
              HasReason(Reason::kIllegalTransition));
}

TEST_F(AttendanceTest, WhatIsSetAsideDoesNotCountAndCanBeSignedAnew) {
  const AttendanceEntry entry = SignAs("new", SignerRole::kLearner);
  Add(Reconcile(session_, entry.name, false, {}, "Nobody of ours"), end_);
  EXPECT_THAT(Records(session_.entries), IsEmpty());
  EXPECT_OK(Sign(session_, Window(), {.signer = Person("new")}, start_));
}

TEST_F(AttendanceTest, ASubstituteTrainerCountersignsOnceReconciled) {
  const AttendanceEntry entry = SignAs("substitute", SignerRole::kTrainer);
  EXPECT_TRUE(entry.to_reconcile);
  EXPECT_FALSE(Countersigned(session_.entries));
  Add(Reconcile(session_, entry.name, true, {}, "Stood in"), end_);
  EXPECT_TRUE(Countersigned(session_.entries));
}

TEST_F(AttendanceTest, ASheetClosesOnceCompleteAndCountersigned) {
  SignAll();
  EXPECT_THAT(CloseAt(end_ - absl::Seconds(1)), HasReason(Reason::kTooEarly));
  ASSERT_OK(CloseAt(end_));
  EXPECT_EQ(sheet_.state, SheetState::kClosed);
  EXPECT_EQ(sheet_.root, session_.entries.back().hash);
  EXPECT_THAT(CloseAt(end_), HasReason(Reason::kSheetClosed));
  AttendanceEntry entry;
  EXPECT_THAT(Append(end_, "tester", sheet_, entry),
              HasReason(Reason::kSheetClosed));
}

TEST_F(AttendanceTest, ASheetWithAMissingLearnerDoesNotClose) {
  SignAs("une", SignerRole::kLearner);
  SignAs("trainer", SignerRole::kTrainer);
  const absl::Status refused = CloseAt(end_);
  EXPECT_THAT(refused, HasReason(Reason::kSheetIncomplete));
  EXPECT_EQ(MetadataOf(refused)["missing"], "deux");
  for (AttendanceEntry& entry : MarkAbsent(session_)) Add(entry, end_);
  ASSERT_OK(CloseAt(end_));
  EXPECT_EQ(Records(session_.entries).back().claim.status,
            AttendanceStatus::kAbsent);
}

TEST_F(AttendanceTest, AnUnattestedStatementIsMarkedAbsentByACorrection) {
  SignAs("deux", SignerRole::kLearner);
  SignAs("trainer", SignerRole::kTrainer);
  const absl::Time later = Window().closes;
  Add(Sign(session_, Window(),
           {.signer = Person("une"), .statement = "Forgotten"}, later),
      later);
  EXPECT_THAT(CloseAt(later), HasReason(Reason::kSheetIncomplete));
  std::vector<AttendanceEntry> absent = MarkAbsent(session_);
  ASSERT_THAT(absent, SizeIs(1));
  EXPECT_EQ(absent[0].act, EntryAct::kCorrection);
  Add(absent[0], later);
  EXPECT_OK(CloseAt(later));
}

TEST_F(AttendanceTest, ASheetWithSomethingToReconcileDoesNotClose) {
  SignAll();
  SignAs("new", SignerRole::kLearner);
  EXPECT_THAT(CloseAt(end_), HasReason(Reason::kSheetNotReconciled));
}

TEST_F(AttendanceTest, TheCoordinatorClosesWithAReasonAfterTheDaysOfTheRule) {
  SignAs("une", SignerRole::kLearner);
  SignAs("deux", SignerRole::kLearner);
  const absl::Time from =
      absl::FromCivil(absl::CivilDay(2026, 3, 21), ZoneOf("Europe/Paris"));
  const absl::Status early = CloseAt(from - absl::Seconds(1), "The trainer");
  EXPECT_THAT(early, HasReason(Reason::kTooEarly));
  EXPECT_EQ(MetadataOf(early)["article"], "règle 4");
  EXPECT_THAT(CloseAt(from), HasReason(Reason::kReasonRequired));
  ASSERT_OK(CloseAt(from, "The trainer does not answer"));
  EXPECT_EQ(sheet_.close_reason, "The trainer does not answer");
}

TEST_F(AttendanceTest, SomebodyWhoLeftIsNotMissing) {
  session_.roster[1].state = EnrolmentState::kDroppedOut;
  session_.roster[1].until = start_;
  SignAs("une", SignerRole::kLearner);
  SignAs("trainer", SignerRole::kTrainer);
  EXPECT_OK(CloseAt(end_));
}

// The chain.

class ChainTest : public AttendanceTest {
 protected:
  ChainTest() {
    SignAll();
    EXPECT_OK(CloseAt(end_));
    receipt_ = (*ReceiptsOf(sheet_, session_.entries))[0];
  }

  std::vector<ChainProblemKind> Problems(
      const std::optional<Receipt>& receipt = std::nullopt) const {
    std::vector<ChainProblemKind> kinds;
    for (const ChainProblem& problem :
         Verify(sheet_, session_.entries, receipt).problems) {
      kinds.push_back(problem.kind);
    }
    return kinds;
  }

  // Computes every hash again, as somebody who holds the record could.
  void Rehash() {
    std::string previous;
    int64_t sequence = 0;
    for (AttendanceEntry& entry : session_.entries) {
      entry.sequence = ++sequence;
      entry.previous_hash = previous;
      entry.hash = HashOf(entry);
      previous = entry.hash;
    }
    sheet_.entry_count = sequence;
    sheet_.chain_head = previous;
    sheet_.root = previous;
  }

  Receipt receipt_;
};

TEST_F(ChainTest, AnUntouchedChainVerifies) {
  EXPECT_THAT(Problems(receipt_), IsEmpty());
  EXPECT_EQ(Verify(sheet_, session_.entries, std::nullopt).computed_root,
            sheet_.root);
}

TEST_F(ChainTest, EverySignerGetsAReceipt) {
  EXPECT_THAT(*ReceiptsOf(sheet_, session_.entries), SizeIs(3));
  EXPECT_EQ(receipt_.signer, Person("une"));
  EXPECT_EQ(receipt_.root, sheet_.root);
  sheet_.state = SheetState::kOpen;
  EXPECT_THAT(ReceiptsOf(sheet_, session_.entries),
              HasReason(Reason::kSheetOpen));
}

TEST_F(ChainTest, AnAlteredEntryShows) {
  session_.entries[1].attended_minutes = 90;
  EXPECT_THAT(Problems(), ElementsAre(ChainProblemKind::kAltered));
}

TEST_F(ChainTest, AnAlteredTextShows) {
  session_.entries[1].statement = "Something else";
  EXPECT_THAT(Problems(), ElementsAre(ChainProblemKind::kAltered));
}

TEST_F(ChainTest, AnErasedTextLeavesTheChainValid) {
  session_.entries[1].statement.clear();
  session_.entries[1].witness.clear();
  session_.entries[1].salt.clear();
  EXPECT_THAT(Problems(receipt_), IsEmpty());
}

TEST_F(ChainTest, ARemovedEntryShows) {
  session_.entries.erase(session_.entries.begin() + 1);
  EXPECT_THAT(Problems(), ElementsAre(ChainProblemKind::kBrokenLink));
}

TEST_F(ChainTest, ReorderedEntriesShow) {
  std::swap(session_.entries[0], session_.entries[1]);
  EXPECT_THAT(Problems(), ::testing::Contains(ChainProblemKind::kBrokenLink));
}

TEST_F(ChainTest, ATruncatedChainShows) {
  session_.entries.pop_back();
  EXPECT_THAT(Problems(), ElementsAre(ChainProblemKind::kTruncated,
                                      ChainProblemKind::kRootMismatch));
}

TEST_F(ChainTest, AConsistentRewriteShowsOnlyAgainstAReceipt) {
  session_.entries[1].claim.status = AttendanceStatus::kAbsent;
  session_.entries[1].attended_minutes = 0;
  Rehash();
  EXPECT_THAT(Problems(), IsEmpty());
  EXPECT_THAT(Problems(receipt_),
              ElementsAre(ChainProblemKind::kReceiptMismatch));
}

TEST_F(ChainTest, AConsistentTruncationShowsOnlyAgainstAReceipt) {
  session_.entries.pop_back();
  Rehash();
  EXPECT_THAT(Problems(), IsEmpty());
  EXPECT_THAT(Problems(receipt_),
              ElementsAre(ChainProblemKind::kReceiptMismatch));
}

TEST_F(ChainTest, AReceiptOfAnEntryThatIsGoneShows) {
  session_.entries.erase(session_.entries.begin());
  Rehash();
  EXPECT_THAT(Problems(receipt_),
              ElementsAre(ChainProblemKind::kReceiptMismatch));
}

TEST_F(ChainTest, TheChainHoldsNoClearText) {
  AttendanceEntry entry = session_.entries[0];
  const std::string hash = HashOf(entry);
  entry.statement = "A text that speaks of a person";
  EXPECT_EQ(HashOf(entry), hash) << "only the commitment is hashed";
  entry.commitment = "another";
  EXPECT_NE(HashOf(entry), hash);
}

}  // namespace
}  // namespace parcours::scheduling
