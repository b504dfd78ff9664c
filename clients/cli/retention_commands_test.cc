#include "clients/cli/retention_commands.h"

#include <sstream>
#include <string>

#include "clients/cli/testing/privacy_server.h"
#include "common/status/error.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::cli {
namespace {

namespace pb = ::parcours::platform::v1;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RetentionCommandsTest : public ::testing::Test {
 protected:
  RetentionCommandsTest() {
    pb::RetentionPlan& plan = servers_.enrolment.plan;
    plan.set_etag("\"p7\"");
    plan.mutable_plan_time()->set_seconds(1'800'000'000);
    pb::RetentionClass& kind = *plan.add_classes();
    kind.set_kind("application_pieces");
    kind.set_description_fr("CV et lettres");
    kind.set_rule("fr/retention.refused_application@2020-01-01");
    kind.set_article("paramètre de l'organisme");
    kind.set_source("choix de l'organisme");
    kind.set_period_fr("2 ans");
    kind.set_starts_fr("après la décision");
    kind.set_due_count(120);
    for (int i = 0; i < 100; ++i) kind.add_resources(Cat("applications/", i));
  }

  PrivacyServers servers_;
  std::ostringstream out_;
  std::ostringstream errors_;
};

TEST_F(RetentionCommandsTest, ThePlanSaysWhatByWhichRuleAndHowToGoOn) {
  EXPECT_EQ(
      PlanRetentionCommand(servers_.addresses, {"bodies/opale"}, out_, errors_),
      kSuccess);
  EXPECT_THAT(
      out_.str(),
      AllOf(HasSubstr("application_pieces : CV et lettres\n"),
            HasSubstr("conservé    2 ans après la décision\n"),
            HasSubstr("fr/retention.refused_application@2020-01-01 (paramètre "
                      "de l'organisme)"),
            HasSubstr("source      choix de l'organisme\n"),
            HasSubstr("à supprimer 120\n      applications/0\n"),
            HasSubstr("applications/4\n      … et 115 de plus\n"),
            HasSubstr("parcours retention apply bodies/opale "
                      "--service=enrolment --etag='\"p7\"'\n"),
            HasSubstr("evaluation, "), HasSubstr("Rien à supprimer.")));
  EXPECT_THAT(servers_.enrolment.applied, IsEmpty());
}

TEST_F(RetentionCommandsTest, OnlyWhatWasPlannedIsRemoved) {
  EXPECT_EQ(ApplyRetentionCommand(servers_.addresses, {"bodies/opale"},
                                  "enrolment", "\"p7\"", out_, errors_),
            kSuccess);
  ASSERT_THAT(servers_.enrolment.applied, SizeIs(1));
  EXPECT_EQ(servers_.enrolment.applied[0].parent(), "bodies/opale");
  EXPECT_EQ(servers_.enrolment.applied[0].etag(), "\"p7\"");
  EXPECT_NE(servers_.enrolment.applied[0].request_id(), "");
  EXPECT_THAT(servers_.scheduling.applied, IsEmpty());
  EXPECT_THAT(out_.str(), HasSubstr("application_pieces : 120 (fr/"));
}

TEST_F(RetentionCommandsTest, AnotherPlanHasToBeReadAgain) {
  servers_.enrolment.status = MakeError(Reason::kEtagMismatch);
  EXPECT_EQ(ApplyRetentionCommand(servers_.addresses, {"bodies/opale"},
                                  "enrolment", "\"p6\"", out_, errors_),
            kRefused);
  EXPECT_THAT(errors_.str(), AllOf(HasSubstr("[ETAG_MISMATCH]"),
                                   HasSubstr("parcours retention plan")));
}

TEST_F(RetentionCommandsTest, WhatNobodyReadIsNotApplied) {
  const auto apply = [&](const std::string& service, const std::string& etag) {
    return ApplyRetentionCommand(servers_.addresses, {"bodies/opale"}, service,
                                 etag, out_, errors_);
  };
  EXPECT_EQ(apply("enrolment", ""), kUsage);
  EXPECT_EQ(apply("", "\"p7\""), kUsage);
  EXPECT_EQ(apply("nobody", "\"p7\""), kUsage);
  EXPECT_EQ(PlanRetentionCommand(servers_.addresses, {"opale"}, out_, errors_),
            kUsage);
  EXPECT_THAT(servers_.enrolment.applied, IsEmpty());
}

TEST_F(RetentionCommandsTest, AServiceThatRefusesIsNamed) {
  servers_.scheduling.status = MakeError(Reason::kPermissionDenied);
  EXPECT_EQ(
      PlanRetentionCommand(servers_.addresses, {"bodies/opale"}, out_, errors_),
      kRefused);
  EXPECT_THAT(errors_.str(), HasSubstr("scheduling : "));
  EXPECT_THAT(out_.str(), HasSubstr("evaluation, "));
}

}  // namespace
}  // namespace parcours::cli
