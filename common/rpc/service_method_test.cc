#include "common/rpc/service_method.h"

#include <initializer_list>
#include <string>
#include <vector>

#include "common/rpc/testdata/probe.pb.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "parcours/platform/v1/upload.pb.h"

namespace parcours::rpc {
namespace {

using ::testing::UnorderedElementsAre;
using type::v1::Role;

access::RoleSet Roles(std::initializer_list<Role> roles) {
  access::RoleSet set;
  for (const Role role : roles) set.Add(role);
  return set;
}

access::Principal Somebody(std::initializer_list<Role> roles,
                           std::string body = "bodies/opale") {
  access::Principal principal{.subject = "issuer|somebody"};
  principal.roles = Roles(roles);
  principal.body = std::move(body);
  return principal;
}

class PermissionTest : public ::testing::Test {
 protected:
  PermissionTest() : method_("a.Service/Method", metrics_) {
    method_.body_roles =
        Roles({type::v1::ROLE_COORDINATOR, type::v1::ROLE_SERVICE});
    method_.own_roles =
        Roles({type::v1::ROLE_LEARNER, type::v1::ROLE_TRAINER,
               type::v1::ROLE_EMPLOYER_CONTACT, type::v1::ROLE_FUNDER});
    for (const Role role :
         {type::v1::ROLE_COORDINATOR, type::v1::ROLE_SERVICE,
          type::v1::ROLE_LEARNER, type::v1::ROLE_TRAINER,
          type::v1::ROLE_EMPLOYER_CONTACT, type::v1::ROLE_FUNDER,
          type::v1::ROLE_ADMINISTRATOR}) {
      method_.roles.Add(role);
    }
    method_.installation_roles = Roles({type::v1::ROLE_ADMINISTRATOR});
  }

  telemetry::Metrics metrics_;
  ServiceMethod method_;
};

TEST_F(PermissionTest, AnAdministratorOfTheInstallationSeesAllOfIt) {
  const auto permission =
      PermissionOf(method_, Somebody({type::v1::ROLE_ADMINISTRATOR}, ""));
  ASSERT_OK(permission);
  EXPECT_TRUE(permission->scope.is_full());
}

TEST_F(PermissionTest, AnAdministratorOfABodySeesThatBody) {
  const auto permission =
      PermissionOf(method_, Somebody({type::v1::ROLE_ADMINISTRATOR}));
  ASSERT_OK(permission);
  EXPECT_FALSE(permission->scope.is_full());
  EXPECT_FALSE(permission->scope.is_own());
  EXPECT_EQ(permission->scope.body(), "bodies/opale");
}

TEST_F(PermissionTest, OnlyServicesAdministratorsAndAuditorsAreWithoutABody) {
  EXPECT_OK(PermissionOf(method_, Somebody({type::v1::ROLE_SERVICE}, "")));
  for (const Role role : {type::v1::ROLE_COORDINATOR, type::v1::ROLE_LEARNER,
                          type::v1::ROLE_FUNDER}) {
    EXPECT_THAT(PermissionOf(method_, Somebody({role}, "")),
                HasReason(Reason::kPermissionDenied))
        << type::v1::Role_Name(role);
  }
}

TEST_F(PermissionTest, AReaderOfFeedsReadsThoseOfTheInstallationAlone) {
  EXPECT_THAT(PermissionOf(method_, Somebody({type::v1::ROLE_FEED_READER}, "")),
              HasReason(Reason::kPermissionDenied));
  method_.body_roles.Add(type::v1::ROLE_FEED_READER);
  method_.roles.Add(type::v1::ROLE_FEED_READER);
  const auto permission =
      PermissionOf(method_, Somebody({type::v1::ROLE_FEED_READER}, ""));
  ASSERT_OK(permission);
  EXPECT_TRUE(permission->scope.is_full());
}

TEST_F(PermissionTest, AServiceWithAForgedRoleOfABodyStaysWhatItIs) {
  const auto permission = PermissionOf(
      method_,
      Somebody({type::v1::ROLE_SERVICE, type::v1::ROLE_COORDINATOR}, ""));
  ASSERT_OK(permission);
  EXPECT_TRUE(permission->roles.Has(type::v1::ROLE_SERVICE));
  EXPECT_FALSE(permission->roles.Has(type::v1::ROLE_COORDINATOR));
}

TEST_F(PermissionTest, TheWidestScopeOfSeveralRolesCounts) {
  const auto permission = PermissionOf(
      method_, Somebody({type::v1::ROLE_COORDINATOR, type::v1::ROLE_LEARNER}));
  ASSERT_OK(permission);
  EXPECT_FALSE(permission->scope.is_own());
  EXPECT_FALSE(permission->roles.Has(type::v1::ROLE_LEARNER));
}

TEST_F(PermissionTest, WhatIsOnesOwnFollowsFromTheRole) {
  access::Principal principal =
      Somebody({type::v1::ROLE_LEARNER, type::v1::ROLE_TRAINER,
                type::v1::ROLE_EMPLOYER_CONTACT, type::v1::ROLE_FUNDER,
                type::v1::ROLE_JURY_MEMBER});
  principal.person = "bodies/opale/persons/une";
  principal.organisation = "bodies/opale/organisations/deux";
  principal.funder = "afdas";
  const auto permission = PermissionOf(method_, principal);
  ASSERT_OK(permission);
  ASSERT_TRUE(permission->scope.is_own());
  EXPECT_EQ(permission->scope.body(), "bodies/opale");
  EXPECT_THAT(
      permission->scope.keys(),
      UnorderedElementsAre("learner:bodies/opale/persons/une",
                           "trainer:bodies/opale/persons/une",
                           "employer_contact:bodies/opale/organisations/deux",
                           "funder:afdas", "account:issuer|somebody"))
      << "a jury member may not call the method";
}

TEST_F(PermissionTest, NobodyIsUnauthenticatedAndTheWrongRoleIsDenied) {
  EXPECT_THAT(PermissionOf(method_, Somebody({type::v1::ROLE_PUBLIC}, "")),
              HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(PermissionOf(method_, Somebody({type::v1::ROLE_AUDITOR})),
              HasReason(Reason::kPermissionDenied));
  EXPECT_THAT(PermissionOf(method_, Somebody({})),
              HasReason(Reason::kPermissionDenied))
      << "somebody known, whose credential gives no role";
}

TEST_F(PermissionTest, AnybodyMayDoWhatIsPublic) {
  method_.roles.Add(type::v1::ROLE_PUBLIC);
  method_.public_roles = Roles({type::v1::ROLE_PUBLIC});
  EXPECT_OK(PermissionOf(method_, Somebody({type::v1::ROLE_PUBLIC}, "")));
  EXPECT_OK(PermissionOf(method_, Somebody({type::v1::ROLE_AUDITOR})));
}

class HotKeyTest : public ::testing::Test {
 protected:
  std::string KeyOf(const char* method,
                    const google::protobuf::Message& request) {
    return HotKey(
        *ReadMethod("parcours.platform.v1.UploadService", method, {}, metrics_),
        request);
  }
  static platform::v1::CreateUploadRequest Create(std::string parent) {
    platform::v1::CreateUploadRequest request;
    request.set_parent(std::move(parent));
    return request;
  }
  telemetry::Metrics metrics_;
};

TEST_F(HotKeyTest, IsWhatTheChangeLiesUnder) {
  EXPECT_EQ(KeyOf("CreateUpload", Create("bodies/b/cohorts/c")),
            "bodies/b/cohorts/c");
  EXPECT_EQ(KeyOf("CreateUpload", Create("bodies/b/cohorts/c/applications/a")),
            "bodies/b/cohorts/c");
}

TEST_F(HotKeyTest, IsNoneForWhatLiesHigherAndForWhatIsNoName) {
  EXPECT_EQ(KeyOf("CreateUpload", Create("bodies/b")), "");
  EXPECT_EQ(KeyOf("CreateUpload", Create("")), "");
  EXPECT_EQ(KeyOf("CreateUpload", Create(std::string(1'000'000, '/'))), "");
}

TEST_F(HotKeyTest, IsNoneForCallsThatOnlyRead) {
  platform::v1::GetUploadRequest request;
  request.set_name("bodies/b/uploads/u");
  EXPECT_EQ(KeyOf("GetUpload", request), "");
}

TEST_F(HotKeyTest, IsFoundInTheResourceThatARequestHolds) {
  ServiceMethod method("a.Service/Update", metrics_);
  const google::protobuf::FieldDescriptor* const held =
      testdata::v1::UpdateThingRequest::descriptor()->FindFieldByName("thing");
  method.subject = {held, held->message_type()->FindFieldByName("name")};
  testdata::v1::UpdateThingRequest update;
  EXPECT_EQ(HotKey(method, update), "");
  update.mutable_thing()->set_name("bodies/b/cohorts/c/things/t");
  EXPECT_EQ(HotKey(method, update), "bodies/b/cohorts/c");
}

}  // namespace
}  // namespace parcours::rpc
