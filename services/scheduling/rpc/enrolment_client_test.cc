#include "services/scheduling/rpc/enrolment_client.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/rpc/convert.h"
#include "common/testing/silent_server.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

namespace parcours::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

namespace enrolment_pb = ::parcours::enrolment::v1;
namespace platform_pb = ::parcours::platform::v1;

constexpr char kCohort[] = "bodies/opale/cohorts/c";
constexpr char kErased[] = "bodies/opale/persons/erased";

enrolment_pb::Enrolment Enrolled(const std::string& id) {
  enrolment_pb::Enrolment enrolment;
  enrolment.set_name(Cat(kCohort, "/enrolments/", id));
  enrolment.set_person("bodies/opale/persons/p");
  enrolment.set_person_display_name("Candidate Une");
  enrolment.set_state(enrolment_pb::Enrolment::STATE_DROPPED_OUT);
  enrolment.set_payer_kind(type::v1::PAYER_KIND_OPCO);
  enrolment.set_organisation("bodies/opale/organisations/o");
  enrolment.set_funder_id("afdas");
  *enrolment.mutable_enrol_time() = rpc::TimestampOf(absl::UnixEpoch());
  *enrolment.mutable_end_date() = rpc::DateOf(absl::CivilDay(2026, 5, 4));
  enrolment.set_has_measures(true);
  return enrolment;
}

class Programmes final : public enrolment_pb::ProgrammeService::Service {
  grpc::Status GetBody(grpc::ServerContext*,
                       const enrolment_pb::GetBodyRequest*,
                       enrolment_pb::Body* body) override {
    body->set_display_name("Opale");
    body->set_legal_name("Association Opale");
    return grpc::Status::OK;
  }
  grpc::Status ListBodies(grpc::ServerContext*,
                          const enrolment_pb::ListBodiesRequest* request,
                          enrolment_pb::ListBodiesResponse* response) override {
    const bool first = request->page_token().empty();
    response->add_bodies()->set_name(first ? "bodies/opale" : "bodies/autre");
    if (first) response->set_next_page_token("second");
    return grpc::Status::OK;
  }
  grpc::Status GetCohort(grpc::ServerContext*,
                         const enrolment_pb::GetCohortRequest* request,
                         enrolment_pb::Cohort* cohort) override {
    if (request->name() != kCohort) {
      return {grpc::StatusCode::NOT_FOUND, "no such cohort"};
    }
    cohort->set_name(request->name());
    cohort->set_programme("bodies/opale/programmes/p");
    cohort->set_display_name("Promotion 2026");
    cohort->set_time_zone("Europe/Paris");
    return grpc::Status::OK;
  }
  grpc::Status GetProgramme(grpc::ServerContext*,
                            const enrolment_pb::GetProgrammeRequest*,
                            enrolment_pb::Programme* programme) override {
    programme->set_display_name("Culture");
    programme->set_certificate_title("Innovations sociales");
    programme->set_duration_minutes(360);
    enrolment_pb::ModuleGroup& group = *programme->add_module_groups();
    group.add_modules()->set_id("m1");
    group.add_modules()->set_id("m2");
    return grpc::Status::OK;
  }
};

class Erasures final : public enrolment_pb::ErasureService::Service {
  // Two pages of one body.
  grpc::Status ListErasures(
      grpc::ServerContext*, const enrolment_pb::ListErasuresRequest* request,
      enrolment_pb::ListErasuresResponse* response) override {
    const bool first = request->page_token().empty();
    response->add_erasures()->set_name(
        Cat(request->parent(), "/erasures/", first ? "p1" : "p2"));
    if (first) response->set_next_page_token("second");
    return grpc::Status::OK;
  }
};

class People final : public enrolment_pb::PeopleService::Service {
  grpc::Status GetPerson(grpc::ServerContext*,
                         const enrolment_pb::GetPersonRequest* request,
                         enrolment_pb::Person* person) override {
    if (request->name() == kErased) return grpc::Status::OK;
    person->set_given_name("Trainer");
    person->set_family_name("Une");
    return grpc::Status::OK;
  }
  grpc::Status GetOrganisation(
      grpc::ServerContext*, const enrolment_pb::GetOrganisationRequest*,
      enrolment_pb::Organisation* organisation) override {
    organisation->set_display_name("Employeur d’essai");
    return grpc::Status::OK;
  }
};

class Enrolments final : public enrolment_pb::EnrolmentService::Service {
  grpc::Status GetEnrolment(grpc::ServerContext*,
                            const enrolment_pb::GetEnrolmentRequest*,
                            enrolment_pb::Enrolment* enrolment) override {
    *enrolment = Enrolled("e1");
    return grpc::Status::OK;
  }
  // Two pages.
  grpc::Status ListEnrolments(
      grpc::ServerContext*, const enrolment_pb::ListEnrolmentsRequest* request,
      enrolment_pb::ListEnrolmentsResponse* response) override {
    const bool first = request->page_token().empty();
    *response->add_enrolments() = Enrolled(first ? "e1" : "e2");
    if (first) response->set_next_page_token("second");
    return grpc::Status::OK;
  }
};

class Feed final : public platform_pb::ChangeFeedService::Service {
  grpc::Status ListChanges(
      grpc::ServerContext*, const platform_pb::ListChangesRequest* request,
      platform_pb::ListChangesResponse* response) override {
    platform_pb::Change& change = *response->add_changes();
    change.set_kind("enrolment");
    change.set_resource(Cat(kCohort, "/enrolments/e1"));
    response->set_next_token(request->after_token() + "+1");
    response->set_more(true);
    return grpc::Status::OK;
  }
};

class EnrolmentClientTest : public ::testing::Test {
 protected:
  EnrolmentClientTest() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&programmes_);
    builder.RegisterService(&people_);
    builder.RegisterService(&enrolments_);
    builder.RegisterService(&erasures_);
    builder.RegisterService(&feed_);
    server_ = builder.BuildAndStart();
    client_ = ClientTo(port);
  }

  static std::unique_ptr<EnrolmentClient> ClientTo(int port) {
    return std::make_unique<EnrolmentClient>(grpc::CreateChannel(
        Cat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
  }

  static access::Caller Caller(absl::Duration budget = absl::Seconds(30)) {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.deadline = absl::Now() + budget;
    return caller;
  }

  Programmes programmes_;
  People people_;
  Enrolments enrolments_;
  Erasures erasures_;
  Feed feed_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<EnrolmentClient> client_;
};

TEST_F(EnrolmentClientTest, ReadsACohortWithItsProgramme) {
  const auto facts =
      client_->GetCohort(Caller(), CohortName::FromRecord(kCohort));
  ASSERT_OK(facts);
  EXPECT_EQ(facts->display_name, "Promotion 2026");
  EXPECT_EQ(facts->time_zone, "Europe/Paris");
  EXPECT_THAT(facts->module_ids, ElementsAre("m1", "m2"));
  EXPECT_EQ(facts->programme_minutes, 360);
}

TEST_F(EnrolmentClientTest, ReadsAnEnrolmentAndItsAction) {
  const auto facts = client_->GetEnrolment(
      Caller(), EnrolmentName::FromRecord(Cat(kCohort, "/enrolments/e1")));
  ASSERT_OK(facts);
  EXPECT_EQ(facts->state, EnrolmentState::kDroppedOut);
  EXPECT_EQ(facts->payer_kind, "OPCO");
  EXPECT_EQ(facts->end_date, absl::CivilDay(2026, 5, 4));
  EXPECT_TRUE(facts->has_measures);
  const auto action = client_->GetAction(Caller(), *facts);
  ASSERT_OK(action);
  EXPECT_EQ(action->title, "Innovations sociales");
  EXPECT_EQ(action->body_display_name, "Association Opale");
  EXPECT_EQ(action->organisation_display_name, "Employeur d’essai");
}

TEST_F(EnrolmentClientTest, ReadsAllPagesAndTheFeed) {
  EXPECT_THAT(
      *client_->ListEnrolments(Caller(), CohortName::FromRecord(kCohort)),
      SizeIs(2));
  EXPECT_EQ(*client_->GetPersonDisplayName(
                Caller(), PersonName::FromRecord("bodies/opale/persons/t")),
            "Trainer Une");
  const auto changes = client_->ListChanges(Caller(), "7");
  ASSERT_OK(changes);
  EXPECT_THAT(changes->changes, SizeIs(1));
  EXPECT_EQ(changes->next_token, "7+1");
  EXPECT_TRUE(changes->more);
}

TEST_F(EnrolmentClientTest, ReadsWhoIsErasedInEveryBody) {
  const auto erased = client_->ListErasures(Caller());
  ASSERT_OK(erased);
  std::vector<std::string> names;
  for (const PersonName& person : *erased) names.push_back(person.text());
  EXPECT_THAT(
      names, ElementsAre("bodies/opale/persons/p1", "bodies/opale/persons/p2",
                         "bodies/autre/persons/p1", "bodies/autre/persons/p2"));
  EXPECT_EQ(
      *client_->GetPersonDisplayName(Caller(), PersonName::FromRecord(kErased)),
      "");
}

TEST_F(EnrolmentClientTest, WhatTheOwnerAnswersPasses) {
  EXPECT_THAT(client_->GetCohort(
                  Caller(), CohortName::FromRecord("bodies/opale/cohorts/x")),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(EnrolmentClientTest, AnOwnerThatIsDownIsUnavailable) {
  server_->Shutdown();
  EXPECT_THAT(client_->GetCohort(Caller(), CohortName::FromRecord(kCohort)),
              HasReason(Reason::kOwnerUnavailable));
}

TEST_F(EnrolmentClientTest, AnOwnerThatSaysNothingIsUnavailable) {
  const testing::SilentServer silent;
  EXPECT_THAT(ClientTo(silent.port())
                  ->GetCohort(Caller(absl::Milliseconds(200)),
                              CohortName::FromRecord(kCohort)),
              HasReason(Reason::kOwnerUnavailable));
}

}  // namespace
}  // namespace parcours::scheduling
