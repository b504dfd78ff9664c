#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "services/enrolment/domain/external_ids.h"
#include "services/enrolment/testing/record.h"

namespace parcours::enrolment {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class CohortUseCaseTest : public RecordTest {
 protected:
  static Cohort OfTwo() {
    Cohort cohort = SampleCohort();
    cohort.capacity = 2;
    cohort.minimum = 2;
    return cohort;
  }
  static absl::StatusOr<Cohort> Open(TestRecord& record) {
    return OpenCohort(record.store(), record.rules, record.Call("OpenCohort"),
                      record.cohort, /*etag=*/"");
  }
};

TEST_P(CohortUseCaseTest, GoNeedsTheMinimumOrTheDecisionBelowIt) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  record.Confirmed(1);
  const Enrolment employed = record.Confirmed(2, record.Employer());
  const GoNoGo counts =
      Must(GetGoNoGo(record.store(), record.Call("GetGoNoGo"), record.cohort));
  EXPECT_EQ(counts.counts.in_withdrawal_period, 1);
  EXPECT_EQ(counts.counts.binding, 1);
  ASSERT_OK(record.FailFunding(employed.application));
  EXPECT_EQ(Must(GetGoNoGo(record.store(), record.Call(), record.cohort))
                .counts.at_risk,
            1);
  const int64_t rows = record.RowsWritten();
  const auto below = record.Decide(GoDecision::kGo);
  EXPECT_THAT(below, HasReason(Reason::kBelowMinimum));
  EXPECT_EQ(MetadataOf(below.status()).at("confirmed"), "1");
  EXPECT_EQ(record.RowsWritten(), rows);
  const Cohort decided = Must(record.Decide(GoDecision::kGoBelowMinimum));
  EXPECT_EQ(decided.state, CohortState::kConfirmed);
  EXPECT_EQ(decided.go_decider, "Personne Une");
  EXPECT_EQ(decided.go_decision_time, record.now);
}

TEST_P(CohortUseCaseTest, TimeBeginsAndEndsWhatTakesPlace) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  record.Confirmed(1, record.Employer());
  record.Confirmed(2, record.Employer());
  ASSERT_OK(record.Decide(GoDecision::kGo));
  EXPECT_EQ(
      Must(NextDueTime(record.store(), record.Call(), absl::InfiniteFuture())),
      Paris(2026, 3, 16));
  record.AdvanceTo(Paris(2026, 3, 16) - absl::Microseconds(1));
  EXPECT_EQ(record.ReadCohort().cohort.state, CohortState::kConfirmed);
  record.AdvanceTo(Paris(2026, 3, 16));
  EXPECT_EQ(record.ReadCohort().cohort.state, CohortState::kUnderWay);
  record.AdvanceTo(Paris(2026, 11, 17, 23, 59));
  EXPECT_EQ(record.ReadCohort().cohort.state, CohortState::kUnderWay);
  record.AdvanceTo(Paris(2026, 11, 18));
  EXPECT_EQ(record.ReadCohort().cohort.state, CohortState::kEnded);
  EXPECT_EQ(record.Count("SELECT COUNT(*) FROM change_feed"
                         " WHERE cause = 'CohortCalendar'"),
            2);
}

TEST_P(CohortUseCaseTest, TimeLeavesWhatNobodyDecided) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  record.AdvanceTo(Paris(2026, 12, 1));
  EXPECT_EQ(record.ReadCohort().cohort.state, CohortState::kOpen);
  // A late decision begins the course at once.
  ASSERT_OK(record.Decide(GoDecision::kGoBelowMinimum));
  record.AdvanceTo(Paris(2026, 12, 1));
  EXPECT_EQ(record.ReadCohort().cohort.state, CohortState::kEnded);
}

TEST_P(CohortUseCaseTest, CancelReleasesEverythingAtOnce) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const Enrolment confirmed = record.Confirmed(1, record.Employer());
  const ApplicationName held = record.Admitted(2).name;
  const auto waiting = record.AdmitMany(3, 1);
  const Agreement draft = Must(record.DrawUp(held));
  const Cohort cancelled = Must(record.Decide(GoDecision::kCancel));
  EXPECT_EQ(cancelled.state, CohortState::kCancelled);
  for (const ApplicationName& name :
       {confirmed.application, held, waiting[0]}) {
    EXPECT_EQ(record.PlaceOf(name), PlaceState::kReleased);
    EXPECT_THAT(record.StoryOf(name).back().text_fr,
                HasSubstr("n’aura pas lieu"));
  }
  EXPECT_EQ(record.ReadCohort().counts.taken(), 0);
  EXPECT_EQ(record.Read(confirmed.name).state, EnrolmentState::kWithdrawn);
  EXPECT_EQ(record.Read(draft.name).state, AgreementState::kEnded);
  EXPECT_EQ(record.AgreementsOf(confirmed.application).front().state,
            AgreementState::kEnded);
  // Nothing is left for time or people to do with places.
  EXPECT_EQ(
      Must(NextDueTime(record.store(), record.Call(), absl::InfiniteFuture())),
      absl::InfiniteFuture());
  ASSERT_OK(record.Refuse(held));
  EXPECT_THAT(record.Reopen(held), HasReason(Reason::kCohortNotOpen));
  EXPECT_THAT(record.Decide(GoDecision::kGo),
              HasReason(Reason::kIllegalTransition));
  EXPECT_THAT(Open(record), HasReason(Reason::kIllegalTransition));
}

TEST_P(CohortUseCaseTest, PostponementKeepsPlacesAndRanksWithoutDeadline) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const Enrolment confirmed = record.Confirmed(1, record.Employer());
  const ApplicationName held = record.Admitted(2).name;
  const auto waiting = record.AdmitMany(3, 2);
  const ApplicationName risky = confirmed.application;
  ASSERT_OK(record.FailFunding(risky));
  ASSERT_OK(record.Withdraw(held));
  ASSERT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
  ASSERT_OK(record.Decide(GoDecision::kPostpone));
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kWaitlisted);
  EXPECT_EQ(record.Read(waiting[0]).application.rank, 3);
  EXPECT_EQ(record.PlaceOf(risky), PlaceState::kAtRisk);

  // No time runs, nothing is offered or confirmed.
  record.AdvanceTo(Paris(2026, 3, 12, 10));
  EXPECT_EQ(record.PlaceOf(risky), PlaceState::kAtRisk);
  EXPECT_THAT(record.Confirm(risky), HasReason(Reason::kCohortNotOpen));
  EXPECT_THAT(SubmitApplication(record.store(), record.rules, record.Call(),
                                record.cohort, record.Declaration(9), {},
                                Mode::kCommit),
              HasReason(Reason::kCohortNotOpen));

  const Cohort open = Must(Open(record));
  EXPECT_EQ(open.state, CohortState::kOpen);
  EXPECT_EQ(open.go_decision, GoDecision::kUndecided);
  EXPECT_EQ(record.PlaceOf(waiting[0]), PlaceState::kOffered);
  EXPECT_EQ(record.PlaceOf(waiting[1]), PlaceState::kWaitlisted);
  // The employer, whose convention stands, pays by itself.
  EXPECT_EQ(record.Read(risky).application.place_expire_time,
            Paris(2026, 3, 14, 10));
  EXPECT_OK(record.Confirm(risky));
}

TEST_P(CohortUseCaseTest, DeadlinesStartAnewAfterAPostponement) {
  TestRecord record(GetParam(), SampleProgramme(), OfTwo());
  const ApplicationName held = record.Admitted(1).name;
  const ApplicationName risky = record.Admitted(2, record.Employer()).name;
  ASSERT_OK(record.FailFunding(risky));
  ASSERT_OK(record.Decide(GoDecision::kPostpone));
  EXPECT_FALSE(record.Read(held).application.place_expire_time.has_value());
  record.AdvanceTo(Paris(2026, 2, 20, 10));
  ASSERT_OK(Open(record));
  EXPECT_EQ(record.Read(held).application.place_expire_time,
            Paris(2026, 3, 23));
  EXPECT_EQ(record.Read(risky).application.place_expire_time,
            Paris(2026, 2, 22, 10));
}

TEST_P(CohortUseCaseTest, ADecisionIsAPersonsWithReasonAndKnownVersion) {
  TestRecord record(GetParam());
  const int64_t rows = record.RowsWritten();
  const auto decide = [&](const Decision& decided, const std::string& etag) {
    return DecideCohort(record.store(), record.rules,
                        record.Call("DecideCohort"), record.cohort,
                        GoDecision::kCancel, decided, etag);
  };
  const auto empty = decide({}, "");
  EXPECT_THAT(empty, ViolatesField("decider"));
  EXPECT_THAT(empty, ViolatesField("reason"));
  EXPECT_THAT(decide({.decider = "Personne Une", .reason = "Motif"}, "\"9\""),
              HasReason(Reason::kEtagMismatch));
  EXPECT_EQ(record.RowsWritten(), rows);
}

TEST_P(CohortUseCaseTest, ExternalIdsAreUniqueInTheirSystem) {
  TestRecord record(GetParam());
  const auto create = [&](std::string_view id, std::string_view system,
                          std::string_view value) {
    Person person;
    person.name = ChildName<PersonName>(record.body, "persons", id);
    person.given_name = "Personne";
    person.family_name = "Une";
    person.email = "personne.une@example.org";
    person.external_ids = {{std::string(system), std::string(value)}};
    return CreatePerson(record.store(), record.Call("CreatePerson"), person,
                        Mode::kCommit);
  };
  const Person first = Must(create("une", "cnam", "N-1"));
  EXPECT_OK(create("deux", "edof", "N-1"));
  const int64_t rows = record.RowsWritten();
  const auto taken = create("trois", "cnam", "N-1");
  EXPECT_THAT(taken, HasReason(Reason::kAlreadyExists));
  EXPECT_THAT(taken, ViolatesField("person.external_ids[0].value"));
  EXPECT_EQ(MetadataOf(taken.status()).at("system"), "cnam");
  EXPECT_EQ(record.RowsWritten(), rows);
  // An organisation is of another kind.
  const auto give_organisation = [&] {
    return UpdateOrganisation(
        record.store(), record.Call("UpdateOrganisation"),
        {.name = record.employer, .apply = [](Organisation& organisation) {
           organisation.external_ids = {{"cnam", "N-1"}};
           return absl::OkStatus();
         }});
  };
  EXPECT_OK(give_organisation());
  // What is given up can be taken.
  ASSERT_OK(UpdatePerson(record.store(), record.Call("UpdatePerson"),
                         {.name = first.name, .apply = [](Person& person) {
                            person.external_ids.clear();
                            return absl::OkStatus();
                          }}));
  EXPECT_OK(create("trois", "cnam", "N-1"));
  const Page<Person> found = Must(ListOfBody<Person>(
      record.store(), record.Call("ListPersons"), &EnrolmentUnit::persons,
      record.body, ExternalId{.system = "cnam", .value = "N-1"}, {}));
  ASSERT_THAT(found.items, SizeIs(1));
  EXPECT_EQ(found.items[0].name.id(), "trois");
}

TEST_P(CohortUseCaseTest, OneOfManyAtOnceGetsTheExternalId) {
  TestRecord record(GetParam());
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      Person person;
      person.name =
          ChildName<PersonName>(record.body, "persons", Cat("personne-", i));
      person.given_name = "Personne";
      person.family_name = "Une";
      person.email = "personne.une@example.org";
      person.external_ids = {{.system = "cnam", .value = "N-1"}};
      const auto created = CreatePerson(
          record.store(), record.Call("CreatePerson"), person, Mode::kCommit);
      if (created.ok()) ++taken;
      if (!created.ok()) {
        EXPECT_THAT(created, HasReason(Reason::kAlreadyExists));
        EXPECT_EQ(MetadataOf(created.status()).at("system"), "cnam");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(record.Count("SELECT COUNT(*) FROM person"), 1);
}

TEST_P(CohortUseCaseTest, NobodySeesAnotherBody) {
  TestRecord record(GetParam());
  const ApplicationName name = record.Submitted(1).name;
  access::Caller stranger = record.Call();
  stranger.scope = access::Scope::Body("bodies/autre");
  EXPECT_THAT(GetApplication(record.store(), stranger, name),
              HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(
      ListOfBody<Person>(record.store(), stranger, &EnrolmentUnit::persons,
                         record.body, std::nullopt, {}),
      HasReason(Reason::kPermissionDenied));
  Body other;
  other.name = BodyName::FromRecord("bodies/troisieme");
  other.display_name = "Troisième organisme";
  other.time_zone = "Europe/Paris";
  EXPECT_THAT(CreateBody(record.store(), stranger, other, Mode::kCommit),
              HasReason(Reason::kPermissionDenied));
  Person person;
  person.name = ChildName<PersonName>(record.body, "persons", "une");
  person.given_name = "Personne";
  person.family_name = "Une";
  person.email = "personne.une@example.org";
  EXPECT_THAT(CreatePerson(record.store(), stranger, person, Mode::kCommit),
              HasReason(Reason::kPermissionDenied));
}

PARCOURS_ON_BOTH_ENGINES(CohortUseCaseTest);

}  // namespace
}  // namespace parcours::enrolment
