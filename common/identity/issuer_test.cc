#include "common/identity/issuer.h"

#include <fstream>
#include <string>

#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::identity {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::vector<Issuer>> Load(const testing::TempDir& folder,
                                         const std::string& text) {
  std::ofstream(folder.File("identity.txtpb")) << text;
  return LoadIssuers(folder.File("identity.txtpb"));
}

TEST(Issuers, HaveDefaults) {
  const testing::TempDir folder;
  const auto issuers = Load(folder, R"(
      issuers {
        id: "opale" issuer: "https://id.example.org" audience: "parcours"
        jwks_file: "keys.json"
      })");
  ASSERT_OK(issuers);
  ASSERT_EQ(issuers->size(), 1u);
  const Issuer& issuer = issuers->front();
  EXPECT_EQ(issuer.jwks_file, folder.File("keys.json"));
  EXPECT_EQ(issuer.clock_skew, absl::Seconds(60));
  EXPECT_EQ(issuer.refresh_interval, absl::Minutes(5));
  EXPECT_EQ(issuer.maximum_key_age, absl::Hours(24));
  EXPECT_FALSE(issuer.local);
  EXPECT_FALSE(issuer.installation_wide);
  EXPECT_FALSE(issuer.api_clients);
  EXPECT_TRUE(issuer.allowed_roles.Has(type::v1::ROLE_LEARNER));
  EXPECT_FALSE(issuer.allowed_roles.Has(type::v1::ROLE_ADMINISTRATOR));
  EXPECT_FALSE(issuer.allowed_roles.Has(type::v1::ROLE_SERVICE));
  EXPECT_FALSE(issuer.allowed_roles.Has(type::v1::ROLE_FEED_READER));
}

TEST(Issuers, SayWhatTheyAreGiven) {
  const testing::TempDir folder;
  std::ofstream(folder.File("ca.pem")) << "x";
  const auto issuers = Load(folder, R"(
      issuers {
        id: "opale" issuer: "i" audience: "a"
        jwks_url: "https://id.example.org/keys" ca_file: "ca.pem"
        allowed_roles: ROLE_COORDINATOR body: "bodies/opale" local: true
        api_clients: true
        clock_skew { seconds: 5 } refresh_interval { seconds: 90 }
        maximum_key_age { seconds: 3600 }
      })");
  ASSERT_OK(issuers);
  const Issuer& issuer = issuers->front();
  EXPECT_EQ(issuer.ca_file, folder.File("ca.pem"));
  EXPECT_EQ(issuer.body, "bodies/opale");
  EXPECT_TRUE(issuer.local);
  EXPECT_TRUE(issuer.api_clients);
  EXPECT_EQ(issuer.clock_skew, absl::Seconds(5));
  EXPECT_EQ(issuer.refresh_interval, absl::Seconds(90));
  EXPECT_EQ(issuer.maximum_key_age, absl::Hours(1));
  EXPECT_TRUE(issuer.allowed_roles.Has(type::v1::ROLE_COORDINATOR));
  EXPECT_FALSE(issuer.allowed_roles.Has(type::v1::ROLE_LEARNER));
}

TEST(Issuers, AllProblemsAreListed) {
  const testing::TempDir folder;
  const auto issuers = Load(folder, R"(
      issuers {
        id: "Opale|x" jwks_url: "http://id.example.org/keys"
        body: "bodies/opale" installation_wide: true
        allowed_roles: ROLE_UNSPECIFIED clock_skew { seconds: 3600 }
      }
      issuers {
        id: "two" issuer: "i" audience: "a" body: "opale" ca_file: "none.pem"
        refresh_interval { nanos: 1 }
      }
      issuers {
        id: "two" issuer: "i" audience: "a" jwks_file: "k"
        refresh_interval { seconds: 3600 } maximum_key_age { seconds: 60 }
      })");
  ASSERT_THAT(issuers, StatusIs(absl::StatusCode::kInvalidArgument));
  const std::string message(issuers.status().message());
  for (const char* problem :
       {"issuer 1 Opale|x: id is not", "issuer 1 Opale|x: issuer is missing",
        "issuer 1 Opale|x: audience is missing", "jwks_url: neither https",
        "body and installation_wide exclude", "allowed_roles: not a role",
        "clock_skew is not between", "issuer 2 two: neither jwks_url",
        "issuer 2 two: body is not a name", "ca_file is given without",
        "ca_file: there is no", "refresh_interval is not between",
        "issuer 3 two: another one has this id",
        "issuer 3 two: another one has the same issuer",
        "maximum_key_age is shorter"}) {
    EXPECT_THAT(message, HasSubstr(problem));
  }
}

TEST(Issuers, AFileThatIsNoneIsRefused) {
  const testing::TempDir folder;
  EXPECT_FALSE(LoadIssuers(folder.File("missing")).ok());
  EXPECT_FALSE(Load(folder, "issuer {}").ok());
  EXPECT_FALSE(Load(folder, "").ok());
}

TEST(RoleNames, AreThoseOfTokens) {
  EXPECT_EQ(RoleOf("jury_member"), type::v1::ROLE_JURY_MEMBER);
  EXPECT_EQ(RoleOf("unspecified"), std::nullopt);
  EXPECT_EQ(RoleOf("Coordinator"), std::nullopt);
  EXPECT_EQ(RoleOf(""), std::nullopt);
  for (const std::string& name : RoleNames()) {
    EXPECT_TRUE(RoleOf(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace parcours::identity
