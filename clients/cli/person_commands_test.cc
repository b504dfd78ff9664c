#include "clients/cli/person_commands.h"

#include <atomic>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "clients/cli/dates.h"
#include "clients/cli/testing/privacy_server.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "parcours/enrolment/v1/erasure.grpc.pb.h"
#include "parcours/enrolment/v1/people.grpc.pb.h"

namespace parcours::cli {
namespace {

namespace pb = ::parcours::enrolment::v1;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class FakePeople final : public pb::PeopleService::Service {
 public:
  grpc::Status GetPerson(grpc::ServerContext*,
                         const pb::GetPersonRequest* request,
                         pb::Person* response) override {
    *response = person;
    response->set_name(request->name());
    return {};
  }
  pb::Person person;
};

// Acknowledges for one more service at every look.
class FakeErasures final : public pb::ErasureService::Service {
 public:
  grpc::Status ErasePerson(grpc::ServerContext*,
                           const pb::ErasePersonRequest* request,
                           pb::Erasure* response) override {
    asked.push_back(*request);
    if (!refusal.ok()) return rpc::ToGrpcStatus(refusal, "");
    *response = erasure;
    return {};
  }
  grpc::Status GetErasure(grpc::ServerContext*,
                          const pb::GetErasureRequest* request,
                          pb::Erasure* response) override {
    looked_for = request->name();
    if (erasure.awaited_services_size() > 0 && acknowledges) {
      auto& done = *erasure.add_acknowledgements();
      done.set_service(erasure.awaited_services(0));
      done.mutable_acknowledge_time()->set_seconds(1'800'000'000);
      erasure.mutable_awaited_services()->DeleteSubrange(0, 1);
    }
    if (erasure.awaited_services_size() == 0) {
      erasure.set_state(pb::Erasure::STATE_COMPLETE);
      erasure.mutable_complete_time()->set_seconds(1'800'000'000);
    }
    *response = erasure;
    return {};
  }

  pb::Erasure erasure;
  absl::Status refusal;
  bool acknowledges = true;
  std::vector<pb::ErasePersonRequest> asked;
  std::string looked_for;
};

class PersonCommandsTest : public ::testing::Test {
 protected:
  PersonCommandsTest() {
    people_.person.set_given_name("Zoé");
    people_.person.set_family_name("Fictive");
    people_.person.set_etag("\"v3\"");
    erasures_.erasure.set_name("bodies/opale/erasures/p-1");
    erasures_.erasure.set_state(pb::Erasure::STATE_RUNNING);
    for (const char* service : {"enrolment", "scheduling", "evaluation"}) {
      erasures_.erasure.add_awaited_services(service);
    }
  }

  ExitCode Erase(const std::string& typed, EraseOptions options = {}) {
    out_.str("");
    errors_.str("");
    options.pause = absl::Milliseconds(1);
    std::istringstream in(typed);
    return ErasePersonCommand(servers_.addresses, {kPerson}, options, in, out_,
                              errors_);
  }

  FakePeople people_;
  FakeErasures erasures_;
  PrivacyServers servers_{{&people_, &erasures_}};
  std::ostringstream out_;
  std::ostringstream errors_;
};

TEST_F(PersonCommandsTest, HoldsAreToldWithTheirDayAndArticle) {
  auto& pieces = servers_.scheduling.AddHold("completion_record", "r/1");
  pieces.set_rule("fr/retention.completion_record@2020-01-01");
  pieces.set_article("recommandation OCAPIAT");
  *pieces.mutable_until_date() = DateOf(absl::CivilDay(2030, 3, 12));
  auto& books = servers_.enrolment.AddHold("accounting", "agreements/1");
  books.set_rule("fr/retention.accounting@2000-09-21");
  books.set_article("C. com. L123-22");
  *books.mutable_until_date() = DateOf(absl::CivilDay(2036, 12, 30));
  servers_.evaluation.AddHold("under_way", "appeals/1");
  EXPECT_EQ(PersonHoldsCommand(servers_.addresses, {kPerson}, out_, errors_),
            kSuccess);
  EXPECT_EQ(out_.str(),
            "À conserver :\n"
            "  en cours : appeals/1 (evaluation)\n"
            "  jusqu’au mardi 30 décembre 2036 inclus : pièces comptables, "
            "agreements/1 (enrolment)\n"
            "    C. com. L123-22 ; règle fr/retention.accounting@2000-09-21\n"
            "  jusqu’au mardi 12 mars 2030 inclus : preuves de réalisation, "
            "r/1 (scheduling)\n"
            "    recommandation OCAPIAT ; règle "
            "fr/retention.completion_record@2020-01-01\n");
}

TEST_F(PersonCommandsTest, NothingHoldsOnlyWhenAllServicesSaySo) {
  EXPECT_EQ(PersonHoldsCommand(servers_.addresses, {kPerson}, out_, errors_),
            kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("peut être effacée"));
  out_.str("");
  servers_.evaluation.status = MakeError(Reason::kPermissionDenied);
  EXPECT_EQ(PersonHoldsCommand(servers_.addresses, {kPerson}, out_, errors_),
            kRefused);
  EXPECT_EQ(out_.str(), "");
  EXPECT_THAT(errors_.str(), HasSubstr("evaluation : "));
  EXPECT_EQ(PersonHoldsCommand(servers_.addresses, {"p-1"}, out_, errors_),
            kUsage);
}

TEST_F(PersonCommandsTest, ErasesWhatWasReadAndFollowsItToTheEnd) {
  EXPECT_EQ(Erase("p-1\n"), kSuccess) << errors_.str();
  ASSERT_THAT(erasures_.asked, SizeIs(2));
  EXPECT_TRUE(erasures_.asked[0].validate_only());
  EXPECT_FALSE(erasures_.asked[1].validate_only());
  EXPECT_EQ(erasures_.asked[1].person(), kPerson);
  EXPECT_EQ(erasures_.asked[1].etag(), "\"v3\"");
  EXPECT_EQ(erasures_.asked[1].ground(), pb::Erasure::GROUND_REQUESTED);
  EXPECT_NE(erasures_.asked[1].request_id(), "");
  EXPECT_THAT(out_.str(),
              AllOf(HasSubstr("Zoé Fictive"), HasSubstr("Disparaîtra"),
                    HasSubstr("Restera"), HasSubstr("  enrolment : fait, "),
                    HasSubstr("  scheduling : fait, "),
                    HasSubstr("  evaluation : fait, "),
                    HasSubstr("Effacement terminé dans tous les services")));
}

TEST_F(PersonCommandsTest, ErasesOnlyWhatIsNamedTwice) {
  for (const char* typed : {"p-2\n", "", "oui\n", "\n"}) {
    EXPECT_EQ(Erase(typed), kRefused) << typed;
    EXPECT_THAT(errors_.str(), HasSubstr("Rien n’a été effacé"));
  }
  for (const auto& asked : erasures_.asked) EXPECT_TRUE(asked.validate_only());
  erasures_.asked.clear();
  EXPECT_EQ(Erase("", {.yes = true}), kSuccess);
  EXPECT_THAT(out_.str(), Not(HasSubstr("tapez")));
  EXPECT_THAT(erasures_.asked, SizeIs(2));
}

TEST_F(PersonCommandsTest, ACheckErasesNothing) {
  EXPECT_EQ(Erase("p-1\n", {.check_only = true}), kSuccess);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("Restera"), HasSubstr("--check")));
  ASSERT_THAT(erasures_.asked, SizeIs(1));
  EXPECT_TRUE(erasures_.asked[0].validate_only());
}

TEST_F(PersonCommandsTest, ARefusalListsWhatHolds) {
  erasures_.refusal = MakeError(
      Reason::kLegalHold, {{"until", "2036-12-30"}, {"holds", "agreements/1"}});
  auto& books = servers_.enrolment.AddHold("accounting", "agreements/1");
  books.set_article("C. com. L123-22");
  *books.mutable_until_date() = DateOf(absl::CivilDay(2036, 12, 30));
  EXPECT_EQ(Erase("p-1\n"), kRefused);
  EXPECT_THAT(
      errors_.str(),
      AllOf(HasSubstr("[LEGAL_HOLD]"),
            HasSubstr("jusqu’au mardi 30 décembre 2036 inclus : pièces "
                      "comptables, agreements/1"),
            HasSubstr("C. com. L123-22"), HasSubstr("Rien n’a été effacé.")));
  EXPECT_THAT(out_.str(), IsEmpty());
  EXPECT_THAT(erasures_.asked, SizeIs(1));
}

TEST_F(PersonCommandsTest, WhatIsStillAwaitedIsTold) {
  erasures_.acknowledges = false;
  erasures_.erasure.mutable_awaited_services()->DeleteSubrange(0, 1);
  EXPECT_EQ(Erase("", {.yes = true, .patience = absl::Milliseconds(5)}),
            kUnreachable);
  EXPECT_THAT(errors_.str(),
              AllOf(HasSubstr("Encore attendu : scheduling, evaluation."),
                    HasSubstr("se poursuit")));
}

TEST_F(PersonCommandsTest, AnErasureIsFollowedAgain) {
  people_.person.mutable_erase_time()->set_seconds(1'700'000'000);
  EXPECT_EQ(Erase(""), kSuccess) << errors_.str();
  EXPECT_EQ(erasures_.looked_for, "bodies/opale/erasures/p-1");
  EXPECT_THAT(erasures_.asked, IsEmpty());
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("a été effacée"),
                                HasSubstr("Effacement terminé")));
}

}  // namespace
}  // namespace parcours::cli
