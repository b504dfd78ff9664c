// PrivacyService of scheduling over a real connection, on both engines.

#include "common/privacy/privacy_rpc.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/privacy/erasure_log.h"
#include "common/rpc/convert.h"
#include "common/rpc/grpc_status.h"
#include "common/storage/feed.h"
#include "common/testing/database_fixture.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "common/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/scheduling/domain/attendance_use_cases.h"
#include "services/scheduling/domain/calendar_use_cases.h"
#include "services/scheduling/rpc/roster_rpc.h"
#include "services/scheduling/rpc/scheduling_personal_data.h"
#include "services/scheduling/store/migrations.h"
#include "services/scheduling/store/sql_scheduling_store.h"
#include "services/scheduling/testing/fake_enrolment.h"

namespace parcours::scheduling {
namespace {

namespace privacy_pb = ::parcours::platform::v1;

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr char kBody[] = "bodies/opale";
constexpr char kCohort[] = "bodies/opale/cohorts/c";
constexpr char kPerson[] = "bodies/opale/persons/une";
constexpr char kTrainer[] = "bodies/opale/persons/t1";
constexpr char kName[] = "Candidate Une";
constexpr char kStatement[] = "Téléphone éteint";

class SchedulingPrivacyTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  SchedulingPrivacyTest() {
    fixture_.Serve({&privacy_rpc_, &roster_rpc_});
    privacy_ = privacy_pb::PrivacyService::NewStub(fixture_.channel());
    roster_ = pb::RosterService::NewStub(fixture_.channel());
  }
  // Running calls use what is destroyed before the fixture.
  ~SchedulingPrivacyTest() override { fixture_.StopServing(); }

  // "une" forgot to sign on 16 March 2026, with "t1" as the trainer.
  void SetUp() override {
    CohortFacts cohort;
    cohort.name = CohortName::FromRecord(kCohort);
    cohort.time_zone = "Europe/Paris";
    cohort.programme = ProgrammeName::FromRecord("bodies/opale/programmes/p");
    enrolment_.Put(cohort);
    enrolment_.PutPerson(PersonName::FromRecord(kTrainer), "Trainer Une");
    enrolment_.PutPerson(PersonName::FromRecord(kPerson), kName);
    EnrolmentFacts facts;
    facts.name = EnrolmentName::FromRecord(Cat(kCohort, "/enrolments/une"));
    facts.person = PersonName::FromRecord(kPerson);
    facts.display_name = kName;
    facts.payer_kind = "OPCO";
    facts.state = EnrolmentState::kStarted;
    facts.enrol_time = fixture_.clock().Now();
    enrolment_.Put(facts);
    Synchronise();
    const auto planned = UpdateHalfDay(
        store_, enrolment_, Caller(),
        {.name = HalfDayName::FromRecord(Cat(kCohort, "/halfDays/a")),
         .apply =
             [](HalfDay& half_day) {
               half_day.date = absl::CivilDay(2026, 3, 16);
               half_day.local_start = 9 * 60;
               half_day.local_end = 12 * 60;
               half_day.day_kind = DayKind::kVisit;
               half_day.trainers = {
                   {.person = PersonName::FromRecord(kTrainer)}};
               return absl::OkStatus();
             },
         .allow_missing = true});
    ASSERT_OK(planned);
    half_day_ = *planned;
    ASSERT_OK(PublishCalendar(
        store_, Caller(), CalendarOf(CohortName::FromRecord(kCohort)), "", ""));
    access::Caller late = Caller();
    late.now = half_day_.end + absl::Hours(5);
    ASSERT_OK(SignAttendance(
        store_, rules_, late, half_day_.name,
        {.signer = PersonName::FromRecord(kPerson), .statement = kStatement}));
  }

  access::Caller Caller() {
    access::Caller caller{.principal = {.subject = "tester"},
                          .scope = access::Scope::Installation(),
                          .method = "parcours.scheduling.v1.Test/Step"};
    caller.deadline = absl::Now() + absl::Seconds(60);
    caller.now = fixture_.clock().Now();
    return caller;
  }

  void Synchronise() {
    grpc::ClientContext context;
    pb::SynchroniseRosterResponse response;
    ASSERT_OK(rpc::FromGrpcStatus(
        roster_->SynchroniseRoster(&context, {}, &response)));
  }

  // Kind and content of each record but those of accesses.
  std::vector<std::pair<std::string, std::string>> Export(
      const std::string& person) {
    grpc::ClientContext context;
    privacy_pb::ExportPersonRequest request;
    request.set_name(person);
    const auto reader = privacy_->ExportPerson(&context, request);
    std::vector<std::pair<std::string, std::string>> records;
    privacy_pb::ExportPersonResponse piece;
    while (reader->Read(&piece)) {
      EXPECT_TRUE(piece.has_record()) << "there are no documents here";
      if (piece.record().kind() == "access") continue;
      records.emplace_back(piece.record().kind(),
                           piece.record().content().DebugString());
    }
    EXPECT_OK(rpc::FromGrpcStatus(reader->Finish()));
    return records;
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(
      grpc::Status (privacy_pb::PrivacyService::Stub::*method)(
          grpc::ClientContext*, const Request&, Response*),
      const Request& request) {
    grpc::ClientContext context;
    Response response;
    const absl::Status status = rpc::FromGrpcStatus(
        (privacy_.get()->*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  void MoveTo(absl::CivilDay day) {
    ASSERT_OK(fixture_.clock().AdvanceTo(ParisMidnight(day)));
  }

  testing::TestDatabase test_database_{GetParam()};
  std::unique_ptr<storage::Database> database_ =
      test_database_.Open(Migrations());
  SqlSchedulingStore store_{*database_};
  FakeEnrolment enrolment_;
  testing::TempDir folder_;
  privacy::FileErasureLog erasure_log_{folder_.File("erasures")};
  const rules::RuleBook rules_ = *rules::RuleBook::Load("rules/fr.txtpb");
  const rpc::PageTokens page_tokens_{"a key for tests, 32 bytes long..."};
  RpcFixture fixture_;
  const Dependencies dependencies_{.store = store_,
                                   .enrolment = enrolment_,
                                   .erasure_log = erasure_log_,
                                   .rules = rules_,
                                   .page_tokens = page_tokens_,
                                   .feed_token = [this](int64_t position) {
                                     return storage::EncodeFeedToken(
                                         database_->incarnation(), position);
                                   }};
  SchedulingPersonalData personal_data_{dependencies_};
  privacy::PrivacyRpc privacy_rpc_{fixture_.shell(), *database_,
                                   personal_data_};
  RosterRpc roster_rpc_{fixture_.shell(), dependencies_};
  std::unique_ptr<privacy_pb::PrivacyService::Stub> privacy_;
  std::unique_ptr<pb::RosterService::Stub> roster_;
  HalfDay half_day_;
};

INSTANTIATE_TEST_SUITE_P(Engines, SchedulingPrivacyTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

TEST_P(SchedulingPrivacyTest, AnExportHoldsWhatIsKeptOfThePerson) {
  const auto records = Export(kPerson);
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_THAT(records, Contains(Pair("rosterEntry", HasSubstr(kName))));
  EXPECT_THAT(records, Contains(Pair("attendanceEntry",
                                     HasSubstr("attendanceEntries"))));
  EXPECT_THAT(Export(kTrainer),
              ElementsAre(Pair("halfDay", HasSubstr("halfDays/a"))));
  EXPECT_THAT(Export("bodies/opale/persons/unknown"), IsEmpty());
}

TEST_P(SchedulingPrivacyTest, HoldsHaveTheirArticleAndLastDay) {
  privacy_pb::ListLegalHoldsRequest request;
  request.set_name(kPerson);
  MoveTo(absl::CivilDay(2026, 3, 17));
  const auto holds =
      Call(&privacy_pb::PrivacyService::Stub::ListLegalHolds, request);
  ASSERT_OK(holds);
  ASSERT_THAT(holds->holds(), SizeIs(2));
  EXPECT_EQ(holds->holds(0).kind(), "completion_record");
  EXPECT_EQ(holds->holds(1).kind(), "funding_pieces");
  EXPECT_EQ(holds->holds(1).resource(), Cat(kCohort, "/enrolments/une"));
  EXPECT_THAT(holds->holds(1).rule(), HasSubstr("retention.funding_pieces@"));
  EXPECT_THAT(holds->holds(1).article(), Not(IsEmpty()));
  EXPECT_EQ(rpc::CivilDayOf(holds->holds(1).until_date()),
            absl::CivilDay(2032, 3, 15));
  MoveTo(absl::CivilDay(2032, 3, 16));
  EXPECT_THAT(
      Call(&privacy_pb::PrivacyService::Stub::ListLegalHolds, request)->holds(),
      IsEmpty());
}

TEST_P(SchedulingPrivacyTest, ATrainerWithAHalfDayToComeIsUnderWay) {
  privacy_pb::ListLegalHoldsRequest request;
  request.set_name(kTrainer);
  const auto holds =
      Call(&privacy_pb::PrivacyService::Stub::ListLegalHolds, request);
  ASSERT_OK(holds);
  ASSERT_THAT(holds->holds(), SizeIs(1));
  EXPECT_EQ(holds->holds(0).kind(), "under_way");
  EXPECT_EQ(holds->holds(0).resource(), half_day_.name.text());
  EXPECT_FALSE(holds->holds(0).has_until_date());
}

TEST_P(SchedulingPrivacyTest, WhatIsDueGoesAsItWasPlanned) {
  MoveTo(absl::CivilDay(2027, 3, 16));
  privacy_pb::PlanRetentionRequest plan_request;
  plan_request.set_parent(kBody);
  const auto plan =
      Call(&privacy_pb::PrivacyService::Stub::PlanRetention, plan_request);
  ASSERT_OK(plan);
  ASSERT_THAT(plan->classes(), SizeIs(1));
  EXPECT_EQ(plan->classes(0).kind(), "absence_reason");
  EXPECT_EQ(plan->classes(0).due_count(), 1);
  EXPECT_EQ(plan->classes(0).period_fr(), "1 an");

  privacy_pb::ApplyRetentionRequest apply;
  apply.set_parent(kBody);
  apply.set_etag("another");
  EXPECT_THAT(Call(&privacy_pb::PrivacyService::Stub::ApplyRetention, apply),
              HasReason(Reason::kEtagMismatch));
  apply.set_etag(plan->etag());
  const auto applied =
      Call(&privacy_pb::PrivacyService::Stub::ApplyRetention, apply);
  ASSERT_OK(applied);
  EXPECT_EQ(applied->classes(0).due_count(), 1);
  EXPECT_EQ(Call(&privacy_pb::PrivacyService::Stub::PlanRetention, plan_request)
                ->classes(0)
                .due_count(),
            0);
}

TEST_P(SchedulingPrivacyTest, AnErasureComesWithTheRoster) {
  enrolment_.Erase(PersonName::FromRecord(kPerson));
  Synchronise();
  for (const auto& [kind, content] : Export(kPerson)) {
    EXPECT_THAT(content, Not(HasSubstr(kName))) << kind;
  }
  EXPECT_THAT(*erasure_log_.Read(), ElementsAre(kPerson));
}

}  // namespace
}  // namespace parcours::scheduling
