// A partner's program against enrolmentd: from its secret to a call, through
// restarts, and what is left of both on the disk.

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/grpc_status.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "parcours/enrolment/v1/api_client.grpc.pb.h"
#include "parcours/scheduling/v1/venue.grpc.pb.h"
#include "tests/integration/enrolment_client.h"
#include "tests/integration/enrolmentd.h"

namespace parcours::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

template <typename Service, typename Request, typename Response>
absl::StatusOr<Response> Call(
    const std::shared_ptr<grpc::Channel>& channel,
    grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                          Response*),
    const Request& request) {
  const auto stub = Service::NewStub(channel);
  grpc::ClientContext context;
  Response response;
  const grpc::Status status =
      (stub.get()->*method)(&context, request, &response);
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  return response;
}

class ApiClientsTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  ApiClientsTest() : enrolmentd_(PARCOURS_ENROLMENTD, GetParam()) {
    process().Start();
  }

  testing::DaemonFixture& process() { return enrolmentd_.process(); }

  // Makes a program of the body that acts by `role`. Its secret.
  std::string MakeClient(type::v1::Role role = type::v1::ROLE_STEERING_READER) {
    pb::CreateApiClientRequest create;
    create.set_parent(EnrolmentClient::Body());
    create.set_api_client_id("chiffres");
    pb::ApiClient& client = *create.mutable_api_client();
    client.set_display_name("Programme fictif");
    client.set_purpose("Lire des chiffres");
    client.mutable_contact()->set_name("Contact Une");
    client.mutable_contact()->set_email("contact.une@example.org");
    client.add_roles(role);
    client.set_calls_per_minute(600);
    client.mutable_expire_time()->set_seconds(
        absl::ToUnixSeconds(absl::Now() + absl::Hours(24)));
    const auto created = Call<pb::ApiClientService>(
        process().Connect(), &pb::ApiClientService::Stub::CreateApiClient,
        create);
    EXPECT_OK(created);
    pb::AddApiClientSecretRequest add;
    add.set_name(created->name());
    const auto added = Call<pb::ApiClientService>(
        process().Connect(), &pb::ApiClientService::Stub::AddApiClientSecret,
        add);
    EXPECT_OK(added);
    return added->secret();
  }

  absl::StatusOr<pb::IssueTokenResponse> Issue(const std::string& secret) {
    pb::IssueTokenRequest request;
    request.set_client(Cat(EnrolmentClient::Body(), "/apiClients/chiffres"));
    request.set_secret(secret);
    return Call<pb::TokenService>(process().ConnectAs(""),
                                  &pb::TokenService::Stub::IssueToken, request);
  }

  absl::Status ReadProgrammeAs(const std::string& token) {
    return EnrolmentClient(process().ConnectAs(token)).GetProgramme().status();
  }

  void Restart() {
    process().Terminate();
    EXPECT_EQ(process().Wait(), 0);
    process().Start();
  }

  Enrolmentd enrolmentd_;
};

TEST_P(ApiClientsTest, ASecretOpensWhatItsTokenSays) {
  ASSERT_OK(EnrolmentClient(process().Connect()).CreateAll());
  const std::string secret = MakeClient();
  const auto issued = Issue(secret);
  ASSERT_OK(issued);
  EXPECT_OK(ReadProgrammeAs(issued->token()));
  // To read figures is not to make a program.
  EXPECT_THAT(
      Call<pb::ApiClientService>(process().ConnectAs(issued->token()),
                                 &pb::ApiClientService::Stub::ListApiClients,
                                 [] {
                                   pb::ListApiClientsRequest request;
                                   request.set_parent(EnrolmentClient::Body());
                                   return request;
                                 }()),
      HasReason(Reason::kPermissionDenied));
  std::string forged = issued->token();
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_THAT(ReadProgrammeAs(forged), HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Issue("parcours_"), HasReason(Reason::kUnauthenticated));

  // Secret, key and tokens outlive the process.
  Restart();
  EXPECT_OK(ReadProgrammeAs(issued->token()));
  EXPECT_OK(Issue(secret));
  EXPECT_THAT(process().log(), Not(HasSubstr(secret)));
  EXPECT_THAT(process().log(), Not(HasSubstr(issued->token())));

  // With another key, its tokens are worth nothing and new ones are good.
  std::filesystem::remove(process().File("secret.tokens.jwk"));
  Restart();
  EXPECT_THAT(ReadProgrammeAs(issued->token()),
              HasReason(Reason::kUnauthenticated));
  const auto anew = Issue(secret);
  ASSERT_OK(anew);
  EXPECT_OK(ReadProgrammeAs(anew->token()));
}

TEST_P(ApiClientsTest, AnotherServiceGoesByTheKeySet) {
  ASSERT_OK(EnrolmentClient(process().Connect()).CreateAll());
  const std::string secret = MakeClient(type::v1::ROLE_COORDINATOR);
  const testing::TempDir folder;
  const std::string identity = folder.File("identity.txtpb");
  std::ofstream(identity) << "issuers { id: 'clients' issuer: "
                             "'parcours-enrolment' audience: 'parcours'"
                             " api_clients: true jwks_file: '"
                          << process().File("secret.tokens.jwks") << "' }";
  testing::DaemonFixture scheduling(
      PARCOURS_SCHEDULINGD,
      {Cat("--database_url=sqlite://", folder.File("scheduling.db")),
       Cat("--identity_file=", identity)});
  scheduling.Start();
  const auto list = [&](const std::string& token) {
    scheduling::v1::ListVenuesRequest request;
    request.set_parent(EnrolmentClient::Body());
    return Call<scheduling::v1::VenueService>(
               scheduling.ConnectAs(token),
               &scheduling::v1::VenueService::Stub::ListVenues, request)
        .status();
  };
  const auto issued = Issue(secret);
  ASSERT_OK(issued);
  EXPECT_OK(list(issued->token()));
  EXPECT_THAT(list(""), HasReason(Reason::kUnauthenticated));
  // Who is not told of an issuer does not accept it.
  EXPECT_THAT(list(process().authority().AdministratorToken()),
              HasReason(Reason::kUnauthenticated));
}

TEST_P(ApiClientsTest, TheKeyIsItsOwnersAndTheSecretIsNowhere) {
  ASSERT_OK(EnrolmentClient(process().Connect()).CreateAll());
  const std::string secret = MakeClient();
  ASSERT_OK(Issue(secret));
  struct stat status;
  ASSERT_EQ(stat(process().File("secret.tokens.jwk").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  process().Terminate();
  ASSERT_EQ(process().Wait(), 0);
  const std::filesystem::path folder =
      std::filesystem::path(process().File("secret")).parent_path();
  int read = 0;
  std::vector<std::filesystem::path> folders = {folder};
  constexpr std::string_view kSqlite = "sqlite://";
  if (std::string_view url = enrolmentd_.database_url();
      url.starts_with(kSqlite)) {
    folders.push_back(
        std::filesystem::path(url.substr(kSqlite.size())).parent_path());
  }
  for (const auto& searched : folders) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(searched)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      EXPECT_EQ(bytes.find(secret), std::string::npos) << entry.path();
      EXPECT_EQ(bytes.find(secret.substr(9, 64)), std::string::npos)
          << entry.path();
      ++read;
    }
  }
  EXPECT_GT(read, 2);
}

INSTANTIATE_TEST_SUITE_P(Engines, ApiClientsTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

}  // namespace
}  // namespace parcours::integration
