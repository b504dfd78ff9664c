#include "clients/cli/token_command.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <string>

#include "common/identity/issuer.h"
#include "common/identity/token_verifier.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::cli {
namespace {

using ::testing::HasSubstr;

class TokenCommandTest : public ::testing::Test {
 protected:
  TokenCommandTest() {
    EXPECT_EQ(TokenKeygenCommand(folder_.File("key"), folder_.File("set"), out_,
                                 errors_),
              kSuccess);
    out_.str("");
  }

  TokenOptions Options() const {
    return {.signing_key_file = folder_.File("key"),
            .issuer = "local-issuer",
            .audience = "parcours",
            .roles = {"coordinator", "admissions"},
            .body = "bodies/opale",
            .person = "",
            .organisation = "",
            .funder = "",
            .subject = "",
            .valid_for = absl::Hours(1),
            .token_file = ""};
  }

  // What a service makes of the token.
  absl::StatusOr<access::Principal> Verify(const std::string& token) {
    platform::v1::IdentityConfig config;
    platform::v1::TokenIssuer& issuer = *config.add_issuers();
    issuer.set_id("local");
    issuer.set_issuer("local-issuer");
    issuer.set_audience("parcours");
    issuer.set_jwks_file("set");
    identity::TokenVerifierOptions options;
    options.refresh_on_a_thread = false;
    auto verifier = identity::TokenVerifier::Create(
        identity::IssuersOf(config, folder_.path()).value(), options, metrics_);
    if (!verifier.ok()) return verifier.status();
    return (*verifier)->Verify(token);
  }

  const testing::TempDir folder_;
  telemetry::Metrics metrics_;
  std::ostringstream out_;
  std::ostringstream errors_;
};

TEST_F(TokenCommandTest, PrintsATokenOfTheseRoles) {
  EXPECT_EQ(TokenCommand(Options(), out_, errors_), kSuccess);
  std::string token = out_.str();
  ASSERT_EQ(token.back(), '\n');
  token.pop_back();
  const auto principal = Verify(token);
  ASSERT_OK(principal);
  EXPECT_EQ(principal->subject, "local|coordinator");
  EXPECT_EQ(principal->body, "bodies/opale");
  EXPECT_TRUE(principal->roles.Has(type::v1::ROLE_ADMISSIONS));
}

TEST_F(TokenCommandTest, WritesAFileThatItsOwnerAloneReads) {
  TokenOptions options = Options();
  options.token_file = folder_.File("token");
  EXPECT_EQ(TokenCommand(options, out_, errors_), kSuccess);
  EXPECT_EQ(out_.str(), "");
  struct stat status;
  ASSERT_EQ(stat(options.token_file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600u);
  std::string token;
  std::ifstream(options.token_file) >> token;
  EXPECT_OK(Verify(token));
}

TEST_F(TokenCommandTest, AllProblemsAreTold) {
  TokenOptions options = Options();
  options.roles = {"king", "Coordinator"};
  options.body = "opale";
  options.person = "bodies/autre/persons/une";
  options.organisation = "nowhere";
  options.funder = "a/b";
  options.valid_for = absl::ZeroDuration();
  EXPECT_EQ(TokenCommand(options, out_, errors_), kUsage);
  EXPECT_EQ(out_.str(), "");
  for (const char* problem :
       {"« king »", "« Coordinator »", "--body", "--organisation", "--funder",
        "« bodies/autre/persons/une » n’appartient pas", "--valid_for",
        "jury_member"}) {
    EXPECT_THAT(errors_.str(), HasSubstr(problem));
  }
  options = Options();
  options.roles.clear();
  EXPECT_EQ(TokenCommand(options, out_, errors_), kUsage);
  options = Options();
  options.signing_key_file = folder_.File("none");
  EXPECT_EQ(TokenCommand(options, out_, errors_), kUsage);
}

TEST_F(TokenCommandTest, AKeyIsNotMadeTwice) {
  EXPECT_EQ(TokenKeygenCommand(folder_.File("key"), folder_.File("set"), out_,
                               errors_),
            kUsage);
  EXPECT_THAT(errors_.str(), HasSubstr("exists already"));
}

}  // namespace
}  // namespace parcours::cli
