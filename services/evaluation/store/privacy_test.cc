// What evaluation keeps of persons, on both engines: sealed, held, removed when
// it is due, and erased for ever. What its methods answer of it is tested
// beside them.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/documents/upload_repository.h"
#include "common/documents/upload_store.h"
#include "common/privacy/erasure.h"
#include "common/privacy/erasure_log.h"
#include "common/rules/rule_book.h"
#include "common/status/error.h"
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
#include "services/evaluation/domain/erasure_use_cases.h"
#include "services/evaluation/domain/jury_use_cases.h"
#include "services/evaluation/domain/note_use_cases.h"
#include "services/evaluation/domain/result_use_cases.h"
#include "services/evaluation/domain/retention.h"
#include "services/evaluation/domain/roster_use_cases.h"
#include "services/evaluation/store/migrations.h"
#include "services/evaluation/store/sql_evaluation_store.h"
#include "services/evaluation/store/tables.h"
#include "services/evaluation/testing/fake_ports.h"
#include "services/evaluation/testing/samples.h"

namespace parcours::evaluation {
namespace {

using ::testing::AllOf;
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
using ::testing::UnorderedElementsAre;

constexpr absl::CivilDay kJuryDay(2027, 1, 20);
// The last day of appeal is 20 March.
constexpr absl::CivilDay kAfterAppeals(2027, 3, 21);

// What stands of one learner, each where it belongs.
constexpr char kName[] = "Zoé Marque-Nom";
constexpr char kSubject[] = "marque sujet";
constexpr char kRemarks[] = "marque remarques";
constexpr char kReopening[] = "marque réouverture";
constexpr char kAgreedBy[] = "marque aménagement";
constexpr char kLateness[] = "marque retard";
constexpr char kComments[] = "marque rapport";
constexpr char kReason[] = "marque motif";
constexpr char kStatement[] = "marque exposé";
constexpr char kAnswer[] = "marque réponse";
constexpr char kFile[] = "marque fichier";

const std::vector<std::string>& Planted() {
  static const auto& planted = *new std::vector<std::string>{
      kName,     kSubject, kRemarks,   kReopening, kAgreedBy, kLateness,
      kComments, kReason,  kStatement, kAnswer,    kFile};
  return planted;
}

// "a" was deferred by the jury "first" and has appealed; "b" was awarded a
// certificate by it.
class PrivacyStoreTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  PrivacyStoreTest() {
    auto uploads = documents::UploadStore::Open(
        {.directory = folder_.File("files"), .key_file = folder_.File("key")});
    EXPECT_OK(uploads);
    uploads_ = *std::move(uploads);
    Open();
  }

  void Open() {
    Shut();
    database_ = test_database_.Open(AllMigrations());
    database_->AddCommitListener([&](absl::Span<const storage::Change> made) {
      const std::lock_guard lock(changes_mutex_);
      changes_.insert(changes_.end(), made.begin(), made.end());
    });
    store_ = std::make_unique<SqlEvaluationStore>(*database_);
  }
  void Shut() {
    store_.reset();
    database_.reset();
  }

  access::Caller CallerAt(absl::Time now, const std::string& request_id = "") {
    access::Caller caller{.principal = {.subject = "tester"},
                          .scope = access::Scope::Installation(),
                          .method = "parcours.evaluation.v1.Test/Step",
                          .request_id = request_id,
                          .request_digest = request_id};
    caller.deadline = absl::Now() + absl::Seconds(60);
    caller.now = now;
    return caller;
  }
  access::Caller Caller() { return CallerAt(now_); }

  static EnrolmentName Enrolment(const std::string& id) {
    return MakeLearner(SampleCohort(), id).name;
  }
  static PersonName Person(const std::string& id) {
    return MakeLearner(SampleCohort(), id).person;
  }
  static EnrolmentFacts FactsOf(const std::string& id,
                                const std::string& name) {
    EnrolmentFacts facts = MakeLearner(SampleCohort(), id);
    facts.display_name = name;
    facts.has_measures = true;
    return facts;
  }

  absl::Status Follow() { return FollowWith(erasure_log_); }
  absl::Status FollowWith(privacy::ErasureLog& log) {
    return SynchroniseRoster(*store_, enrolment_, log, Caller()).status();
  }
  absl::Status Finish() {
    return privacy::FinishErasures(*database_, uploads_.get(), Caller());
  }
  absl::Status Replay() {
    return privacy::ReplayErasures(
        erasure_log_, *database_, Caller(), [&](const std::string& person) {
          return EraseAgain(*store_, Caller(), PersonName::FromRecord(person));
        });
  }

  // Enrolment has erased "a", and this service follows.
  void EraseA() {
    enrolment_.Erase(Person("a"));
    ASSERT_OK(Follow());
  }

  // A file that "a" has handed in; its object.
  std::string ReceiveFile() {
    documents::Upload upload;
    upload.name = documents::UploadName::FromRecord("bodies/opale/uploads/u");
    upload.object_id = documents::UploadStore::NewObjectId();
    upload.byte_size = static_cast<int64_t>(std::string_view(kFile).size());
    upload.content_type = "application/pdf";
    upload.account = "user:a";
    upload.state = documents::UploadState::kComplete;
    upload.sha256 = std::string(64, 'a');
    upload.expire_time = now_ + absl::Hours(1);
    std::string key;
    EXPECT_OK(database_->Transact(
        Caller(),
        [&](storage::Transaction& transaction)
            -> absl::StatusOr<storage::Outcome> {
          RETURN_IF_ERROR(documents::GiveFileKey(transaction, upload));
          documents::UploadRepository(transaction).Insert(upload);
          ASSIGN_OR_RETURN(key, documents::OpenFileKey(transaction, upload));
          return storage::Outcome{};
        }));
    auto writer = uploads_->OpenForWrite(upload.object_id, key, 0);
    EXPECT_OK(writer);
    EXPECT_OK((*writer)->Append(kFile));
    EXPECT_OK((*writer)->Finish());
    return upload.object_id;
  }

  // Everything that may stand of a person, up to an appeal without an answer.
  void LiveACourse() {
    enrolment_.Put(FactsOf("a", kName));
    enrolment_.Put(FactsOf("b", "Candidate B"));
    ASSERT_OK(Follow());
    object_ = ReceiveFile();
    Jury jury = SampleJury();
    jury_ = jury.name;
    jury.state = JuryState::kOpen;
    jury.quorum = 3;
    jury.candidates = {Enrolment("a"), Enrolment("b")};
    jury.open_time = now_;
    for (JuryMember& member : jury.members) member.present = true;
    ASSERT_OK(store_->Change(
        Caller(), [&](EvaluationUnit& unit) -> absl::StatusOr<std::string> {
          return Insert(unit, jury);
        }));
    const auto lodged =
        LodgeAppeal(*store_, rules_, Caller(), SampleCohort(),
                    {.decision = DecisionOf(jury_, Enrolment("a")),
                     .statement = kStatement});
    ASSERT_OK(lodged);
    appeal_ = lodged->name;
    TakeChanges();
  }

  absl::StatusOr<std::string> Insert(EvaluationUnit& unit, Jury jury) {
    AssessmentPlan plan = SamplePlan();
    unit.plans().Insert(plan);
    ValidationNote note;
    note.name = NoteOf(Enrolment("a"));
    note.enrolment = Enrolment("a");
    note.person = Person("a");
    note.person_display_name = kName;
    note.state = NoteState::kFinal;
    note.subject = kSubject;
    note.subject_remarks = kRemarks;
    note.subject_decider = "Personne Responsable";
    note.version_count = 1;
    note.final_version = 1;
    note.adaptation = NoteAdaptation{.agreed_by = kAgreedBy};
    note.reopen_reason = kReopening;
    unit.notes().Insert(note);
    RETURN_IF_ERROR(unit.ClaimUpload(access::Scope::Installation(),
                                     documents::UploadName::FromRecord(
                                         "bodies/opale/uploads/u"),
                                     "upload", note.person)
                        .status());
    NoteVersion version;
    version.name = VersionOf(note.name, 1);
    version.final = true;
    version.object_id = object_;
    version.sha256 = std::string(64, 'a');
    version.late = true;
    version.late_reason = kLateness;
    unit.versions().Insert(version);
    NoteReader reader;
    reader.name = ChildName<NoteReaderName>(note.name, "readers", "member-1");
    reader.person = SampleMember(1);
    reader.learner = note.person;
    reader.person_display_name = "Membre 1";
    reader.reported = true;
    reader.comments = kComments;
    unit.readers().Insert(reader);

    std::vector<Decision> decisions;
    std::vector<MinutesCandidate> candidates;
    for (const char* id : {"a", "b"}) {
      Decision decision;
      decision.name = DecisionOf(jury.name, Enrolment(id));
      decision.enrolment = Enrolment(id);
      decision.person = Person(id);
      const bool awarded = std::string_view(id) == "b";
      decision.outcome =
          awarded ? DecisionOutcome::kAwarded : DecisionOutcome::kDeferred;
      if (!awarded) decision.reason = kReason;
      decision.reason_salt = Cat("salt-of-", id);
      decision.decide_time = now_;
      unit.decisions().Insert(decision);
      decisions.push_back(decision);
      candidates.push_back({.enrolment = Enrolment(id), .display_name = kName});
      Result result;
      result.name = ResultOf(Enrolment(id));
      result.enrolment = Enrolment(id);
      result.person = Person(id);
      result.person_display_name = awarded ? "Candidate B" : kName;
      result.outcome =
          awarded ? ResultOutcome::kAwarded : ResultOutcome::kDeferred;
      result.decision = decision.name;
      result.proclaim_time = now_;
      unit.results().Insert(result);
    }
    ASSIGN_OR_RETURN(Minutes minutes,
                     CloseSession(jury, {.plan = plan,
                                         .decisions = decisions,
                                         .candidates = candidates,
                                         .departed = {},
                                         .position = 1,
                                         .previous_digest = "",
                                         .now = now_}));
    unit.minutes().Insert(minutes);
    unit.juries().Insert(jury);
    return jury.name.text();
  }

  void Answer() {
    ASSERT_OK(AnswerAppeal(*store_, Caller(), appeal_, /*upheld=*/false,
                           kAnswer, "Personne Responsable", ""));
  }

  // Where any of `texts` stands, but for the minutes: these stay.
  std::vector<std::string> Find(const std::vector<std::string>& texts) {
    std::vector<std::string> found = FindEverywhere(*database_, texts);
    std::erase_if(found, [](const std::string& place) {
      return place.starts_with("minutes.");
    });
    return found;
  }

  void Write(const std::vector<storage::Statement>& statements) {
    ASSERT_OK(database_->Transact(Caller(),
                                  [&](storage::Transaction& transaction)
                                      -> absl::StatusOr<storage::Outcome> {
                                    for (const auto& one : statements) {
                                      transaction.Write(one);
                                    }
                                    return storage::Outcome{};
                                  }));
  }

  std::vector<storage::Change> TakeChanges() {
    const std::lock_guard lock(changes_mutex_);
    return std::exchange(changes_, {});
  }

  PersonRecord RecordOf(const std::string& id) {
    PersonRecord record;
    EXPECT_OK(store_->View(Caller(), [&](EvaluationUnit& unit) -> absl::Status {
      ASSIGN_OR_RETURN(record, unit.RecordOf(Caller().scope, Person(id)));
      return absl::OkStatus();
    }));
    return record;
  }
  bool IsErased(const PersonName& person) {
    bool erased = false;
    EXPECT_OK(store_->View(Caller(), [&](EvaluationUnit& unit) -> absl::Status {
      ASSIGN_OR_RETURN(const auto among, unit.ErasedAmong({person}));
      erased = !among.empty();
      return absl::OkStatus();
    }));
    return erased;
  }
  // Position at which the chain of minutes is broken; 0: nowhere.
  int64_t BrokenAt() {
    const auto verified =
        VerifyMinutes(*store_, Caller(), BodyName::FromRecord("bodies/opale"),
                      /*position=*/0, /*digest=*/"");
    EXPECT_OK(verified);
    return verified.ok() ? verified->first_broken_position : -1;
  }
  std::vector<std::string> HeldBy(const std::string& id) {
    const auto holds = HoldsOn(*store_, rules_, Caller(), Person(id));
    EXPECT_OK(holds);
    std::vector<std::string> resources;
    for (const privacy::LegalHold& hold : *holds) {
      EXPECT_EQ(hold.kind, "under_way");
      resources.push_back(hold.resource);
    }
    return resources;
  }
  std::vector<privacy::RetentionClass> Due(const BodyName& body) {
    auto due = DueIn(*store_, rules_, Caller(), body);
    EXPECT_OK(due);
    return due.ok() ? *std::move(due) : std::vector<privacy::RetentionClass>();
  }
  bool HasFile() { return std::filesystem::exists(uploads_->PathOf(object_)); }

  testing::TempDir folder_;
  testing::TestDatabase test_database_{GetParam()};
  std::mutex changes_mutex_;
  std::vector<storage::Change> changes_;  // guarded by changes_mutex_
  std::unique_ptr<documents::UploadStore> uploads_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<SqlEvaluationStore> store_;
  FakeEnrolment enrolment_;
  privacy::FileErasureLog erasure_log_{folder_.File("erasures")};
  const rules::RuleBook rules_ = *rules::RuleBook::Load("rules/fr.txtpb");
  absl::Time now_ = ParisMidnight(kJuryDay) + absl::Hours(15);
  std::string object_;
  JuryName jury_;
  AppealName appeal_;
};

INSTANTIATE_TEST_SUITE_P(Engines, PrivacyStoreTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

constexpr char kSealedTexts[] =
    "SELECT adaptation FROM validation_note WHERE adaptation <> ''"
    " UNION ALL SELECT comments FROM note_reader WHERE comments <> ''"
    " UNION ALL SELECT reason FROM decision WHERE reason <> ''"
    " UNION ALL SELECT statement FROM appeal WHERE statement <> ''"
    " UNION ALL SELECT answer FROM appeal WHERE answer <> ''";

TEST_P(PrivacyStoreTest, WhatIsThePersonsOwnIsSealed) {
  LiveACourse();
  Answer();
  EXPECT_THAT(FirstColumn(*database_, kSealedTexts), SizeIs(5));
  EXPECT_THAT(FirstColumn(*database_, kSealedTexts), Each(StartsWith("\x01")));
  EXPECT_THAT(Find({kAgreedBy, kComments, kReason, kStatement, kAnswer, kFile}),
              IsEmpty());
  const PersonRecord record = RecordOf("a");
  EXPECT_EQ(record.notes[0].adaptation->agreed_by, kAgreedBy);
  EXPECT_EQ(record.reports[0].comments, kComments);
  EXPECT_EQ(record.decisions[0].reason, kReason);
  EXPECT_EQ(record.appeals[0].statement, kStatement);
  EXPECT_EQ(record.appeals[0].answer, kAnswer);
}

TEST_P(PrivacyStoreTest, WhatWasWrittenBeforeIsSealed) {
  LiveACourse();
  Answer();
  Write({{.sql = "UPDATE validation_note SET adaptation = $1",
          .values = {R"({"min_pages":8,"max_pages":12,"due_date":null,)"
                     R"("agreed_by":"en clair 1"})"}},
         {.sql = "UPDATE note_reader SET comments = $1",
          .values = {"en clair 2"}},
         {.sql = "UPDATE decision SET reason = $1 WHERE reason <> ''",
          .values = {"en clair 3"}},
         {.sql = "UPDATE appeal SET statement = $1, answer = $2",
          .values = {"en clair 4", "en clair 5"}}});
  EXPECT_THAT(Find({"en clair"}), SizeIs(5));
  TakeChanges();
  const PersonRecord before = RecordOf("a");

  storage::SealingOfBefore sealing(*database_, PartsOfBefore());
  EXPECT_FALSE(*sealing.Step(Caller()));
  EXPECT_THAT(Find({"en clair"}), IsEmpty());
  EXPECT_THAT(FirstColumn(*database_, kSealedTexts), SizeIs(5));
  EXPECT_THAT(FirstColumn(*database_, kSealedTexts), Each(StartsWith("\x01")));
  EXPECT_THAT(TakeChanges(), IsEmpty());

  const PersonRecord after = RecordOf("a");
  EXPECT_EQ(after.notes[0].adaptation->min_pages, 8);
  EXPECT_EQ(after.notes[0].adaptation->agreed_by, "en clair 1");
  EXPECT_EQ(after.reports[0].comments, "en clair 2");
  EXPECT_EQ(after.decisions[0].reason, "en clair 3");
  EXPECT_EQ(after.appeals[0].statement, "en clair 4");
  EXPECT_EQ(after.appeals[0].answer, "en clair 5");
  EXPECT_EQ(after.notes[0].version, before.notes[0].version);
  EXPECT_EQ(after.notes[0].update_time, before.notes[0].update_time);
  EXPECT_EQ(after.decisions[0].version, before.decisions[0].version);

  const std::vector<std::string> sealed = FirstColumn(*database_, kSealedTexts);
  storage::SealingOfBefore again(*database_, PartsOfBefore());
  EXPECT_FALSE(*again.Step(Caller()));
  EXPECT_EQ(FirstColumn(*database_, kSealedTexts), sealed);
}

TEST_P(PrivacyStoreTest, WhatSaidNothingBeforeSaysNothing) {
  LiveACourse();
  // As no adaptation was written.
  Write({{.sql = "UPDATE validation_note SET adaptation = 'null'",
          .values = {}}});
  storage::SealingOfBefore sealing(*database_, PartsOfBefore());
  EXPECT_FALSE(*sealing.Step(Caller()));
  EXPECT_THAT(FirstColumn(*database_, "SELECT adaptation FROM validation_note"),
              ElementsAre(""));
  EXPECT_FALSE(RecordOf("a").notes[0].adaptation.has_value());
}

TEST_P(PrivacyStoreTest, ErasingLeavesNothingOfThePersonButFigures) {
  LiveACourse();
  Answer();
  EXPECT_THAT(
      Find({kName, kSubject, kRemarks, kReopening, kLateness}),
      UnorderedElementsAre(Cat("roster_entry.display_name: ", kName),
                           Cat("validation_note.person_display_name: ", kName),
                           Cat("result.person_display_name: ", kName),
                           Cat("validation_note.subject: ", kSubject),
                           Cat("validation_note.subject_remarks: ", kRemarks),
                           Cat("validation_note.reopen_reason: ", kReopening),
                           Cat("note_version.late_reason: ", kLateness)))
      << "the search finds what is there";
  ASSERT_EQ(BrokenAt(), 0);
  const PersonRecord before = RecordOf("a");
  const std::string commitment = ReasonCommitment(before.decisions[0]);
  constexpr char kOutcomes[] =
      "SELECT outcome FROM result UNION ALL SELECT outcome FROM decision"
      " ORDER BY outcome";
  const std::vector<std::string> outcomes = FirstColumn(*database_, kOutcomes);
  const std::vector<std::string> minutes =
      FirstColumn(*database_, "SELECT text FROM minutes");
  ASSERT_THAT(minutes, ElementsAre(HasSubstr(kReason)));
  TakeChanges();

  EraseA();
  EXPECT_THAT(Find(Planted()), IsEmpty());
  EXPECT_THAT(FirstColumn(*database_,
                          "SELECT owned FROM ownership WHERE owner_key LIKE"
                          " '%/persons/learner-a'"),
              IsEmpty());
  EXPECT_THAT(
      FirstColumn(
          *database_,
          "SELECT reason_salt FROM decision WHERE outcome = 'DEFERRED'"),
      ElementsAre(""));
  EXPECT_THAT(*erasure_log_.Read(), ElementsAre(Person("a").text()));

  // What was decided still is, and is proved.
  EXPECT_EQ(BrokenAt(), 0);
  EXPECT_EQ(FirstColumn(*database_, kOutcomes), outcomes);
  EXPECT_EQ(FirstColumn(*database_, "SELECT text FROM minutes"), minutes);
  const PersonRecord after = RecordOf("a");
  EXPECT_EQ(ReasonCommitment(after.decisions[0]), commitment);
  EXPECT_EQ(after.appeals[0].state, AppealState::kDismissed);
  EXPECT_EQ(after.appeals[0].answer_time, before.appeals[0].answer_time);
  EXPECT_EQ(after.versions[0].sha256, before.versions[0].sha256);
  EXPECT_TRUE(after.versions[0].late);
  EXPECT_TRUE(after.reports[0].reported);
  EXPECT_FALSE(after.roster[0].has_measures);

  // Everybody who reads the feed is told of everything that changed.
  std::vector<std::string> kinds;
  for (const storage::Change& change : TakeChanges()) {
    EXPECT_THAT(change.scopes_after, Not(IsEmpty())) << change.name;
    kinds.push_back(change.kind);
  }
  EXPECT_THAT(kinds, AllOf(Contains("rosterEntry"), Contains("validationNote"),
                           Contains("noteVersion"), Contains("noteReader"),
                           Contains("decision"), Contains("result"),
                           Contains("appeal"), Not(Contains("erasure"))));

  // Others keep what is theirs.
  const PersonRecord other = RecordOf("b");
  EXPECT_EQ(other.roster[0].display_name, "Candidate B");
  EXPECT_EQ(other.results[0].person_display_name, "Candidate B");
}

TEST_P(PrivacyStoreTest, WhatACrashLeftIsFinishedByTheNextCall) {
  LiveACourse();
  EraseA();
  EXPECT_TRUE(HasFile());
  TakeChanges();
  Open();
  ASSERT_OK(Finish());
  EXPECT_FALSE(HasFile());
  ASSERT_OK(Finish());
  std::vector<std::string> erasures;
  for (const storage::Change& change : TakeChanges()) {
    if (change.kind == "erasure") erasures.push_back(change.name);
  }
  EXPECT_THAT(erasures, ElementsAre("bodies/opale/erasures/learner-a"));
}

TEST_P(PrivacyStoreTest, WhatWasOnlyNotedIsDoneAtTheNextStart) {
  LiveACourse();
  ASSERT_OK(erasure_log_.Append(Person("a").text(), now_));
  Open();
  ASSERT_OK(Replay());
  EXPECT_TRUE(IsErased(Person("a")));
  EXPECT_THAT(Find(Planted()), IsEmpty());
  ASSERT_OK(Finish());
  EXPECT_FALSE(HasFile());
  TakeChanges();
  ASSERT_OK(Replay());
  ASSERT_OK(Finish());
  EXPECT_THAT(TakeChanges(), IsEmpty());
}

TEST_P(PrivacyStoreTest, WhoIsErasedIsNotErasedAgain) {
  LiveACourse();
  EraseA();
  ASSERT_OK(Finish());
  TakeChanges();
  const auto noted = std::filesystem::file_size(folder_.File("erasures"));
  // Enrolment says it again with each acknowledgement.
  EraseA();
  ASSERT_OK(Finish());
  ASSERT_OK(ErasePerson(*store_, erasure_log_, Caller(), Person("a")));
  ASSERT_OK(EraseAgain(*store_, Caller(), Person("a")));
  EXPECT_THAT(TakeChanges(), IsEmpty());
  EXPECT_EQ(std::filesystem::file_size(folder_.File("erasures")), noted);
}

TEST_P(PrivacyStoreTest, WithoutTheLogNothingIsErased) {
  LiveACourse();
  testing::FakeErasureLog unwritable;
  unwritable.Fail(absl::UnavailableError("disk full"));
  enrolment_.Erase(Person("a"));
  EXPECT_THAT(FollowWith(unwritable), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(IsErased(Person("a")));
  EXPECT_EQ(RecordOf("a").roster[0].display_name, kName);
  ASSERT_OK(Follow()) << "from where it stood";
  EXPECT_TRUE(IsErased(Person("a")));
}

TEST_P(PrivacyStoreTest, ALateChangeBringsNobodyBack) {
  LiveACourse();
  EraseA();
  // As an answer would say that was on its way.
  EnrolmentFacts facts = FactsOf("a", kName);
  facts.state = EnrolmentState::kStarted;
  enrolment_.Put(facts);
  ASSERT_OK(Follow());
  EXPECT_EQ(RecordOf("a").roster[0].state, EnrolmentState::kStarted);
  EXPECT_THAT(Find(Planted()), IsEmpty());
  EXPECT_FALSE(RecordOf("a").roster[0].has_measures);
}

TEST_P(PrivacyStoreTest, ARosterThatIsReadWholeBringsNobodyBack) {
  LiveACourse();
  EraseA();
  EnrolmentFacts facts = FactsOf("a", kName);
  facts.state = EnrolmentState::kStarted;
  enrolment_.Put(facts);
  enrolment_.Put(FactsOf("b", "Candidate B, renommée"));
  enrolment_.TrimFeed();
  ASSERT_OK(Follow());
  EXPECT_EQ(RecordOf("b").roster[0].display_name, "Candidate B, renommée");
  EXPECT_EQ(RecordOf("a").roster[0].state, EnrolmentState::kStarted);
  EXPECT_THAT(Find(Planted()), IsEmpty());
}

TEST_P(PrivacyStoreTest, ATrimmedFeedHidesNoErasure) {
  LiveACourse();
  enrolment_.Erase(Person("a"));
  enrolment_.TrimFeed();
  ASSERT_OK(Follow());
  EXPECT_TRUE(IsErased(Person("a")));
  EXPECT_THAT(Find(Planted()), IsEmpty());
}

TEST_P(PrivacyStoreTest, NobodyIsErasedWhileTheirNameIsWritten) {
  LiveACourse();
  ASSERT_OK(store_->Change(
      Caller(), [&](EvaluationUnit& unit) -> absl::StatusOr<std::string> {
        ASSIGN_OR_RETURN(const auto erased, unit.ErasedAmong({Person("a")}));
        EXPECT_THAT(erased, IsEmpty());
        access::Caller hasty = Caller();
        hasty.deadline = absl::Now() + absl::Milliseconds(300);
        absl::Status meanwhile;
        std::thread([&] {
          meanwhile = EraseAgain(*store_, hasty, Person("a"));
        }).join();
        EXPECT_FALSE(meanwhile.ok());
        // Another participation, of which the erasure could not know.
        EnrolmentFacts facts = FactsOf("another", kName);
        facts.person = Person("a");
        RosterEntry entry;
        Copy(facts, entry);
        unit.roster().Insert(entry);
        return entry.name.text();
      }));
  EXPECT_THAT(RecordOf("a").roster, SizeIs(2));
  ASSERT_OK(EraseAgain(*store_, Caller(), Person("a")));
  EXPECT_THAT(Find(Planted()), IsEmpty());
}

TEST_P(PrivacyStoreTest, NoNameIsCopiedWhileSomebodyIsErased) {
  LiveACourse();
  // The owner says the name until it has erased them too.
  std::thread following([&] {
    for (int i = 0; i < 20; ++i) {
      EnrolmentFacts facts = FactsOf("a", kName);
      facts.state =
          i % 2 == 0 ? EnrolmentState::kStarted : EnrolmentState::kCompleted;
      enrolment_.Put(facts);
      EXPECT_OK(Follow());
    }
  });
  std::thread noting([&] {
    for (int i = 0; i < 20; ++i) {
      const auto reopened =
          ReopenNote(*store_, Caller(), NoteOf(Enrolment("a")), kReopening, "");
      if (!reopened.ok()) {
        EXPECT_THAT(reopened, Not(HasReason(Reason::kInternal)));
      }
    }
  });
  EXPECT_OK(ErasePerson(*store_, erasure_log_, Caller(), Person("a")));
  following.join();
  noting.join();
  EXPECT_THAT(Find(Planted()), IsEmpty());
}

TEST_P(PrivacyStoreTest, NothingIsWrittenOnTheNoteOfWhoIsErased) {
  LiveACourse();
  EraseA();
  const NoteName note = NoteOf(Enrolment("a"));
  for (const char* state : {"SUBJECT_PROPOSED", "SUBJECT_CHANGES_ASKED",
                            "SUBJECT_APPROVED", "DRAFT", "FINAL"}) {
    Write({{.sql = "UPDATE validation_note SET state = $1",
            .values = {std::string(state)}}});
    EXPECT_THAT(ProposeSubject(*store_, Caller(), note, kSubject, ""),
                HasReason(Reason::kPersonErased));
    EXPECT_THAT(ApproveSubject(*store_, Caller(), note, "Personne", ""),
                HasReason(Reason::kPersonErased));
    EXPECT_THAT(
        AskSubjectChanges(*store_, Caller(), note, "Personne", kRemarks, ""),
        HasReason(Reason::kPersonErased));
    EXPECT_THAT(AdaptNote(*store_, Caller(), note,
                          {.min_pages = 1, .max_pages = 2}, ""),
                HasReason(Reason::kPersonErased));
    EXPECT_THAT(ReopenNote(*store_, Caller(), note, kReopening, ""),
                HasReason(Reason::kPersonErased));
  }
  EXPECT_THAT(Find(Planted()), IsEmpty());
}

TEST_P(PrivacyStoreTest, WhatIsUnderWayHoldsThePerson) {
  LiveACourse();
  const std::string decision = DecisionOf(jury_, Enrolment("a")).text();
  EXPECT_THAT(HeldBy("a"), ElementsAre(appeal_.text(), decision));
  now_ = ParisMidnight(kAfterAppeals);
  EXPECT_THAT(HeldBy("a"), ElementsAre(appeal_.text()));
  Answer();
  EXPECT_THAT(HeldBy("a"), IsEmpty());
  // Without a result the note waits for one, and a jury that sits is theirs.
  Write({{.sql = "DELETE FROM result", .values = {}}});
  EXPECT_THAT(HeldBy("a"), ElementsAre(NoteOf(Enrolment("a")).text()));
  Write({{.sql = "UPDATE jury SET state = 'OPEN'", .values = {}}});
  EXPECT_THAT(HeldBy("a"),
              ElementsAre(jury_.text(), NoteOf(Enrolment("a")).text()));
}

TEST_P(PrivacyStoreTest, WhatIsDueGoesOnceItWasAgreedTo) {
  LiveACourse();
  Answer();
  const BodyName body = BodyName::FromRecord("bodies/opale");
  const absl::CivilDay last(kJuryDay.year() + 5, kJuryDay.month(),
                            kJuryDay.day() - 1);
  now_ = ParisMidnight(last) + absl::Hours(23);
  for (const auto& none : Due(body)) {
    EXPECT_THAT(none.due, IsEmpty()) << none.kind;
  }
  now_ = ParisMidnight(last + 1);
  const std::vector<privacy::RetentionClass> due = Due(body);
  ASSERT_THAT(due, SizeIs(2));
  EXPECT_THAT(due[0].due, ElementsAre(NoteOf(Enrolment("a")).text()));
  EXPECT_THAT(due[1].due, ElementsAre(appeal_.text()));
  for (const auto& none : Due(BodyName::FromRecord("bodies/other"))) {
    EXPECT_THAT(none.due, IsEmpty()) << none.kind;
  }

  const auto refuse = [](const auto&) {
    return MakeError(Reason::kEtagMismatch, {{"resource", "bodies/opale"}});
  };
  EXPECT_THAT(RemoveDue(*store_, rules_, Caller(), body, refuse),
              HasReason(Reason::kEtagMismatch));
  EXPECT_EQ(RecordOf("a").appeals[0].statement, kStatement);
  EXPECT_EQ(RecordOf("a").versions[0].object_id, object_);

  const access::Caller applying =
      CallerAt(now_, "0190b2d0-7d3b-7000-8000-000000000001");
  const auto agree = [](const auto&) { return absl::OkStatus(); };
  const auto removed = RemoveDue(*store_, rules_, applying, body, agree);
  ASSERT_OK(removed);
  EXPECT_EQ((*removed)[0].due, due[0].due);
  EXPECT_EQ((*removed)[1].due, due[1].due);
  const PersonRecord after = RecordOf("a");
  EXPECT_EQ(after.appeals[0].statement, "");
  EXPECT_EQ(after.appeals[0].answer, "");
  EXPECT_EQ(after.versions[0].object_id, "");
  EXPECT_EQ(after.notes[0].person_display_name, kName) << "nobody is erased";
  ASSERT_OK(documents::CollectExpiredUploads(*database_, *uploads_, Caller()));
  EXPECT_FALSE(HasFile());
  const auto repeated = RemoveDue(*store_, rules_, applying, body, agree);
  ASSERT_OK(repeated);
  EXPECT_THAT((*repeated)[0].due, IsEmpty());
  EXPECT_THAT((*repeated)[1].due, IsEmpty());
}

// A copy of the file is what a backup of SQLite is.
class RestoredStoreTest : public PrivacyStoreTest {
 protected:
  std::string File() {
    constexpr std::string_view kScheme = "sqlite://";
    return test_database_.options().url.substr(kScheme.size());
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, RestoredStoreTest,
                         ::testing::Values(storage::Engine::kSqlite),
                         testing::EngineName());

TEST_P(RestoredStoreTest, AnErasureIsDoneAgain) {
  LiveACourse();
  Shut();
  const std::string copy = folder_.File("copy.db");
  std::filesystem::copy_file(File(), copy);
  Open();
  EraseA();
  ASSERT_OK(Finish());
  ASSERT_OK(ErasePerson(*store_, erasure_log_, Caller(), Person("unknown")));
  Shut();
  std::filesystem::remove(File() + "-wal");
  std::filesystem::remove(File() + "-shm");
  std::filesystem::copy_file(copy, File(),
                             std::filesystem::copy_options::overwrite_existing);
  Open();
  EXPECT_FALSE(IsErased(Person("a")));
  EXPECT_EQ(RecordOf("a").appeals[0].statement, kStatement) << "it is back";

  ASSERT_OK(Replay());
  EXPECT_TRUE(IsErased(Person("a")));
  EXPECT_TRUE(IsErased(Person("unknown")));
  EXPECT_THAT(Find(Planted()), IsEmpty());
  EXPECT_EQ(BrokenAt(), 0);
  ASSERT_OK(Finish()) << "though the file went before";
  TakeChanges();
  ASSERT_OK(Replay());
  ASSERT_OK(Finish());
  EXPECT_THAT(TakeChanges(), IsEmpty());
}

}  // namespace
}  // namespace parcours::evaluation
