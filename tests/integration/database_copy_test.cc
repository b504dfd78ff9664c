// A service that began on SQLite goes on, copied, on PostgreSQL; who follows
// its feed reads it anew.

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/rpc/grpc_status.h"
#include "common/testing/authority.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "parcours/scheduling/v1/attendance.grpc.pb.h"
#include "tests/integration/enrolment_client.h"
#include "tests/integration/enrolmentd.h"

namespace parcours::integration {
namespace {

using testing::DaemonFixture;
using ::testing::HasSubstr;

constexpr char kStart[] = "--simulation_start=2025-09-02T09:00:00+02:00";

class DatabaseCopyTest : public ::testing::Test {
 protected:
  DatabaseCopyTest() : target_(storage::Engine::kPostgresql) {
    PrepareEnrolment(target_);
  }

  // enrolmentd on `url`, always with the same secrets, files and certificate.
  std::unique_ptr<DaemonFixture> StartEnrolment(const std::string& url) {
    const rpc::TlsFiles tls = authority_.ServiceCertificate("enrolment");
    auto process = std::make_unique<DaemonFixture>(
        PARCOURS_ENROLMENTD,
        std::vector<std::string>{
            Cat("--database_url=", url),
            Cat("--secret_file=", folder_.File("secret")),
            Cat("--upload_dir=", folder_.File("uploads")),
            Cat("--identity_file=", authority_.identity_file()),
            "--tls_listen_address=127.0.0.1:0",
            Cat("--tls_port_file=", folder_.File("tls-port")),
            Cat("--tls_certificate_file=", tls.certificate_file),
            Cat("--tls_key_file=", tls.key_file),
            Cat("--tls_ca_file=", tls.ca_file),
            "--documents_inspector=" PARCOURS_DOCUMENTS_INSPECTOR,
            "--simulation", kStart,
            "--scheduling_address=", "--evaluation_address="});
    process->Start();
    return process;
  }

  // schedulingd, which follows the enrolmentd that runs, on its own file; the
  // position that its copy has come to.
  std::string FollowOnce() {
    int port = 0;
    std::ifstream(folder_.File("tls-port")) >> port;
    const rpc::TlsFiles tls = authority_.ServiceCertificate("scheduling");
    DaemonFixture process(
        PARCOURS_SCHEDULINGD,
        {Cat("--database_url=sqlite://", folder_.File("scheduling.db")),
         Cat("--identity_file=", authority_.identity_file()),
         Cat("--enrolment_address=127.0.0.1:", port),
         Cat("--tls_certificate_file=", tls.certificate_file),
         Cat("--tls_key_file=", tls.key_file),
         Cat("--tls_ca_file=", tls.ca_file), "--simulation", kStart,
         "--evaluation_address="});
    process.Start();
    const auto stub = scheduling::v1::RosterService::NewStub(
        process.ConnectAs(authority_.AdministratorToken()));
    grpc::ClientContext context;
    scheduling::v1::SynchroniseRosterResponse response;
    EXPECT_OK(
        rpc::FromGrpcStatus(stub->SynchroniseRoster(&context, {}, &response)));
    process.Terminate();
    EXPECT_EQ(process.Wait(), 0);
    return response.feed_token();
  }

  testing::ProcessEnd Copy() {
    return testing::RunProgram(
        PARCOURS_CLI,
        {"database", "copy", "--service=enrolment",
         Cat("--from=", source_url()), Cat("--to=", target_.options().url)});
  }
  std::string source_url() const {
    return Cat("sqlite://", folder_.File("enrolment.db"));
  }
  EnrolmentClient Client(const DaemonFixture& process) {
    return EnrolmentClient(process.ConnectAs(authority_.AdministratorToken()));
  }

  testing::TempDir folder_;
  testing::Authority authority_;
  testing::TestDatabase target_;
};

TEST_F(DatabaseCopyTest, AServiceGoesOnWhereItStood) {
  auto process = StartEnrolment(source_url());
  std::vector<pb::Application> before;
  std::vector<pb::SubmitApplicationRequest> requests;
  {
    const EnrolmentClient client = Client(*process);
    ASSERT_OK(client.CreateAll());
    const auto files = client.CompleteFiles(1, 34);
    ASSERT_OK(files);
    requests = *files;
    for (int i = 0; i < 32; ++i) {
      const auto submitted =
          client.Submit(requests[static_cast<std::size_t>(i)]);
      ASSERT_OK(submitted);
    }
    const auto listed = client.ListApplications();
    ASSERT_OK(listed);
    before = *listed;
  }
  const std::string token = FollowOnce();
  const testing::ProcessEnd refused = Copy();
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err, HasSubstr("open in another process"));
  process->Terminate();
  ASSERT_EQ(process->Wait(), 0);

  const testing::ProcessEnd copied = Copy();
  ASSERT_EQ(copied.code, 0) << copied.err;
  EXPECT_THAT(copied.out, HasSubstr("application "));
  EXPECT_THAT(copied.out, HasSubstr("sans faute"));
  EXPECT_NE(Copy().code, 0) << "a second copy";

  process = StartEnrolment(target_.options().url);
  const EnrolmentClient client = Client(*process);
  const auto listed = client.ListApplications();
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ((*listed)[i].SerializeAsString(), before[i].SerializeAsString());
  }
  // Ranks go on; a request of before is known; its uploads can be taken.
  const auto repeated = client.Submit(requests[3]);
  ASSERT_OK(repeated);
  EXPECT_EQ(repeated->rank(), 4);
  for (int i = 32; i < 34; ++i) {
    const auto next = client.Submit(requests[static_cast<std::size_t>(i)]);
    ASSERT_OK(next);
    EXPECT_EQ(next->rank(), i + 1);
    EXPECT_EQ(next->place_state(), pb::PLACE_STATE_WAITLISTED);
  }
  const auto feed = client.ApplicationsOfFeed(34);
  ASSERT_OK(feed);
  EXPECT_EQ(feed->size(), 34u);
  EXPECT_EQ(feed->front(), before.front().name());

  // The position of before is of another incarnation: all is read anew, and
  // then followed.
  const std::string after = FollowOnce();
  EXPECT_NE(after, token);
  EXPECT_EQ(FollowOnce(), after);
}

}  // namespace
}  // namespace parcours::integration
