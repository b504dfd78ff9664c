#include "clients/cli/access_files.h"

#include <fstream>
#include <string>

#include "common/testing/authority.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::cli {
namespace {

using ::testing::HasSubstr;

TEST(AccessFiles, GiveATokenWithoutItsLineEnd) {
  const testing::TempDir folder;
  std::ofstream(folder.File("token")) << "a.b.c\n";
  const auto access = ReadAccess({.token_file = folder.File("token")});
  ASSERT_OK(access);
  EXPECT_EQ(access->token, "a.b.c");
  EXPECT_EQ(access->credentials, nullptr);
}

TEST(AccessFiles, GiveTlsWithAndWithoutACertificate) {
  testing::Authority authority;
  const rpc::TlsFiles files =
      authority.Certificate("client", {.hosts = {"client"}});
  const auto both = ReadAccess({.tls_ca_file = files.ca_file,
                                .tls_certificate_file = files.certificate_file,
                                .tls_key_file = files.key_file});
  ASSERT_OK(both);
  EXPECT_NE(both->credentials, nullptr);
  const auto server_only = ReadAccess({.tls_ca_file = files.ca_file});
  ASSERT_OK(server_only);
  EXPECT_NE(server_only->credentials, nullptr);
}

TEST(AccessFiles, AllProblemsAreTold) {
  const auto access = ReadAccess({.token_file = "/nowhere/token",
                                  .tls_ca_file = "/nowhere/ca",
                                  .tls_certificate_file = "/nowhere/cert",
                                  .tls_key_file = ""});
  ASSERT_THAT(access, StatusIs(absl::StatusCode::kInvalidArgument));
  for (const char* problem :
       {"/nowhere/token", "/nowhere/ca", "/nowhere/cert", "key"}) {
    EXPECT_THAT(std::string(access.status().message()), HasSubstr(problem));
  }
}

TEST(Reach, PlainTextIsForThisMachine) {
  EXPECT_OK(CheckReach({"127.0.0.1:50051", "", "[::1]:1"}, {}));
  const absl::Status refused =
      CheckReach({"127.0.0.1:1", "id.example.org:1", "10.0.0.1:2"}, {});
  ASSERT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("id.example.org:1"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("10.0.0.1:2"));
  testing::Authority authority;
  const auto access = ReadAccess({.tls_ca_file = authority.ca_file()});
  ASSERT_OK(access);
  EXPECT_OK(CheckReach({"id.example.org:1"}, *access));
}

}  // namespace
}  // namespace parcours::cli
