#include "services/enrolment/domain/erasure_use_cases.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/access/own_key.h"
#include "common/status/macros.h"
#include "common/storage/person_keys.h"
#include "common/storage/sealing_of_before.h"
#include "common/testing/fake_erasure_log.h"
#include "common/testing/raw_rows.h"
#include "gmock/gmock.h"
#include "services/enrolment/domain/retention.h"
#include "services/enrolment/store/tables.h"
#include "services/enrolment/testing/erasure_fakes.h"
#include "services/enrolment/testing/record.h"

namespace parcours::enrolment {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::FindEverywhere;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

// What is said of somebody and stands sealed.
const std::vector<std::string>& Sealed() {
  static const auto& texts =
      *new std::vector<std::string>{"zephyrine.secrete@example.org",
                                    "+33611223344",
                                    "Naissance-Secrete",
                                    "motif-secret-d-admission",
                                    "preuve-secrete",
                                    "motif-secret-de-fin",
                                    "reference-secrete"};
  return texts;
}

// What stands clear, for lists.
const std::vector<std::string>& Clear() {
  static const auto& texts = *new std::vector<std::string>{
      "Zephyrine-Secrete", "Nom-Secret", "identifiant-secret"};
  return texts;
}

class ErasureTest : public RecordTest {
 protected:
  ErasureTest() : record_(GetParam()) {}

  ErasurePorts Ports() {
    return {.peers = {&scheduling_, &evaluation_}, .log = log_};
  }

  absl::StatusOr<Erasure> Erase(const PersonName& person,
                                Mode mode = Mode::kCommit,
                                std::string_view request_id = "",
                                std::string_view digest = "digest",
                                const std::string& etag = "") {
    return ErasePerson(record_.store(), record_.rules, Ports(),
                       record_.Call("ErasePerson", request_id, digest), person,
                       ErasureGround::kRequested, etag, mode);
  }

  Person ReadPerson(const PersonName& name) {
    return Must(GetResource<Person>(record_.store(), record_.Call(),
                                    &EnrolmentUnit::persons, name));
  }
  Erasure ReadErasure(const PersonName& person) {
    return Must(GetResource<Erasure>(record_.store(), record_.Call(),
                                     &EnrolmentUnit::erasures,
                                     ErasureOf(person)));
  }

  absl::StatusOr<ApplicationView> Submit(Application declaration,
                                         std::string_view account = "") {
    access::Caller caller = record_.Call("SubmitApplication");
    if (!account.empty()) {
      caller.principal.subject = std::string(account);
      caller.scope = access::Scope::Own(
          record_.body.text(), {access::AccountKey(std::string(account))});
    }
    std::vector<NewPiece> pieces;
    if (account.empty()) pieces = record_.RequiredFiles();
    return SubmitApplication(record_.store(), record_.rules, caller,
                             record_.cohort, std::move(declaration), pieces,
                             Mode::kCommit);
  }

  absl::Status Rename(const PersonName& name, const std::string& family) {
    return UpdatePerson(record_.store(), record_.Call("UpdatePerson"),
                        {.name = name,
                         .apply =
                             [&](Person& person) {
                               person.family_name = family;
                               return absl::OkStatus();
                             }})
        .status();
  }

  // Somebody of whom everything is known that can be: financed by France
  // Travail, left in the middle of the course.
  Application Zephyrine() {
    Application declaration = record_.Declaration(1);
    declaration.given_name = "Zephyrine-Secrete";
    declaration.family_name = "Nom-Secret";
    declaration.email = "zephyrine.secrete@example.org";
    declaration.phone = "+33611223344";
    declaration.qualification.years_after_bac = 0;
    declaration.payer = {.kind = PayerKind::kFranceTravail};
    const ApplicationName name = Must(Submit(declaration)).application.name;
    Must(AdmitApplication(
        record_.store(), record_.rules, record_.Call("AdmitApplication"), name,
        {.decider = "Personne Une", .reason = "motif-secret-d-admission"},
        "preuve-secrete", ""));
    const Application admitted = record_.Read(name).application;
    EXPECT_OK(
        UpdatePerson(record_.store(), record_.Call("UpdatePerson"),
                     {.name = admitted.person, .apply = [](Person& person) {
                        person.birth_name = "Naissance-Secrete";
                        person.external_ids = {{"edof", "identifiant-secret"}};
                        return absl::OkStatus();
                      }}));
    const Enrolment enrolment = Must(ConfirmPlace(
        record_.store(), record_.rules, record_.Call("ConfirmPlace"), name,
        {.kind = CommitmentKind::kFranceTravailGrant,
         .reference = "reference-secrete"}));
    Must(EndEnrolment(
        record_.store(), record_.rules, record_.Call("EndEnrolment"),
        enrolment.name,
        {.state = EnrolmentState::kNoShow, .reason = "motif-secret-de-fin"},
        /*end_is_today=*/true));
    return admitted;
  }

  // The erasure is done here to the end, files included.
  void FinishHere(const PersonName& person) {
    EXPECT_OK(record_.database().Transact(
        record_.Call("FinishErasures"),
        [&](storage::Transaction& transaction)
            -> absl::StatusOr<storage::Outcome> {
          RETURN_IF_ERROR(
              storage::FinishErasure(transaction, person.text()).status());
          return storage::Outcome{.name = person.text()};
        }));
  }

  TestRecord record_;
  FakePeer scheduling_{"scheduling"};
  FakePeer evaluation_{"evaluation"};
  testing::FakeErasureLog log_;
  // Long after everything that must be kept.
  const absl::Time late_ = Paris(2040, 1, 1);
};

TEST_P(ErasureTest, WhatIsSaidOfSomebodyStandsSealed) {
  Zephyrine();
  EXPECT_THAT(FindEverywhere(record_.database(), Sealed()), IsEmpty());
  // The search does find what stands clear.
  EXPECT_THAT(FindEverywhere(record_.database(), Clear()),
              IsSupersetOf({"person.given_name: Zephyrine-Secrete",
                            "application.family_name: Nom-Secret",
                            "external_id.value: identifiant-secret"}));
}

TEST_P(ErasureTest, WhatIsSealedIsReadAsItWas) {
  const Application application = Zephyrine();
  const Application read = record_.Read(application.name).application;
  EXPECT_EQ(read.email, "zephyrine.secrete@example.org");
  EXPECT_EQ(read.phone, "+33611223344");
  EXPECT_EQ(read.decision.reason, "motif-secret-d-admission");
  EXPECT_EQ(read.decision.derogation_proof, "preuve-secrete");
  EXPECT_TRUE(read.decision.derogation);
  const Person person = ReadPerson(application.person);
  EXPECT_EQ(person.birth_name, "Naissance-Secrete");
  EXPECT_EQ(person.email, "zephyrine.secrete@example.org");
  EXPECT_EQ(person.phone, "+33611223344");
}

TEST_P(ErasureTest, NothingOfThePersonIsLeftInAnyColumn) {
  const Application application = Zephyrine();
  record_.now = late_;
  ASSERT_OK(Erase(application.person));
  EXPECT_THAT(FindEverywhere(record_.database(), Sealed()), IsEmpty());
  EXPECT_THAT(FindEverywhere(record_.database(), Clear()), IsEmpty());

  const Person person = ReadPerson(application.person);
  EXPECT_EQ(person.erase_time, late_);
  EXPECT_EQ(person.email, "");
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM person_key"
                          " WHERE erase_time IS NOT NULL AND master_key = ''"),
            1);
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM ownership"
                          " WHERE owner_key LIKE 'learner:%'"),
            0);
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM upload"
                          " WHERE state = 'EXPIRED'"),
            2);
  EXPECT_THAT(log_.persons(), ElementsAre(application.person.text()));
}

TEST_P(ErasureTest, WhatIsCountedStays) {
  const Application erased = Zephyrine();
  const Application other = record_.Submitted(2);
  record_.now = late_;
  const CohortView before = record_.ReadCohort();
  const std::vector<PlaceEvent> story = record_.StoryOf(erased.name);
  const Application counted = record_.Read(erased.name).application;
  const Application untouched = record_.Read(other.name).application;
  ASSERT_OK(Erase(erased.person));

  const CohortView after = record_.ReadCohort();
  EXPECT_EQ(after.counts.taken(), before.counts.taken());
  EXPECT_EQ(after.counts.waitlisted, before.counts.waitlisted);
  EXPECT_EQ(after.cohort, before.cohort);
  const Application left = record_.Read(erased.name).application;
  EXPECT_EQ(left.rank, counted.rank);
  EXPECT_EQ(left.place_state, counted.place_state);
  EXPECT_EQ(left.review_state, counted.review_state);
  EXPECT_EQ(left.decision.decision_time, counted.decision.decision_time);
  EXPECT_EQ(left.qualification.years_after_bac, 0);
  const std::vector<PlaceEvent> told = record_.StoryOf(erased.name);
  ASSERT_THAT(told, SizeIs(story.size()));
  for (std::size_t i = 0; i < story.size(); ++i) {
    EXPECT_EQ(told[i].text_fr, story[i].text_fr);
    EXPECT_EQ(told[i].event_time, story[i].event_time);
  }
  EXPECT_EQ(record_.Read(other.name).application.version, untouched.version);

  const auto listed = ListApplications(record_.store(), record_.Call(),
                                       record_.cohort, {.by_rank = true}, {});
  ASSERT_OK(listed);
  EXPECT_THAT(listed->items, SizeIs(2));
  EXPECT_THAT(Must(ListEnrolments(record_.store(), record_.Call(),
                                  record_.cohort, std::nullopt, {}))
                  .items,
              SizeIs(1));
}

TEST_P(ErasureTest, WhyTheFundingFailedIsTakenOutOfTheStory) {
  const Application application = record_.Committed(1);
  Must(record_.FailFunding(application.name));
  const std::vector<PlaceEvent> before = record_.StoryOf(application.name);
  EXPECT_THAT(before.back().text_fr, HasSubstr("refus"));
  record_.now = late_;
  ASSERT_OK(Erase(application.person));
  const std::vector<PlaceEvent> after = record_.StoryOf(application.name);
  ASSERT_THAT(after, SizeIs(before.size()));
  EXPECT_THAT(after.back().text_fr, Not(HasSubstr("refus")));
  EXPECT_THAT(after.back().text_en, Not(HasSubstr("refus")));
  EXPECT_EQ(after.front().text_fr, before.front().text_fr);
}

TEST_P(ErasureTest, IsAnsweredAgainAndDoneOnce) {
  const PersonName person = Zephyrine().person;
  record_.now = late_;
  const Erasure erasure = Must(Erase(person, Mode::kCommit, "demande-1"));
  EXPECT_EQ(erasure.name, ErasureOf(person));
  EXPECT_EQ(erasure.state, ErasureState::kRunning);
  const int asked = scheduling_.asked();

  const int64_t rows = record_.RowsWritten();
  EXPECT_EQ(Must(Erase(person, Mode::kCommit, "demande-1")).version, 1);
  EXPECT_EQ(record_.RowsWritten(), rows);
  EXPECT_EQ(Must(Erase(person)).version, 1);
  EXPECT_EQ(Must(Erase(person, Mode::kValidateOnly)).version, 1);
  EXPECT_EQ(record_.RowsWritten(), rows);
  EXPECT_THAT(Erase(person, Mode::kCommit, "demande-1", "autre"),
              HasReason(Reason::kRequestIdReused));
  EXPECT_THAT(log_.persons(), SizeIs(1));
  EXPECT_EQ(scheduling_.asked(), asked);
}

TEST_P(ErasureTest, ACheckErasesNothing) {
  const PersonName person = Zephyrine().person;
  record_.now = late_;
  const int64_t rows = record_.RowsWritten();
  const Erasure would_be = Must(Erase(person, Mode::kValidateOnly));
  EXPECT_EQ(would_be.person, person);
  EXPECT_EQ(would_be.erase_time, late_);
  EXPECT_EQ(record_.RowsWritten(), rows);
  EXPECT_THAT(log_.persons(), IsEmpty());
  EXPECT_FALSE(ReadPerson(person).erase_time.has_value());
  EXPECT_EQ(ReadPerson(person).email, "zephyrine.secrete@example.org");
}

TEST_P(ErasureTest, AHoldRefusesUntilItsLastDay) {
  const PersonName person = Zephyrine().person;
  // Six years after the end of the participation, on 2 February 2026.
  record_.now = Paris(2032, 2, 1, 23, 59);
  const absl::StatusOr<Erasure> refused = Erase(person);
  EXPECT_THAT(refused, HasReason(Reason::kLegalHold));
  EXPECT_EQ(MetadataOf(refused.status()).at("until"), "2032-02-01");
  EXPECT_THAT(log_.persons(), IsEmpty());
  record_.now = Paris(2032, 2, 2);
  EXPECT_OK(Erase(person));
}

TEST_P(ErasureTest, WhoIsUnderWayIsNotErased) {
  const Application waiting = record_.Submitted(1);
  const absl::StatusOr<Erasure> refused = Erase(waiting.person);
  EXPECT_THAT(refused, HasReason(Reason::kPersonUnderWay));
  EXPECT_EQ(MetadataOf(refused.status()).at("resources"), waiting.name.text());
  const Application refused_one = record_.Submitted(2);
  Must(record_.Refuse(refused_one.name));
  EXPECT_OK(Erase(refused_one.person));
}

TEST_P(ErasureTest, HoldsOfAllServicesStandTogether) {
  const PersonName person = Zephyrine().person;
  record_.now = Paris(2030, 1, 1);
  evaluation_.Hold({{.kind = "completion_record",
                     .resource = "a",
                     .rule = "r",
                     .article = "article 7",
                     .until = absl::CivilDay(2035, 1, 1)}});
  const absl::StatusOr<Erasure> refused = Erase(person);
  EXPECT_THAT(refused, HasReason(Reason::kLegalHold));
  EXPECT_EQ(MetadataOf(refused.status()).at("until"), "2035-01-01");
  EXPECT_THAT(MetadataOf(refused.status()).at("holds"),
              ::testing::AllOf(HasSubstr("a (article 7, 2035-01-01); "),
                               HasSubstr("2032-02-01)")));
  scheduling_.Hold({privacy::HoldWhileUnderWay("calendrier")});
  EXPECT_THAT(Erase(person), HasReason(Reason::kPersonUnderWay));
}

TEST_P(ErasureTest, AServiceThatDoesNotAnswerRefuses) {
  const PersonName person = Zephyrine().person;
  record_.now = late_;
  const int64_t rows = record_.RowsWritten();
  scheduling_.Fail(MakeError(Reason::kOwnerUnavailable, {{"resource", "x"}}));
  EXPECT_THAT(Erase(person), HasReason(Reason::kOwnerUnavailable));
  scheduling_.Fail(absl::OkStatus());
  log_.Fail(absl::UnavailableError("/chemin/interne"));
  const absl::StatusOr<Erasure> refused = Erase(person);
  EXPECT_THAT(refused, HasReason(Reason::kDatabaseUnavailable));
  EXPECT_THAT(std::string(refused.status().message()),
              Not(HasSubstr("interne")));
  EXPECT_EQ(record_.RowsWritten(), rows);
  EXPECT_FALSE(ReadPerson(person).erase_time.has_value());
}

TEST_P(ErasureTest, OnlyWhatWasReadIsErased) {
  const PersonName person = Zephyrine().person;
  record_.now = late_;
  EXPECT_THAT(Erase(person, Mode::kCommit, "", "digest", EtagOf(1)),
              HasReason(Reason::kEtagMismatch));
  EXPECT_THAT(log_.persons(), IsEmpty());
  EXPECT_OK(Erase(person, Mode::kCommit, "", "digest",
                  EtagOf(ReadPerson(person).version)));
}

TEST_P(ErasureTest, NobodyWritesToWhoIsErased) {
  const Application refused = record_.Submitted(1);
  Must(record_.Refuse(refused.name));
  const Application ended = Zephyrine();
  const EnrolmentName enrolment =
      Must(ListEnrolments(record_.store(), record_.Call(), record_.cohort,
                          std::nullopt, {}))
          .items.front()
          .name;
  record_.now = late_;
  ASSERT_OK(Erase(refused.person));
  ASSERT_OK(Erase(ended.person));
  EXPECT_THAT(Rename(refused.person, "Autre"),
              HasReason(Reason::kPersonErased));
  EXPECT_THAT(record_.Reopen(refused.name), HasReason(Reason::kPersonErased));
  EXPECT_THAT(record_.Attach(refused.name, PieceKind::kCv),
              HasReason(Reason::kPersonErased));
  EXPECT_THAT(record_.SetPayer(ended.name, record_.Individual()),
              HasReason(Reason::kPersonErased));
  EXPECT_THAT(record_.DrawUp(ended.name), HasReason(Reason::kPersonErased));
  EXPECT_THAT(record_.Confirm(ended.name), HasReason(Reason::kPersonErased));
  EXPECT_THAT(record_.End(enrolment, EnrolmentState::kDroppedOut),
              HasReason(Reason::kPersonErased));
  EXPECT_THAT(StartEnrolment(record_.store(), record_.Call("StartEnrolment"),
                             enrolment),
              HasReason(Reason::kPersonErased));
  EXPECT_EQ(ReadPerson(refused.person).family_name, "");
}

TEST_P(ErasureTest, TheAgreementOfWhoIsErasedAsksNothingMore) {
  const Application committed = record_.Committed(1, record_.Employer());
  const Agreement agreement = record_.AgreementsOf(committed.name).front();
  record_.now = late_;
  ASSERT_OK(Erase(committed.person));
  EXPECT_THAT(RequestPayment(record_.store(), record_.rules,
                             record_.Call("RequestPayment"), agreement.name, 1),
              HasReason(Reason::kPersonErased));
  // The employer signed; that is no data of the person.
  EXPECT_EQ(record_.Read(agreement.name).signatory, "Signataire Une");
}

TEST_P(ErasureTest, WhoWasErasedMayApplyAgain) {
  const Application first = record_.Submitted(1);
  Must(record_.Refuse(first.name));
  ASSERT_OK(Erase(first.person));
  const absl::StatusOr<ApplicationView> again = Submit(record_.Declaration(1));
  ASSERT_OK(again);
  EXPECT_NE(again->application.person, first.person);
}

TEST_P(ErasureTest, AnAccountIsForgottenWithItsPerson) {
  const Application application =
      Must(Submit(record_.Declaration(1), "compte-secret")).application;
  Must(record_.Refuse(application.name));
  ASSERT_OK(Erase(application.person));
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM application"
                          " WHERE account <> ''"),
            0);
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM ownership"
                          " WHERE owner_key = 'account:compte-secret'"),
            0);
}

TEST_P(ErasureTest, TheFeedTellsOfTheErasure) {
  const PersonName person = Zephyrine().person;
  record_.now = late_;
  ASSERT_OK(Erase(person));
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM change_feed"
                          " WHERE kind = 'erasure' AND cause = 'ErasePerson'"
                          " AND version = 1"),
            1);
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM change_feed"
                          " WHERE kind IN ('person', 'application',"
                          " 'enrolment') AND cause = 'ErasePerson'"),
            3);
}

TEST_P(ErasureTest, IsCompleteWhenEveryServiceHasSaidSo) {
  const PersonName person = Zephyrine().person;
  record_.now = late_;
  const ErasureName name = Must(Erase(person)).name;
  const access::Caller caller = record_.Call("PersonalData");

  // Nothing is said of this service before its files are gone.
  EXPECT_OK(AcknowledgeOwnErasures(record_.store(), caller));
  EXPECT_THAT(ReadErasure(person).acknowledgements, IsEmpty());

  evaluation_.Say(name);
  evaluation_.Say(name);
  evaluation_.Say(ErasureName::FromRecord("bodies/essai/erasures/inconnue"));
  evaluation_.Say(name);
  EXPECT_OK(FollowErasures(record_.store(), evaluation_, caller));
  EXPECT_EQ(ReadErasure(person).version, 2);
  FinishHere(person);
  EXPECT_OK(AcknowledgeOwnErasures(record_.store(), caller));
  EXPECT_OK(AcknowledgeOwnErasures(record_.store(), caller));
  EXPECT_EQ(ReadErasure(person).state, ErasureState::kRunning);
  EXPECT_THAT(AwaitedServices(ReadErasure(person)), ElementsAre("scheduling"));

  record_.now += absl::Hours(1);
  scheduling_.Say(name);
  EXPECT_OK(FollowErasures(record_.store(), scheduling_,
                           record_.Call("PersonalData")));
  const Erasure complete = ReadErasure(person);
  EXPECT_EQ(complete.state, ErasureState::kComplete);
  EXPECT_EQ(complete.complete_time, record_.now);
  EXPECT_EQ(complete.version, 4);
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM change_feed"
                          " WHERE kind = 'erasure'"
                          " AND cause = 'AcknowledgeErasure'"),
            3);
}

TEST_P(ErasureTest, AServiceIsAskedOnlyWhileSomethingWaitsForIt) {
  const access::Caller caller = record_.Call("PersonalData");
  EXPECT_OK(FollowErasures(record_.store(), scheduling_, caller));
  EXPECT_EQ(scheduling_.asked(), 0);
  const Application refused = record_.Submitted(1);
  Must(record_.Refuse(refused.name));
  const ErasureName name = Must(Erase(refused.person)).name;
  scheduling_.Say(name);
  EXPECT_OK(FollowErasures(record_.store(), scheduling_, caller));
  const int asked = scheduling_.asked();
  EXPECT_OK(FollowErasures(record_.store(), scheduling_, caller));
  EXPECT_EQ(scheduling_.asked(), asked);
}

TEST_P(ErasureTest, ARestartedFeedIsReadAgainFromItsBeginning) {
  const access::Caller caller = record_.Call("PersonalData");
  const Application first = record_.Submitted(1);
  const Application second = record_.Submitted(2);
  Must(record_.Refuse(first.name));
  Must(record_.Refuse(second.name));
  ASSERT_OK(Erase(first.person));
  scheduling_.Say(ErasureOf(first.person));
  EXPECT_OK(FollowErasures(record_.store(), scheduling_, caller));

  ASSERT_OK(Erase(second.person));
  for (const Reason reason :
       {Reason::kFeedTrimmed, Reason::kFeedIncarnationChanged}) {
    scheduling_.Restart(reason);
    EXPECT_OK(FollowErasures(record_.store(), scheduling_, caller));
    EXPECT_THAT(ReadErasure(first.person).acknowledgements, SizeIs(1));
    EXPECT_THAT(ReadErasure(second.person).acknowledgements, IsEmpty());
  }
  scheduling_.Say(ErasureOf(second.person));
  EXPECT_OK(FollowErasures(record_.store(), scheduling_, caller));
  EXPECT_THAT(ReadErasure(second.person).acknowledgements, SizeIs(1));
}

TEST_P(ErasureTest, ASilentServiceDelaysItsAcknowledgementOnly) {
  const access::Caller caller = record_.Call("PersonalData");
  const Application refused = record_.Submitted(1);
  Must(record_.Refuse(refused.name));
  ASSERT_OK(Erase(refused.person));
  scheduling_.Fail(MakeError(Reason::kOwnerUnavailable, {{"resource", "x"}}));
  EXPECT_THAT(FollowErasures(record_.store(), scheduling_, caller),
              HasReason(Reason::kOwnerUnavailable));
  evaluation_.Say(ErasureOf(refused.person));
  EXPECT_OK(FollowErasures(record_.store(), evaluation_, caller));
  EXPECT_THAT(AwaitedServices(ReadErasure(refused.person)),
              ElementsAre("enrolment", "scheduling"));
}

// A copy from before: the person is there again, and under way.
TEST_P(ErasureTest, WhoIsBroughtBackIsErasedAgainAndGivesTheirPlaceUp) {
  record_.AdmitMany(1, 30);
  const Application placed =
      Must(ListApplications(record_.store(), record_.Call(), record_.cohort,
                            {.by_rank = true}, {}))
          .items.front()
          .application;
  const Application waiting = record_.Admitted(31);
  ASSERT_EQ(record_.PlaceOf(waiting.name), PlaceState::kWaitlisted);
  ASSERT_OK(EraseAgain(record_.store(), record_.rules,
                       record_.Call("ReplayErasures"), placed.person));
  EXPECT_EQ(record_.PlaceOf(placed.name), PlaceState::kReleased);
  EXPECT_EQ(record_.PlaceOf(waiting.name), PlaceState::kOffered);
  EXPECT_EQ(ReadErasure(placed.person).state, ErasureState::kRunning);
  EXPECT_TRUE(ReadPerson(placed.person).erase_time.has_value());
  EXPECT_THAT(log_.persons(), IsEmpty());
}

TEST_P(ErasureTest, AParticipationThatIsBroughtBackEnds) {
  const Enrolment enrolment = record_.Confirmed(1);
  ASSERT_OK(EraseAgain(record_.store(), record_.rules,
                       record_.Call("ReplayErasures"), enrolment.person));
  EXPECT_EQ(record_.Read(enrolment.name).state, EnrolmentState::kWithdrawn);
  EXPECT_EQ(record_.PlaceOf(enrolment.application), PlaceState::kReleased);
  EXPECT_EQ(record_.AgreementsOf(enrolment.application).front().state,
            AgreementState::kEnded);
  // The timer has nothing to do with it any more.
  record_.AdvanceTo(Paris(2027, 1, 1));
}

TEST_P(ErasureTest, OfSomebodyWhoIsNotThereNothingIsDone) {
  EXPECT_THAT(
      EraseAgain(record_.store(), record_.rules, record_.Call("ReplayErasures"),
                 PersonName::FromRecord("bodies/essai/persons/personne")),
      HasReason(Reason::kNotFound));
}

TEST_P(ErasureTest, TheSameCandidateIsFoundWhateverTheCase) {
  record_.Submitted(1);
  Application again = record_.Declaration(1);
  again.email = " CANDIDATE.1@Example.org";
  again.given_name = "candidate";
  again.family_name = " n1 ";
  again.email = "CANDIDATE.1@Example.org";
  EXPECT_THAT(Submit(again), HasReason(Reason::kAlreadyApplied));
  again.family_name = "N2";
  EXPECT_OK(Submit(again));
}

TEST_P(ErasureTest, AnotherCohortHasAnotherDigest) {
  Cohort other = SampleCohort();
  other.name = CohortName::FromRecord("bodies/essai/cohorts/autre");
  Must(CreateCohort(record_.store(), record_.Call(), other, Mode::kCommit));
  record_.Submitted(1);
  EXPECT_OK(SubmitApplication(record_.store(), record_.rules,
                              record_.Call("SubmitApplication"), other.name,
                              record_.Declaration(1), record_.RequiredFiles(),
                              Mode::kCommit));
  EXPECT_EQ(record_.Count("SELECT COUNT(DISTINCT candidate_key)"
                          " FROM application"),
            2);
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM application"
                          " WHERE candidate_key LIKE '%@%'"),
            0);
}

TEST_P(ErasureTest, TheIndexRefusesWhatTheLockWouldMiss) {
  record_.Submitted(1);
  const Application known =
      Must(ListApplications(record_.store(), record_.Call(), record_.cohort, {},
                            {}))
          .items.front()
          .application;
  const auto insert = [&](EnrolmentUnit& unit) -> absl::StatusOr<std::string> {
    Application twin = known;
    twin.name =
        ChildName<ApplicationName>(record_.cohort, "applications", "jumelle");
    twin.rank = 0;
    twin.candidate_key = CandidateKey(twin);
    unit.applications().Insert(twin);
    return twin.name.text();
  };
  EXPECT_THAT(record_.store().Change(record_.Call("Essai"), insert),
              HasReason(Reason::kAlreadyExists));
}

// What an earlier version wrote, in the clear.
class BeforeKeysTest : public ErasureTest {
 protected:
  void Execute(const std::string& sql, storage::Values values) {
    EXPECT_OK(record_.database().Transact(
        record_.Call("Essai"),
        [&](storage::Transaction& transaction)
            -> absl::StatusOr<storage::Outcome> {
          transaction.Write({.sql = sql, .values = values});
          return storage::Outcome{.name = "essai"};
        }));
  }

  // "Candidate N1", as written before.
  Application OfBefore() {
    const Application application = record_.Admitted(1);
    Application clear = record_.Declaration(1);
    Execute(
        "UPDATE application SET email = $1, phone = $2, candidate_key = $3,"
        " decision_reason = '', derogation_proof = '', decision = $4",
        {clear.email, std::string("+33611223344"), CandidateKey(clear),
         std::string(R"({"decider":"Personne Une","reason":"Motif clair",)"
                     R"("decision_time":1770000000000000,"derogation":true,)"
                     R"("derogation_proof":"Preuve claire"})")});
    Execute("UPDATE person SET email = $1, birth_name = $2",
            {clear.email, std::string("Naissance claire")});
    Execute("DELETE FROM person_key", {});
    return application;
  }

  const std::vector<std::string> clear_ = {"candidate.1@example.org",
                                           "+33611223344", "Motif clair",
                                           "Preuve claire", "Naissance claire"};
};

TEST_P(BeforeKeysTest, IsReadAndFoundAsItIs) {
  const Application application = OfBefore();
  const Application read = record_.Read(application.name).application;
  EXPECT_EQ(read.email, "candidate.1@example.org");
  EXPECT_EQ(read.decision.reason, "Motif clair");
  EXPECT_EQ(read.decision.derogation_proof, "Preuve claire");
  EXPECT_THAT(Submit(record_.Declaration(1)),
              HasReason(Reason::kAlreadyApplied));
}

TEST_P(BeforeKeysTest, IsSealedWithTheNextWrite) {
  const Application application = OfBefore();
  Must(record_.Withdraw(application.name));
  EXPECT_OK(Rename(application.person, "N1"));
  const Application read = record_.Read(application.name).application;
  EXPECT_EQ(read.email, "candidate.1@example.org");
  EXPECT_EQ(read.decision.derogation_proof, "Preuve claire");
  // The reason is that of the withdrawal.
  EXPECT_THAT(FindEverywhere(record_.database(),
                             {"+33611223344", "Motif clair", "Preuve claire"}),
              IsEmpty());
}

TEST_P(BeforeKeysTest, IsSealedWithoutAWriteInTheEnd) {
  const Application application = OfBefore();
  const Application before = record_.Read(application.name).application;
  EXPECT_THAT(FindEverywhere(record_.database(), clear_), Not(IsEmpty()));
  const int64_t rows = record_.RowsWritten();

  storage::SealingOfBefore sealing(record_.database(), PartsOfBefore());
  EXPECT_FALSE(Must(sealing.Step(record_.Call("PersonalData"))));
  EXPECT_THAT(FindEverywhere(record_.database(), clear_), IsEmpty());
  EXPECT_EQ(record_.RowsWritten(), rows);

  const Application after = record_.Read(application.name).application;
  EXPECT_EQ(after.version, before.version);
  EXPECT_EQ(after.update_time, before.update_time);
  EXPECT_EQ(after.email, "candidate.1@example.org");
  EXPECT_EQ(after.phone, "+33611223344");
  EXPECT_EQ(after.decision.reason, "Motif clair");
  EXPECT_EQ(after.decision.derogation_proof, "Preuve claire");
  EXPECT_EQ(ReadPerson(application.person).birth_name, "Naissance claire");
  EXPECT_THAT(Submit(record_.Declaration(1)),
              HasReason(Reason::kAlreadyApplied));

  storage::SealingOfBefore again(record_.database(), PartsOfBefore());
  EXPECT_FALSE(Must(again.Step(record_.Call("PersonalData"))));
}

class RetentionTest : public ErasureTest {
 protected:
  std::vector<privacy::RetentionClass> Due() {
    return Must(DueIn(record_.store(), record_.rules,
                      {&scheduling_, &evaluation_},
                      record_.Call("PlanRetention"), record_.body));
  }
  absl::StatusOr<std::vector<privacy::RetentionClass>> Remove(
      const std::vector<privacy::RetentionClass>& agreed,
      std::string_view request_id = "") {
    return RemoveDue(record_.store(), record_.rules, Ports(),
                     record_.Call("ApplyRetention", request_id), record_.body,
                     [&](const std::vector<privacy::RetentionClass>& found) {
                       for (std::size_t i = 0; i < found.size(); ++i) {
                         if (found[i].due != agreed[i].due) {
                           return MakeError(Reason::kEtagMismatch);
                         }
                       }
                       return absl::OkStatus();
                     });
  }
};

TEST_P(RetentionTest, FilesAreDueTheDayAfterTheirTime) {
  const Application refused = record_.Submitted(1);
  Must(record_.Refuse(refused.name));
  record_.Submitted(2);
  // Two years after 2 February 2026.
  record_.now = Paris(2028, 2, 1, 23, 59);
  EXPECT_THAT(Due()[0].due, IsEmpty());
  record_.now = Paris(2028, 2, 2);
  const std::vector<privacy::RetentionClass> due = Due();
  EXPECT_EQ(due[0].kind, "application_pieces");
  EXPECT_EQ(due[0].rule.id, "retention.refused_application");
  EXPECT_THAT(due[0].due, ElementsAre(refused.name.text()));
  EXPECT_EQ(due[1].kind, "person");
  EXPECT_THAT(due[1].due, ElementsAre(refused.person.text()));
}

TEST_P(RetentionTest, AnApplicationThatNobodyDecidedIsOverWithItsCohort) {
  const Application waiting = record_.Submitted(1);
  record_.now = Paris(2028, 11, 16, 23, 59);
  EXPECT_THAT(Due()[0].due, IsEmpty());
  record_.now = Paris(2028, 11, 17);
  EXPECT_THAT(Due()[0].due, ElementsAre(waiting.name.text()));
}

TEST_P(RetentionTest, WhoTookPartKeepsTheirFiles) {
  record_.Confirmed(1);
  record_.now = Paris(2035, 1, 1);
  EXPECT_THAT(Due()[0].due, IsEmpty());
}

TEST_P(RetentionTest, WhoMustBeKeptByAnyServiceIsNotDue) {
  const Application refused = record_.Submitted(1);
  Must(record_.Refuse(refused.name));
  record_.now = Paris(2030, 1, 1);
  evaluation_.Hold({privacy::HoldWhileUnderWay("recours")});
  EXPECT_THAT(Due()[1].due, IsEmpty());
  evaluation_.Hold({});
  EXPECT_THAT(Due()[1].due, SizeIs(1));
  evaluation_.Fail(MakeError(Reason::kOwnerUnavailable, {{"resource", "x"}}));
  EXPECT_THAT(DueIn(record_.store(), record_.rules, {&evaluation_},
                    record_.Call("PlanRetention"), record_.body),
              HasReason(Reason::kOwnerUnavailable));
}

TEST_P(RetentionTest, WhoSignedAPriceIsHeldTenYears) {
  const Application committed = record_.Committed(1);
  record_.now = Paris(2036, 12, 30);
  EXPECT_THAT(Due()[1].due, IsEmpty());
  record_.now = Paris(2036, 12, 31);
  EXPECT_THAT(Due()[1].due, ElementsAre(committed.person.text()));
}

TEST_P(RetentionTest, WhoNeverAppliedIsNobodyToForget) {
  Person trainer;
  trainer.name = PersonName::FromRecord("bodies/essai/persons/formatrice");
  trainer.given_name = "Formatrice";
  trainer.family_name = "Une";
  trainer.email = "formatrice.une@example.org";
  Must(CreatePerson(record_.store(), record_.Call(), trainer, Mode::kCommit));
  record_.now = late_;
  EXPECT_THAT(Due()[1].due, IsEmpty());
}

TEST_P(RetentionTest, WhatWasPlannedIsRemovedAndNothingElse) {
  const Application refused = record_.Submitted(1);
  Must(record_.Refuse(refused.name));
  record_.now = Paris(2029, 1, 1);
  std::vector<privacy::RetentionClass> other = Due();
  other[1].due.clear();
  const int64_t rows = record_.RowsWritten();
  EXPECT_THAT(Remove(other), HasReason(Reason::kEtagMismatch));
  EXPECT_EQ(record_.RowsWritten(), rows);
  EXPECT_THAT(log_.persons(), IsEmpty());

  const std::vector<privacy::RetentionClass> planned = Due();
  ASSERT_OK(Remove(planned, "demande-1"));
  EXPECT_THAT(record_.Read(refused.name).application.pieces, IsEmpty());
  EXPECT_EQ(record_.Count("SELECT COUNT(*) FROM upload"
                          " WHERE state = 'EXPIRED'"),
            2);
  EXPECT_EQ(ReadErasure(refused.person).ground, ErasureGround::kRetention);
  EXPECT_THAT(log_.persons(), ElementsAre(refused.person.text()));
  const int64_t after = record_.RowsWritten();
  EXPECT_OK(Remove(planned, "demande-1"));
  EXPECT_EQ(record_.RowsWritten(), after);
  EXPECT_THAT(Due()[0].due, IsEmpty());
  EXPECT_THAT(Due()[1].due, IsEmpty());
}

TEST_P(RetentionTest, FilesGoWhereThePersonMustStay) {
  const Application refused = record_.Submitted(1);
  Must(record_.Refuse(refused.name));
  record_.now = Paris(2029, 1, 1);
  scheduling_.Hold({privacy::HoldWhileUnderWay("calendrier")});
  ASSERT_OK(Remove(Due()));
  EXPECT_THAT(record_.Read(refused.name).application.pieces, IsEmpty());
  EXPECT_FALSE(ReadPerson(refused.person).erase_time.has_value());
}

PARCOURS_ON_BOTH_ENGINES(ErasureTest);
PARCOURS_ON_BOTH_ENGINES(BeforeKeysTest);
PARCOURS_ON_BOTH_ENGINES(RetentionTest);

}  // namespace
}  // namespace parcours::enrolment
