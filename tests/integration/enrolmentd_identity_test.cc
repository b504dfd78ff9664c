// Who enrolmentd takes its callers for: tokens over plain text, certificates
// over TLS, and what it does not start with.

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/bearer.h"
#include "common/rpc/tls.h"
#include "common/testing/authority.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/enrolment_client.h"
#include "tests/integration/enrolmentd.h"

namespace parcours::integration {
namespace {

using testing::Authority;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProcessEnd;
using testing::RunProgram;

absl::Status ReadAs(testing::DaemonFixture& process, const std::string& token) {
  return EnrolmentClient(process.ConnectAs(token)).GetProgramme().status();
}

TEST(EnrolmentdIdentity, GoesByTheToken) {
  Enrolmentd enrolmentd(PARCOURS_ENROLMENTD, storage::Engine::kSqlite,
                        {"--log_level=debug"});
  testing::DaemonFixture& process = enrolmentd.process();
  process.Start();
  ASSERT_OK(EnrolmentClient(process.Connect()).CreateAll());
  Authority& authority = process.authority();
  const std::string good =
      authority.Token({"coordinator"}, EnrolmentClient::Body());
  EXPECT_OK(ReadAs(process, good));

  Authority another;
  identity::TokenClaims expired;
  expired.roles = {"administrator"};
  expired.issue_time = absl::Now() - absl::Hours(2);
  identity::TokenClaims early = expired;
  early.issue_time = absl::Now() + absl::Hours(2);
  identity::TokenClaims for_others;
  for_others.roles = {"administrator"};
  for_others.audience = "others";
  for (const std::string& token :
       {another.AdministratorToken(), authority.TokenOf(expired),
        authority.TokenOf(early), authority.TokenOf(for_others),
        good.substr(0, good.size() - 1), std::string("rubbish")}) {
    EXPECT_THAT(ReadAs(process, token), HasReason(Reason::kUnauthenticated));
  }
  // No token is no mistake, but opens no door that is not public.
  EXPECT_THAT(ReadAs(process, ""), Not(IsOk()));
  // A coordinator of another body, and somebody without a role.
  EXPECT_THAT(ReadAs(process, authority.Token({"coordinator"}, "bodies/autre")),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(ReadAs(process, authority.Token({}, EnrolmentClient::Body())),
              Not(IsOk()));

  process.Terminate();
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_THAT(process.log(), HasSubstr("token refused"));
  EXPECT_THAT(process.log(), Not(HasSubstr(good)));
  EXPECT_THAT(process.log(), Not(HasSubstr("rubbish")));
}

TEST(EnrolmentdIdentity, ServesServicesOverTls) {
  Authority authority;
  const rpc::TlsFiles own = authority.ServiceCertificate("enrolment");
  const testing::TempDir folder;
  Enrolmentd enrolmentd(PARCOURS_ENROLMENTD, storage::Engine::kSqlite,
                        {"--tls_listen_address=127.0.0.1:0",
                         Cat("--tls_port_file=", folder.File("tls-port")),
                         Cat("--tls_certificate_file=", own.certificate_file),
                         Cat("--tls_key_file=", own.key_file),
                         Cat("--tls_ca_file=", own.ca_file)});
  testing::DaemonFixture& process = enrolmentd.process();
  process.Start();
  ASSERT_OK(EnrolmentClient(process.Connect()).CreateAll());
  int port = 0;
  std::ifstream(folder.File("tls-port")) >> port;
  ASSERT_GT(port, 0);
  const auto read = [&](const rpc::TlsFiles& files, const std::string& token) {
    const auto tls = rpc::Tls::Load(files, absl::Seconds(10));
    EXPECT_OK(tls);
    return EnrolmentClient(rpc::MakeBearerChannel(Cat("localhost:", port),
                                                  token, (*tls)->ForChannel()))
        .GetProgramme()
        .status();
  };
  // The proxy's certificate opens nothing; its users' tokens do.
  const rpc::TlsFiles proxy = authority.Certificate(
      "proxy", {.uris = {"spiffe://parcours/proxy/edge"}});
  EXPECT_FALSE(read(proxy, "").ok());
  EXPECT_OK(read(proxy, process.authority().AdministratorToken()));
  Authority another;
  EXPECT_THAT(read(another.ServiceCertificate("evaluation"), ""),
              StatusIs(absl::StatusCode::kUnavailable));
}

class LocalIssuerTest : public ::testing::TestWithParam<storage::Engine> {};

TEST_P(LocalIssuerTest, IsRefusedByAnOrdinaryDatabase) {
  Authority authority;
  testing::TestDatabase database(GetParam());
  PrepareEnrolment(database);
  const testing::TempDir folder;
  std::vector<std::string> flags = {
      "--listen_address=127.0.0.1:0",
      Cat("--database_url=", database.options().url),
      Cat("--secret_file=", folder.File("secret")),
      Cat("--upload_dir=", folder.File("uploads")),
      Cat("--identity_file=", authority.identity_file())};
  const ProcessEnd refused = RunProgram(PARCOURS_ENROLMENTD, flags);
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("issuer local is local"));
  // Nor does asking for it make it local.
  flags.emplace_back("--local");
  const ProcessEnd asked = RunProgram(PARCOURS_ENROLMENTD, flags);
  EXPECT_EQ(asked.code, 1);
  EXPECT_THAT(asked.err, HasSubstr("was not created as local"));
}

INSTANTIATE_TEST_SUITE_P(Engines, LocalIssuerTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

TEST(EnrolmentdIdentity, ALocalDatabaseAcceptsALocalIssuer) {
  const testing::TempDir folder;
  testing::DaemonFixture process(
      PARCOURS_ENROLMENTD,
      {Cat("--database_url=sqlite://", folder.File("local.db")),
       "--documents_inspector=" PARCOURS_DOCUMENTS_INSPECTOR, "--local"});
  process.Start();
  EXPECT_OK(EnrolmentClient(process.Connect()).CreateAll());
}

TEST(EnrolmentdIdentity, ListsWhatIsWrongBeforeItStarts) {
  const testing::TempDir folder;
  std::ofstream(folder.File("identity.txtpb"))
      << "issuers { id: \"first\" issuer: \"i\" audience: \"a\""
         " jwks_file: \"missing.json\" }";
  const ProcessEnd end = RunProgram(
      PARCOURS_ENROLMENTD,
      {"--listen_address=10.0.0.1:50051", "--tls_listen_address=0.0.0.0:0",
       Cat("--tls_certificate_file=", folder.File("none.pem")),
       Cat("--tls_key_file=", folder.File("no-key.pem")),
       Cat("--tls_ca_file=", folder.File("no-ca.pem")),
       Cat("--identity_file=", folder.File("identity.txtpb")),
       Cat("--database_url=sqlite://", folder.File("x.db")),
       Cat("--upload_dir=", folder.File("uploads"))});
  EXPECT_EQ(end.code, 1);
  for (const char* problem : {"10.0.0.1:50051 is not on loopback", "none.pem",
                              "no-key.pem", "no-ca.pem", "missing.json"}) {
    EXPECT_THAT(end.err, HasSubstr(problem));
  }
  const ProcessEnd malformed =
      RunProgram(PARCOURS_ENROLMENTD,
                 {"--listen_address=127.0.0.1:0",
                  Cat("--identity_file=", folder.File("nowhere.txtpb")),
                  Cat("--database_url=sqlite://", folder.File("y.db"))});
  EXPECT_EQ(malformed.code, 1);
  EXPECT_THAT(malformed.err, HasSubstr("nowhere.txtpb"));
}

}  // namespace
}  // namespace parcours::integration
