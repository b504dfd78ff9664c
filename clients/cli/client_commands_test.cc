#include "clients/cli/client_commands.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "parcours/enrolment/v1/api_client.grpc.pb.h"

namespace parcours::cli {
namespace {

namespace pb = ::parcours::enrolment::v1;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kName[] = "bodies/opale/apiClients/opco";
constexpr char kSecret[] = "parcours_fictif";

// Remembers what it was asked and answers what a test wants.
class FakeClients final : public pb::ApiClientService::Service {
 public:
  grpc::Status CreateApiClient(grpc::ServerContext*,
                               const pb::CreateApiClientRequest* request,
                               pb::ApiClient* response) override {
    created = *request;
    *response = request->api_client();
    response->set_name(
        Cat(request->parent(), "/apiClients/", request->api_client_id()));
    return {};
  }
  grpc::Status ListApiClients(grpc::ServerContext*,
                              const pb::ListApiClientsRequest* request,
                              pb::ListApiClientsResponse* response) override {
    const bool first = request->page_token().empty();
    *response->add_api_clients() = Client(first ? "a" : "b");
    if (first) response->set_next_page_token("suite");
    return {};
  }
  grpc::Status AddApiClientSecret(
      grpc::ServerContext*, const pb::AddApiClientSecretRequest* request,
      pb::AddApiClientSecretResponse* response) override {
    ++asked;
    if (request->name() != kName) return {grpc::StatusCode::NOT_FOUND, "non"};
    *response->mutable_api_client() = Client("opco");
    response->set_secret_id("id-1");
    response->set_secret(secret);
    return {};
  }
  grpc::Status RevokeApiClientSecret(
      grpc::ServerContext*, const pb::RevokeApiClientSecretRequest* request,
      pb::ApiClient* response) override {
    revoked = request->secret_id();
    *response = Client("opco");
    return {};
  }

  static pb::ApiClient Client(const std::string& id) {
    pb::ApiClient client;
    client.set_name(Cat("bodies/opale/apiClients/", id));
    client.set_display_name("Programme fictif");
    client.set_calls_per_minute(60);
    client.mutable_expire_time()->set_seconds(1'900'000'000);
    pb::ApiClientSecret& secret = *client.add_secrets();
    secret.set_id("id-1");
    secret.mutable_create_time()->set_seconds(1'800'000'000);
    secret.mutable_expire_time()->set_seconds(1'850'000'000);
    secret.mutable_last_use_time()->set_seconds(1'810'000'000);
    return client;
  }

  pb::CreateApiClientRequest created;
  std::string revoked;
  std::string secret = kSecret;
  int asked = 0;
};

class ClientCommandsTest : public ::testing::Test {
 protected:
  ClientCommandsTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&clients_);
    server_ = builder.BuildAndStart();
    addresses_.enrolment = Cat("127.0.0.1:", port);
  }
  ~ClientCommandsTest() override { server_->Shutdown(); }

  std::string Contents(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  FakeClients clients_;
  std::unique_ptr<grpc::Server> server_;
  ServiceAddresses addresses_;
  testing::TempDir folder_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(ClientCommandsTest, CreateSendsWhatTheFileSays) {
  const std::string path = folder_.File("client.txtpb");
  std::ofstream(path) << "display_name: \"Programme fictif\"\n"
                         "roles: ROLE_FUNDER funder_id: \"opco\"\n";
  EXPECT_EQ(CreateClientCommand(addresses_, {kName, path}, out_, err_),
            kSuccess);
  EXPECT_EQ(clients_.created.parent(), "bodies/opale");
  EXPECT_EQ(clients_.created.api_client_id(), "opco");
  EXPECT_EQ(clients_.created.api_client().funder_id(), "opco");
  EXPECT_NE(clients_.created.request_id(), "");
  EXPECT_THAT(out_.str(), HasSubstr(kName));
}

TEST_F(ClientCommandsTest, CreateSendsNothingThatIsWrong) {
  const std::string path = folder_.File("client.txtpb");
  std::ofstream(path) << "couleur: 1\n";
  EXPECT_EQ(CreateClientCommand(addresses_, {kName, path}, out_, err_), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr(":1:"));
  EXPECT_EQ(CreateClientCommand(addresses_, {kName, folder_.File("absent")},
                                out_, err_),
            kUsage);
  EXPECT_EQ(CreateClientCommand(addresses_, {"opco", path}, out_, err_),
            kUsage);
  EXPECT_EQ(CreateClientCommand(addresses_, {kName}, out_, err_), kUsage);
  EXPECT_EQ(clients_.created.parent(), "");
}

TEST_F(ClientCommandsTest, ListPrintsEveryPage) {
  EXPECT_EQ(ListClientsCommand(addresses_, {"bodies/opale"}, out_, err_),
            kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("bodies/opale/apiClients/a : "));
  EXPECT_THAT(out_.str(), HasSubstr("bodies/opale/apiClients/b : "));
  EXPECT_THAT(out_.str(), HasSubstr("secret id-1 : du 2027-01-15 au "
                                    "2028-08-16, dernier usage le 2027-05-11"));
  EXPECT_THAT(out_.str(), HasSubstr("jamais utilisé"));
}

TEST_F(ClientCommandsTest, SecretIsWrittenForItsOwnerAndNeverPrinted) {
  const std::string path = folder_.File("secret");
  EXPECT_EQ(AddClientSecretCommand(addresses_, {kName}, path, out_, err_),
            kSuccess);
  EXPECT_EQ(Contents(path), Cat(kSecret, "\n"));
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_THAT(out_.str() + err_.str(), Not(HasSubstr(kSecret)));
  EXPECT_THAT(out_.str(), HasSubstr("id-1"));
  // What is there is not written over, and no secret is made in vain.
  EXPECT_EQ(AddClientSecretCommand(addresses_, {kName}, path, out_, err_),
            kUsage);
  EXPECT_EQ(clients_.asked, 1);
}

TEST_F(ClientCommandsTest, ALostSecretIsToBeRevoked) {
  clients_.secret.clear();
  const std::string path = folder_.File("secret");
  EXPECT_EQ(AddClientSecretCommand(addresses_, {kName}, path, out_, err_),
            kRefused);
  EXPECT_THAT(err_.str(), HasSubstr("id-1"));
  EXPECT_THAT(err_.str(), HasSubstr("révoquez"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ClientCommandsTest, ARefusalLeavesNoFile) {
  const std::string path = folder_.File("secret");
  EXPECT_EQ(AddClientSecretCommand(addresses_, {"bodies/opale/apiClients/x"},
                                   path, out_, err_),
            kRefused);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(AddClientSecretCommand(addresses_, {kName}, "", out_, err_),
            kUsage);
}

TEST_F(ClientCommandsTest, RevokeNamesTheSecret) {
  EXPECT_EQ(RevokeClientSecretCommand(addresses_, {kName, "id-1"}, out_, err_),
            kSuccess);
  EXPECT_EQ(clients_.revoked, "id-1");
  EXPECT_EQ(RevokeClientSecretCommand(addresses_, {kName}, out_, err_), kUsage);
}

}  // namespace
}  // namespace parcours::cli
