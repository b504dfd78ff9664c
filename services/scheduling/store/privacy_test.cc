// What scheduling keeps of persons, on both engines: sealed, held, exported,
// removed when it is due, and erased for ever.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/privacy/erasure.h"
#include "common/privacy/erasure_log.h"
#include "common/storage/feed.h"
#include "common/storage/sealing_of_before.h"
#include "common/testing/database_fixture.h"
#include "common/testing/fake_erasure_log.h"
#include "common/testing/raw_rows.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "common/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/scheduling/domain/attendance_use_cases.h"
#include "services/scheduling/domain/calendar_use_cases.h"
#include "services/scheduling/domain/completion_use_cases.h"
#include "services/scheduling/domain/erasure.h"
#include "services/scheduling/domain/erasure_use_cases.h"
#include "services/scheduling/domain/retention.h"
#include "services/scheduling/domain/roster_use_cases.h"
#include "services/scheduling/store/migrations.h"
#include "services/scheduling/store/sql_scheduling_store.h"
#include "services/scheduling/store/tables.h"
#include "services/scheduling/testing/fake_enrolment.h"

namespace parcours::scheduling {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::FindEverywhere;
using testing::FirstColumn;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kBody[] = "bodies/opale";
constexpr char kName[] = "Candidate Jaune-Vif";
constexpr char kFormerName[] = "Candidate Vert-Pomme";
constexpr char kStatement[] = "déclaration secrète";
constexpr char kReason[] = "motif secret";
constexpr char kWitness[] = "Témoin Secret";

const std::vector<std::string>& Planted() {
  static const auto& planted = *new std::vector<std::string>{
      kName, kFormerName, kStatement, kReason, kWitness};
  return planted;
}

PersonName Person(const std::string& id) {
  return PersonName::FromRecord(Cat(kBody, "/persons/", id));
}
CohortName Cohort(const std::string& id) {
  return CohortName::FromRecord(Cat(kBody, "/cohorts/", id));
}
HalfDayName HalfDayOf(const std::string& cohort, const std::string& id) {
  return ChildName<HalfDayName>(Cohort(cohort), "halfDays", id);
}
EnrolmentName EnrolmentOf(const std::string& id) {
  return ChildName<EnrolmentName>(Cohort("c"), "enrolments", id);
}

// A day of cohort "c" with an afternoon, on 16 March 2026. "une" learns in "c",
// and was planned to teach in "d"; "deux" learns with her, "t1" teaches both.
class PrivacyStoreTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  PrivacyStoreTest() { Open(); }

  void Open() {
    store_.reset();
    database_.reset();
    database_ = test_database_.Open(Migrations());
    database_->AddCommitListener([&](absl::Span<const storage::Change> made) {
      const std::lock_guard lock(changes_mutex_);
      changes_.insert(changes_.end(), made.begin(), made.end());
    });
    store_ = std::make_unique<SqlSchedulingStore>(*database_);
  }

  access::Caller CallerAt(absl::Time now, const std::string& request_id = "") {
    access::Caller caller{.principal = {.subject = "tester"},
                          .scope = access::Scope::Installation(),
                          .method = "parcours.scheduling.v1.Test/Step",
                          .request_id = request_id,
                          .request_digest = request_id};
    caller.deadline = absl::Now() + absl::Seconds(60);
    caller.now = now;
    return caller;
  }
  access::Caller Caller() { return CallerAt(now_); }

  void PutCohort(const std::string& id) {
    CohortFacts facts;
    facts.name = Cohort(id);
    facts.display_name = Cat("Promotion ", id);
    facts.time_zone = "Europe/Paris";
    facts.programme =
        ProgrammeName::FromRecord(Cat(kBody, "/programmes/culture"));
    enrolment_.Put(facts);
  }

  HalfDay Plan(const std::string& cohort, const std::string& id,
               const std::string& trainer, absl::CivilDay day,
               bool afternoon = false) {
    Update<HalfDay> update{
        .name = HalfDayOf(cohort, id),
        .apply =
            [=](HalfDay& half_day) {
              half_day.date = day;
              half_day.local_start = (afternoon ? 14 : 9) * 60;
              half_day.local_end = half_day.local_start + 180;
              half_day.day_kind = DayKind::kVisit;
              half_day.trainers = {{.person = Person(trainer)}};
              return absl::OkStatus();
            },
        .allow_missing = true};
    const absl::StatusOr<HalfDay> planned =
        UpdateHalfDay(*store_, enrolment_, Caller(), update);
    EXPECT_OK(planned);
    return planned.value_or(HalfDay());
  }

  void Publish(const std::string& cohort, const std::string& reason) {
    ASSERT_OK(PublishCalendar(*store_, Caller(), CalendarOf(Cohort(cohort)),
                              reason, ""));
  }

  EnrolmentFacts FactsOf(const std::string& id, const std::string& name) {
    EnrolmentFacts facts;
    facts.name = EnrolmentOf(id);
    facts.person = Person(id);
    facts.display_name = name;
    facts.payer_kind = "INDIVIDUAL";
    facts.state = EnrolmentState::kStarted;
    facts.enrol_time = now_ - absl::Hours(24);
    facts.has_measures = true;
    return facts;
  }

  absl::Status Follow() { return FollowWith(erasure_log_); }
  absl::Status FollowWith(privacy::ErasureLog& log) {
    return ApplyEnrolmentChanges(*store_, enrolment_, log, Caller()).status();
  }

  absl::StatusOr<AttendanceEntry> SignAt(absl::Time time,
                                         const HalfDay& half_day,
                                         Signature signature) {
    return SignAttendance(*store_, rules_, CallerAt(time), half_day.name,
                          signature);
  }

  // Everything there is, up to the completion records.
  void LiveACourse() {
    PutCohort("c");
    PutCohort("d");
    enrolment_.PutPerson(Person("t1"), "Trainer Une");
    enrolment_.PutPerson(Person("une"), kFormerName);
    enrolment_.Put(FactsOf("une", kFormerName));
    enrolment_.Put(FactsOf("deux", "Candidate Deux"));
    ASSERT_OK(Follow());
    const absl::CivilDay day(2026, 3, 16);
    // She teaches in the first calendar of "d", and in the plan of "c" only.
    Plan("d", "a", "une", day - 2);
    Publish("d", "");
    Plan("d", "a", "t1", day - 2);
    Publish("d", Cat("Remplace ", kFormerName));
    morning_ = Plan("c", "a", "t1", day);
    afternoon_ = Plan("c", "b", "t1", day, /*afternoon=*/true);
    Publish("c", "");
    Plan("c", "later", "une", day - 7);
    // Everywhere from now on; the former name stays where it was published.
    enrolment_.PutPerson(Person("une"), kName);
    enrolment_.Put(FactsOf("une", kName));
    ASSERT_OK(Follow());

    ASSERT_OK(SignAt(morning_.start, morning_,
                     {.signer = Person("une"),
                      .means = SigningMeans::kAssisted,
                      .witness = kWitness}));
    const auto helped = SignAt(morning_.start, morning_,
                               {.signer = Person("deux"),
                                .means = SigningMeans::kAssisted,
                                .witness = kName});
    ASSERT_OK(helped);
    helped_ = helped->name;
    ASSERT_OK(SignAt(morning_.start, morning_,
                     {.signer = Person("t1"), .role = SignerRole::kTrainer}));
    const absl::Time evening = ParisMidnight(day) + absl::Hours(22);
    const auto late =
        SignAt(evening, afternoon_,
               {.signer = Person("une"), .statement = kStatement});
    ASSERT_OK(late);
    ASSERT_OK(AttestAttendance(*store_, rules_, CallerAt(evening), late->name,
                               Person("t1")));
    ASSERT_OK(CorrectAttendance(*store_, CallerAt(evening), late->name,
                                {.status = AttendanceStatus::kJustified},
                                kReason));
    ASSERT_OK(SignAt(afternoon_.start, afternoon_,
                     {.signer = Person("t1"), .role = SignerRole::kTrainer}));
    ASSERT_OK(SignAt(
        afternoon_.start, afternoon_,
        {.signer = Person("deux"), .statement = "Le bus était en retard"}));
    for (const HalfDay& half_day : {morning_, afternoon_}) {
      ASSERT_OK(CloseSheet(*store_, rules_, CallerAt(evening),
                           SheetOf(half_day.name),
                           {.reason = Cat("Vu avec ", kName)}));
    }
    enrolment_.SetAction(
        {.title = "Innovations sociales", .body_display_name = "Opale"});
    ASSERT_OK(CreateCompletionRecord(*store_, enrolment_, CallerAt(evening),
                                     EnrolmentOf("une")));
    now_ = evening;
  }

  template <typename Resource>
  Resource Get(Repository<Resource>& (SchedulingUnit::*repository)(),
               const typename Repository<Resource>::Name& name) {
    const absl::StatusOr<Resource> found =
        GetResource<Resource>(*store_, Caller(), repository, name);
    EXPECT_OK(found);
    return found.value_or(Resource());
  }
  RosterEntry Learner(const std::string& id) {
    return Get<RosterEntry>(&SchedulingUnit::roster,
                            RosterEntryOf(EnrolmentOf(id)));
  }
  std::vector<AttendanceEntry> EntriesOn(const HalfDay& half_day) {
    const auto page =
        ListEntries(*store_, Caller(), half_day.name, {.size = 100});
    EXPECT_OK(page);
    return page.ok() ? page->items : std::vector<AttendanceEntry>();
  }
  std::vector<ChainProblem> ProblemsOf(const HalfDay& half_day) {
    const auto verified =
        VerifySheet(*store_, Caller(), SheetOf(half_day.name), std::nullopt);
    EXPECT_OK(verified);
    return verified.ok() ? verified->problems : std::vector<ChainProblem>{{}};
  }
  Receipt ReceiptOf(const HalfDay& half_day) {
    const auto page =
        ListReceipts(*store_, Caller(), SheetOf(half_day.name), {.size = 100});
    EXPECT_OK(page);
    return page.ok() ? page->items.front() : Receipt();
  }

  void Write(const std::string& sql) {
    ASSERT_OK(database_->Transact(Caller(),
                                  [&](storage::Transaction& transaction)
                                      -> absl::StatusOr<storage::Outcome> {
                                    transaction.Write(
                                        {.sql = sql, .values = {}});
                                    return storage::Outcome{};
                                  }));
  }

  std::vector<storage::Change> TakeChanges() {
    const std::lock_guard lock(changes_mutex_);
    return std::exchange(changes_, {});
  }
  bool IsErased(const std::string& id) {
    bool erased = false;
    EXPECT_OK(store_->View(Caller(), [&](SchedulingUnit& unit) -> absl::Status {
      ASSIGN_OR_RETURN(erased, unit.IsErased(Person(id)));
      return absl::OkStatus();
    }));
    return erased;
  }

  testing::TempDir folder_;
  testing::TestDatabase test_database_{GetParam()};
  std::mutex changes_mutex_;
  std::vector<storage::Change> changes_;  // guarded by changes_mutex_
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<SqlSchedulingStore> store_;
  FakeEnrolment enrolment_;
  privacy::FileErasureLog erasure_log_{folder_.File("erasures")};
  const rules::RuleBook rules_ = *rules::RuleBook::Load("rules/fr.txtpb");
  absl::Time now_ = ParisMidnight(absl::CivilDay(2026, 3, 1));
  HalfDay morning_;
  HalfDay afternoon_;
  // Of "deux", whom "une" helped to sign.
  EntryName helped_;
};

INSTANTIATE_TEST_SUITE_P(Engines, PrivacyStoreTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

TEST_P(PrivacyStoreTest, WhatEntriesSayIsSealedForTheLearner) {
  LiveACourse();
  const std::string kTexts =
      "SELECT statement FROM attendance_entry WHERE statement <> ''"
      " UNION ALL SELECT reason FROM attendance_entry WHERE reason <> ''";
  EXPECT_THAT(FirstColumn(*database_, kTexts), SizeIs(3));
  EXPECT_THAT(FirstColumn(*database_, kTexts), Each(StartsWith("\x01")));
  EXPECT_THAT(FindEverywhere(*database_, {kStatement, kReason}), IsEmpty());

  const std::vector<AttendanceEntry> entries = EntriesOn(afternoon_);
  EXPECT_EQ(entries[0].statement, kStatement);
  EXPECT_EQ(entries[2].reason, kReason);
  EXPECT_THAT(ProblemsOf(afternoon_), IsEmpty());
  for (const AttendanceEntry& entry : entries) {
    const bool attests = entry.act == EntryAct::kAttestation;
    EXPECT_EQ(entry.person, attests ? Person("une") : entry.signer)
        << entry.sequence;
  }
}

TEST_P(PrivacyStoreTest, ErasingLeavesNothingOfThePersonButFigures) {
  LiveACourse();
  EXPECT_THAT(FindEverywhere(*database_, Planted()),
              Contains(HasSubstr(kFormerName)))
      << "the search can find";
  const auto summary = GetSummary(*store_, Caller(), EnrolmentOf("une"));
  ASSERT_OK(summary);
  const CompletionRecord issued =
      Get<CompletionRecord>(&SchedulingUnit::completion_records,
                            CompletionRecordOf(EnrolmentOf("une")));
  const Receipt receipt = ReceiptOf(morning_);
  const std::vector<AttendanceEntry> before = EntriesOn(afternoon_);

  enrolment_.Erase(Person("une"));
  ASSERT_OK(Follow());
  EXPECT_THAT(FindEverywhere(*database_, Planted()), IsEmpty());
  EXPECT_THAT(FirstColumn(*database_,
                          "SELECT owned FROM ownership WHERE owner_key LIKE"
                          " '%/persons/une'"),
              IsEmpty());
  EXPECT_THAT(*erasure_log_.Read(), ElementsAre(Person("une").text()));

  // Everything that was proved still is.
  EXPECT_THAT(ProblemsOf(morning_), IsEmpty());
  EXPECT_THAT(ProblemsOf(afternoon_), IsEmpty());
  EXPECT_THAT(
      VerifySheet(*store_, Caller(), SheetOf(morning_.name), receipt)->problems,
      IsEmpty());
  const auto after = GetSummary(*store_, Caller(), EnrolmentOf("une"));
  ASSERT_OK(after);
  EXPECT_EQ(after->display_name, "");
  EXPECT_EQ(after->due_minutes, summary->due_minutes);
  EXPECT_EQ(after->attended_minutes, summary->attended_minutes);
  EXPECT_EQ(after->justified_minutes, summary->justified_minutes);
  EXPECT_EQ(after->absent_minutes, summary->absent_minutes);
  const CompletionRecord kept =
      Get<CompletionRecord>(&SchedulingUnit::completion_records, issued.name);
  EXPECT_EQ(kept.learner_display_name, "");
  EXPECT_THAT(kept.text, IsEmpty());
  EXPECT_EQ(kept.attended_minutes, issued.attended_minutes);
  EXPECT_EQ(kept.evidence[0].root, issued.evidence[0].root);
  EXPECT_FALSE(Learner("une").has_measures);

  // What others said stays theirs.
  const std::vector<AttendanceEntry> entries = EntriesOn(afternoon_);
  ASSERT_EQ(entries.size(), before.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].hash, before[i].hash);
    EXPECT_EQ(entries[i].commitment, before[i].commitment);
  }
  EXPECT_THAT(entries, Contains(::testing::Field(&AttendanceEntry::statement,
                                                 "Le bus était en retard")));
  const AttendanceEntry helped =
      Get<AttendanceEntry>(&SchedulingUnit::entries, helped_);
  EXPECT_EQ(helped.witness, kErasedName);
  EXPECT_EQ(
      Get<AttendanceSheet>(&SchedulingUnit::sheets, SheetOf(morning_.name))
          .close_reason,
      Cat("Vu avec ", kErasedName));
  EXPECT_EQ(Learner("deux").display_name, "Candidate Deux");
  EXPECT_OK(PublishCalendar(*store_, Caller(), CalendarOf(Cohort("c")),
                            "Séance ajoutée", ""));
}

TEST_P(PrivacyStoreTest, OnlyAfterwardsTheFeedSaysSo) {
  LiveACourse();
  enrolment_.Erase(Person("une"));
  TakeChanges();
  ASSERT_OK(Follow());
  for (const storage::Change& change : TakeChanges()) {
    EXPECT_NE(change.kind, "erasure");
    EXPECT_THAT(change.scopes_before, Not(IsEmpty())) << change.name;
  }
  ASSERT_OK(privacy::FinishErasures(*database_, nullptr, Caller()));
  ASSERT_OK(privacy::FinishErasures(*database_, nullptr, Caller()));
  const std::vector<storage::Change> changes = TakeChanges();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].kind, "erasure");
  EXPECT_EQ(changes[0].name, "bodies/opale/erasures/une");
}

TEST_P(PrivacyStoreTest, ARewrittenChainStillFails) {
  LiveACourse();
  const Receipt receipt = ReceiptOf(morning_);
  enrolment_.Erase(Person("une"));
  ASSERT_OK(Follow());

  AttendanceSheet sheet =
      Get<AttendanceSheet>(&SchedulingUnit::sheets, SheetOf(morning_.name));
  std::vector<AttendanceEntry> entries = EntriesOn(morning_);
  ASSERT_THAT(Verify(sheet, entries, receipt).problems, IsEmpty());
  std::string previous;
  for (AttendanceEntry& entry : entries) {
    if (entry.sequence == 1) entry.attended_minutes = 1;
    entry.previous_hash = previous;
    entry.hash = HashOf(entry);
    previous = entry.hash;
  }
  sheet.root = previous;
  EXPECT_THAT(Verify(sheet, entries, std::nullopt).problems, IsEmpty());
  EXPECT_THAT(Verify(sheet, entries, receipt).problems,
              Contains(::testing::Field(&ChainProblem::kind,
                                        ChainProblemKind::kReceiptMismatch)));

  Write("UPDATE attendance_entry SET attended_minutes = 1 WHERE sequence = 1");
  EXPECT_THAT(ProblemsOf(morning_),
              ElementsAre(ChainProblem{ChainProblemKind::kAltered, 1}));
}

TEST_P(PrivacyStoreTest, NoOtherWordsCanBePutInTheirPlace) {
  LiveACourse();
  enrolment_.Erase(Person("une"));
  ASSERT_OK(Follow());
  Write(
      "UPDATE attendance_entry SET statement = 'inventé', salt = '00'"
      " WHERE sequence = 1");
  EXPECT_THAT(ProblemsOf(afternoon_),
              ElementsAre(ChainProblem{ChainProblemKind::kAltered, 1}));
}

TEST_P(PrivacyStoreTest, WhoIsErasedIsNotErasedAgain) {
  LiveACourse();
  enrolment_.Erase(Person("une"));
  ASSERT_OK(Follow());
  ASSERT_OK(privacy::FinishErasures(*database_, nullptr, Caller()));
  TakeChanges();
  const auto noted = std::filesystem::file_size(folder_.File("erasures"));
  // Enrolment says it again with each acknowledgement.
  enrolment_.Erase(Person("une"));
  ASSERT_OK(Follow());
  ASSERT_OK(privacy::FinishErasures(*database_, nullptr, Caller()));
  ASSERT_OK(ErasePerson(*store_, erasure_log_, Caller(), Person("une")));
  ASSERT_OK(EraseAgain(*store_, Caller(), Person("une")));
  EXPECT_THAT(TakeChanges(), IsEmpty());
  EXPECT_EQ(std::filesystem::file_size(folder_.File("erasures")), noted);
}

TEST_P(PrivacyStoreTest, ALateChangeBringsNobodyBack) {
  LiveACourse();
  enrolment_.Erase(Person("une"));
  ASSERT_OK(Follow());
  // As an answer would say that was on its way.
  EnrolmentFacts facts = FactsOf("une", kName);
  facts.state = EnrolmentState::kCompleted;
  enrolment_.Put(facts);
  enrolment_.PutPerson(Person("une"), kName);
  ASSERT_OK(Follow());
  EXPECT_EQ(Learner("une").state, EnrolmentState::kCompleted);
  EXPECT_THAT(FindEverywhere(*database_, Planted()), IsEmpty());
  EXPECT_THAT(FirstColumn(*database_,
                          "SELECT owned FROM ownership WHERE owner_key LIKE"
                          " '%/persons/une'"),
              IsEmpty());
  // Nor does planning them again, or a record of theirs.
  Plan("c", "again", "une", absl::CivilDay(2026, 3, 20));
  EXPECT_THAT(FindEverywhere(*database_, Planted()), IsEmpty());
  enrolment_.Put(FactsOf("deux", ""));
  EXPECT_THAT(CreateCompletionRecord(*store_, enrolment_, Caller(),
                                     EnrolmentOf("deux")),
              HasReason(Reason::kPersonErased));
}

TEST_P(PrivacyStoreTest, AnErasureMayComeBeforeTheRoster) {
  PutCohort("c");
  enrolment_.PutPerson(Person("une"), kName);
  enrolment_.Put(FactsOf("une", kName));
  enrolment_.Erase(Person("une"));
  ASSERT_OK(ErasePerson(*store_, erasure_log_, Caller(), Person("une")));
  EXPECT_TRUE(IsErased("une"));
  ASSERT_OK(Follow());
  EXPECT_EQ(Learner("une").display_name, "");
  enrolment_.Put(FactsOf("une", kName));
  ASSERT_OK(Follow());
  EXPECT_THAT(FindEverywhere(*database_, Planted()), IsEmpty());
}

TEST_P(PrivacyStoreTest, NoNameIsCopiedWhileSomebodyIsErased) {
  LiveACourse();
  std::thread planning([&] {
    for (int i = 0; i < 10; ++i) {
      Plan("d", Cat("x", i), "une", absl::CivilDay(2026, 4, 1) + i);
      Publish("d", "Séance ajoutée");
    }
  });
  std::thread following([&] {
    EXPECT_OK(Follow());
    enrolment_.Erase(Person("une"));
    EXPECT_OK(Follow());
  });
  planning.join();
  following.join();
  EXPECT_TRUE(IsErased("une"));
  EXPECT_THAT(FindEverywhere(*database_, Planted()), IsEmpty());
}

TEST_P(PrivacyStoreTest, ATrimmedFeedHidesNoErasure) {
  LiveACourse();
  enrolment_.Erase(Person("une"));
  enrolment_.TrimFeed();
  ASSERT_OK(Follow());
  EXPECT_TRUE(IsErased("une"));
  EXPECT_THAT(FindEverywhere(*database_, Planted()), IsEmpty());
}

TEST_P(PrivacyStoreTest, WithoutTheLogNothingIsErased) {
  LiveACourse();
  testing::FakeErasureLog unwritable;
  unwritable.Fail(absl::UnavailableError("disk full"));
  enrolment_.Erase(Person("une"));
  EXPECT_THAT(FollowWith(unwritable), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(IsErased("une"));
  EXPECT_EQ(Learner("une").display_name, kName);
  ASSERT_OK(Follow()) << "from where it stood";
  EXPECT_TRUE(IsErased("une"));
  EXPECT_THAT(FindEverywhere(*database_, Planted()), IsEmpty());
}

TEST_P(PrivacyStoreTest, NothingIsWrittenOfWhoIsErased) {
  LiveACourse();
  const HalfDay open = Plan("c", "open", "t1", absl::CivilDay(2026, 3, 18));
  Publish("c", "Séance ajoutée");
  const auto entry = SignAt(open.start, open, {.signer = Person("une")});
  ASSERT_OK(entry);
  enrolment_.Erase(Person("une"));
  ASSERT_OK(Follow());
  EXPECT_THAT(
      CorrectAttendance(*store_, Caller(), entry->name,
                        {.status = AttendanceStatus::kJustified}, kReason),
      HasReason(Reason::kPersonErased));
  // The sheet can be closed nonetheless.
  ASSERT_OK(SignAt(open.start, open,
                   {.signer = Person("t1"), .role = SignerRole::kTrainer}));
  EXPECT_OK(CloseSheet(*store_, rules_, CallerAt(open.end), SheetOf(open.name),
                       {.mark_missing_absent = true}));
  EXPECT_THAT(ProblemsOf(open), IsEmpty());
}

TEST_P(PrivacyStoreTest, ATrainerIsErasedFromTheCalendars) {
  LiveACourse();
  enrolment_.Erase(Person("t1"));
  ASSERT_OK(Follow());
  EXPECT_THAT(FindEverywhere(*database_, {"Trainer Une"}), IsEmpty());
  EXPECT_THAT(FirstColumn(*database_,
                          "SELECT owned FROM ownership WHERE owner_key LIKE"
                          " '%/persons/t1'"),
              IsEmpty());
  EXPECT_THAT(ProblemsOf(morning_), IsEmpty());
  const auto view = GetCalendar(*store_, Caller(), CalendarOf(Cohort("d")));
  ASSERT_OK(view);
  EXPECT_FALSE(view->has_unpublished_changes);
  // What she attested is the learner's, and stays.
  EXPECT_EQ(EntriesOn(afternoon_)[0].statement, kStatement);
}

TEST_P(PrivacyStoreTest, APersonIsReadWhole) {
  LiveACourse();
  const auto record = ReadPerson(*store_, Caller(), Person("une"));
  ASSERT_OK(record);
  EXPECT_THAT(record->roster, SizeIs(1));
  EXPECT_THAT(record->entries, SizeIs(4)) << "the attestation included";
  EXPECT_THAT(record->completion_records, SizeIs(1));
  ASSERT_THAT(record->half_days, SizeIs(1));
  EXPECT_EQ(record->half_days[0].name, HalfDayOf("c", "later"));
  EXPECT_EQ(record->cohorts, (std::set{Cohort("c"), Cohort("d")}));
  const auto trainer = ReadPerson(*store_, Caller(), Person("t1"));
  ASSERT_OK(trainer);
  EXPECT_THAT(trainer->entries, SizeIs(3)) << "what she attested included";

  access::Caller caller = Caller();
  caller.scope = access::Scope::Body("bodies/other");
  EXPECT_THAT(ReadPerson(*store_, caller, Person("une")),
              HasReason(Reason::kPermissionDenied));
  caller.scope =
      access::Scope::Own(kBody, {Cat("learner:", Person("deux").text())});
  caller.principal.person = Person("deux").text();
  EXPECT_THAT(ReadPerson(*store_, caller, Person("une")),
              HasReason(Reason::kPermissionDenied));
  EXPECT_OK(ReadPerson(*store_, caller, Person("deux")));
}

TEST_P(PrivacyStoreTest, WhatProvesTheCourseHoldsThePerson) {
  LiveACourse();
  const auto holds = HoldsOn(*store_, rules_, Caller(), Person("une"));
  ASSERT_OK(holds);
  ASSERT_THAT(*holds, SizeIs(1));
  EXPECT_EQ((*holds)[0].kind, "completion_record");
  EXPECT_EQ((*holds)[0].until, absl::CivilDay(2029, 3, 15));
  EXPECT_THAT(*HoldsOn(*store_, rules_,
                       CallerAt(ParisMidnight(absl::CivilDay(2029, 3, 16))),
                       Person("une")),
              IsEmpty());
  EXPECT_THAT(*HoldsOn(*store_, rules_, Caller(), Person("nobody")), IsEmpty());
}

TEST_P(PrivacyStoreTest, ReasonsGoAYearAfterTheCourse) {
  LiveACourse();
  const BodyName body = BodyName::FromRecord(kBody);
  const absl::Time due = ParisMidnight(absl::CivilDay(2027, 3, 16));
  const auto early =
      DueIn(*store_, rules_, CallerAt(due - absl::Microseconds(1)), body);
  ASSERT_OK(early);
  ASSERT_THAT(*early, SizeIs(1));
  EXPECT_EQ((*early)[0].kind, "absence_reason");
  EXPECT_THAT((*early)[0].due, IsEmpty());
  const auto planned = DueIn(*store_, rules_, CallerAt(due), body);
  ASSERT_OK(planned);
  EXPECT_THAT((*planned)[0].due, SizeIs(3));
  EXPECT_TRUE(
      std::is_sorted((*planned)[0].due.begin(), (*planned)[0].due.end()));
  EXPECT_THAT((*DueIn(*store_, rules_, CallerAt(due),
                      BodyName::FromRecord("bodies/other")))[0]
                  .due,
              IsEmpty());

  EXPECT_THAT(
      RemoveDue(
          *store_, rules_, CallerAt(due), body,
          [](const auto&) {
            return MakeError(Reason::kEtagMismatch, {{"resource", kBody}});
          }),
      HasReason(Reason::kEtagMismatch));
  EXPECT_EQ(EntriesOn(afternoon_)[0].statement, kStatement);

  const access::Caller applying =
      CallerAt(due, "0190b2d0-7d3b-7000-8000-000000000001");
  const auto agree = [](const auto&) { return absl::OkStatus(); };
  const auto removed = RemoveDue(*store_, rules_, applying, body, agree);
  ASSERT_OK(removed);
  EXPECT_EQ((*removed)[0].due, (*planned)[0].due);
  for (const AttendanceEntry& entry : EntriesOn(afternoon_)) {
    EXPECT_EQ(entry.statement, "");
    EXPECT_EQ(entry.reason, "");
  }
  EXPECT_EQ(EntriesOn(afternoon_)[0].salt, "");
  EXPECT_EQ(EntriesOn(morning_)[0].witness, kWitness)
      << "who helped proves the signature";
  EXPECT_THAT(ProblemsOf(morning_), IsEmpty());
  EXPECT_THAT(ProblemsOf(afternoon_), IsEmpty());
  const auto repeated = RemoveDue(*store_, rules_, applying, body, agree);
  ASSERT_OK(repeated);
  EXPECT_THAT((*repeated)[0].due, IsEmpty());
}

TEST_P(PrivacyStoreTest, WhatWasWrittenBeforeIsSealed) {
  LiveACourse();
  Write(
      "UPDATE attendance_entry SET statement = 'en clair'"
      " WHERE statement <> ''");
  TakeChanges();
  storage::SealingOfBefore sealing(*database_, PartsOfBefore());
  EXPECT_FALSE(*sealing.Step(Caller()));
  EXPECT_THAT(FindEverywhere(*database_, {"en clair"}), IsEmpty());
  EXPECT_EQ(EntriesOn(afternoon_)[0].statement, "en clair");
  EXPECT_THAT(TakeChanges(), IsEmpty());
}

TEST_P(PrivacyStoreTest, WhoseTheTextsAreIsFoundInAnOlderRecord) {
  store_.reset();
  database_.reset();
  testing::TestDatabase older(GetParam());
  std::vector<storage::Migration> before;
  for (const storage::Migration& migration : Migrations()) {
    if (migration.number < 102) before.push_back(migration);
  }
  database_ = older.Open(before);
  Write(
      "INSERT INTO roster_entry (name, body, version, create_time,"
      " update_time, enrolment, person, display_name, payer_kind, funder_id,"
      " has_measures, state, since_time) VALUES ('bodies/b/cohorts/c/"
      "rosterEntries/e', 'bodies/b', 1, 0, 0, 'bodies/b/cohorts/c/enrolments/"
      "e', 'bodies/b/persons/l', 'L', '', '', 0, 'STARTED', 0)");
  const auto add = [&](const std::string& id, const std::string& signer,
                       const std::string& enrolment) {
    Write(
        Cat("INSERT INTO attendance_entry (name, body, version, create_time,"
            " update_time, sequence, act, signer, signer_role, enrolment,"
            " status, attended_minutes, means, witness, statement, reason,"
            " salt, content_commitment, late, to_reconcile, about, accepted,"
            " author, previous_hash, hash) VALUES ('bodies/b/cohorts/c/"
            "halfDays/h/attendanceEntries/",
            id, "', 'bodies/b', 1, 0, 0, 1, 'SIGNATURE', 'bodies/b/persons/",
            signer, "', 'LEARNER', '", enrolment,
            "', 'PRESENT', 0, 'ASSISTED', '', '', '', '', '', 0, 0, '', 0, "
            "'', '', '",
            id, "')"));
  };
  add("1", "l", "bodies/b/cohorts/c/enrolments/e");
  add("2", "t", "bodies/b/cohorts/c/enrolments/e");
  add("3", "t", "");
  for (const char* id : {"t", "u"}) {
    Write(
        Cat("INSERT INTO trainer (name, body, version, create_time,"
            " update_time, display_name) VALUES ('bodies/b/persons/",
            id, "', 'bodies/b', 1, 0, 0, 'T')"));
  }
  for (const char* id : {"c", "cc"}) {
    Write(
        Cat("INSERT INTO calendar (name, body, version, create_time,"
            " update_time, cohort_display_name, time_zone, programme,"
            " module_ids, programme_minutes, published_version) VALUES"
            " ('bodies/b/cohorts/",
            id, "/calendar', 'bodies/b', 1, 0, 0, '', '', '', '[]', 0, 1)"));
  }
  Write(
      "INSERT INTO calendar_version (name, body, version, create_time,"
      " update_time, number, reason, time_zone, half_days, missing_items,"
      " recipients, amendments_needed) VALUES ('bodies/b/cohorts/c/"
      "calendarVersions/1', 'bodies/b', 1, 0, 0, 1, '', '',"
      " '[{\"person\":\"bodies/b/persons/t\"}]', '[]', '[]', '[]')");
  database_.reset();
  database_ = older.Open(Migrations());
  EXPECT_THAT(FirstColumn(*database_,
                          "SELECT person FROM attendance_entry ORDER BY name"),
              ElementsAre("bodies/b/persons/l", "bodies/b/persons/l",
                          "bodies/b/persons/t"));
  EXPECT_THAT(FirstColumn(*database_, "SELECT person FROM calendar_trainer"),
              ElementsAre("bodies/b/persons/t"));
  EXPECT_THAT(FirstColumn(*database_, "SELECT cohort FROM calendar_trainer"),
              ElementsAre("bodies/b/cohorts/c"));
  database_.reset();
}

// A copy of the file is what a backup of SQLite is.
class RestoredStoreTest : public PrivacyStoreTest {};
INSTANTIATE_TEST_SUITE_P(Engines, RestoredStoreTest,
                         ::testing::Values(storage::Engine::kSqlite),
                         testing::EngineName());

TEST_P(RestoredStoreTest, AnErasureIsDoneAgain) {
  LiveACourse();
  constexpr std::string_view kScheme = "sqlite://";
  const std::string file = test_database_.options().url.substr(kScheme.size());
  store_.reset();
  database_.reset();
  const std::string copy = folder_.File("copy.db");
  std::filesystem::copy_file(file, copy);
  Open();
  enrolment_.Erase(Person("une"));
  ASSERT_OK(Follow());
  ASSERT_OK(ErasePerson(*store_, erasure_log_, Caller(), Person("unknown")));
  store_.reset();
  database_.reset();
  std::filesystem::remove(file + "-wal");
  std::filesystem::remove(file + "-shm");
  std::filesystem::copy_file(copy, file,
                             std::filesystem::copy_options::overwrite_existing);
  Open();
  EXPECT_FALSE(IsErased("une"));
  EXPECT_EQ(EntriesOn(afternoon_)[0].statement, kStatement) << "it is back";

  const auto replay = [&] {
    return privacy::ReplayErasures(
        erasure_log_, *database_, Caller(), [&](const std::string& person) {
          return EraseAgain(*store_, Caller(), PersonName::FromRecord(person));
        });
  };
  ASSERT_OK(replay());
  EXPECT_TRUE(IsErased("une"));
  EXPECT_TRUE(IsErased("unknown"));
  EXPECT_THAT(FindEverywhere(*database_, Planted()), IsEmpty());
  EXPECT_THAT(ProblemsOf(afternoon_), IsEmpty());
  TakeChanges();
  ASSERT_OK(replay());
  EXPECT_THAT(TakeChanges(), IsEmpty());
}

}  // namespace
}  // namespace parcours::scheduling
