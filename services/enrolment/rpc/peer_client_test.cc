#include "services/enrolment/rpc/peer_client.h"

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "common/rpc/convert.h"
#include "common/rpc/grpc_status.h"
#include "common/testing/silent_server.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

namespace parcours::enrolment {
namespace {

namespace platform_pb = ::parcours::platform::v1;

using ::testing::ElementsAre;
using ::testing::SizeIs;

const PersonName kPerson = PersonName::FromRecord("bodies/opale/persons/p");

class Privacy final : public platform_pb::PrivacyService::Service {
  grpc::Status ListLegalHolds(
      grpc::ServerContext*, const platform_pb::ListLegalHoldsRequest* request,
      platform_pb::ListLegalHoldsResponse* response) override {
    EXPECT_EQ(request->name(), kPerson.text());
    platform_pb::LegalHold& dated = *response->add_holds();
    dated.set_kind("funding_pieces");
    dated.set_resource("bodies/opale/cohorts/c/enrolments/e");
    dated.set_rule("fr/retention.funding_pieces@2020-01-01");
    dated.set_article("recommandation");
    *dated.mutable_until_date() = rpc::DateOf(absl::CivilDay(2032, 11, 16));
    response->add_holds()->set_kind("under_way");
    return grpc::Status::OK;
  }
};

class Feed final : public platform_pb::ChangeFeedService::Service {
  grpc::Status ListChanges(
      grpc::ServerContext*, const platform_pb::ListChangesRequest* request,
      platform_pb::ListChangesResponse* response) override {
    if (request->after_token() == "trop-vieux") {
      return rpc::ToGrpcStatus(MakeError(Reason::kFeedTrimmed));
    }
    EXPECT_THAT(request->filter().kinds(), ElementsAre("erasure"));
    response->add_changes()->set_resource("bodies/opale/erasures/p");
    response->add_changes()->set_resource("pas un nom");
    response->set_next_token(request->after_token() + "+2");
    response->set_more(true);
    return grpc::Status::OK;
  }
};

class PeerClientTest : public ::testing::Test {
 protected:
  PeerClientTest() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&privacy_);
    builder.RegisterService(&feed_);
    server_ = builder.BuildAndStart();
    client_ = ClientTo(port);
  }

  static std::unique_ptr<PeerClient> ClientTo(int port) {
    return std::make_unique<PeerClient>(
        "scheduling", grpc::CreateChannel(Cat("127.0.0.1:", port),
                                          grpc::InsecureChannelCredentials()));
  }

  static access::Caller Caller(absl::Duration budget = absl::Seconds(30)) {
    access::Caller caller{.scope = access::Scope::Installation()};
    caller.deadline = absl::Now() + budget;
    return caller;
  }

  Privacy privacy_;
  Feed feed_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<PeerClient> client_;
};

TEST_F(PeerClientTest, ReadsHoldsWithAndWithoutADay) {
  const auto holds = client_->LegalHolds(Caller(), kPerson);
  ASSERT_OK(holds);
  ASSERT_THAT(*holds, SizeIs(2));
  EXPECT_EQ((*holds)[0].kind, "funding_pieces");
  EXPECT_EQ((*holds)[0].article, "recommandation");
  EXPECT_EQ((*holds)[0].until, absl::CivilDay(2032, 11, 16));
  EXPECT_EQ((*holds)[1].kind, "under_way");
  EXPECT_FALSE((*holds)[1].until.has_value());
}

TEST_F(PeerClientTest, ReadsTheFeedAndPassesOverWhatIsNoErasure) {
  const auto said = client_->ErasuresAfter(Caller(), "7");
  ASSERT_OK(said);
  EXPECT_THAT(said->done,
              ElementsAre(ErasureName::FromRecord("bodies/opale/erasures/p")));
  EXPECT_EQ(said->next_token, "7+2");
  EXPECT_TRUE(said->more);
  EXPECT_THAT(client_->ErasuresAfter(Caller(), "trop-vieux"),
              HasReason(Reason::kFeedTrimmed));
}

TEST_F(PeerClientTest, WhoIsNotReachedOrSilentIsUnavailable) {
  server_->Shutdown();
  EXPECT_THAT(client_->LegalHolds(Caller(), kPerson),
              HasReason(Reason::kOwnerUnavailable));
  EXPECT_THAT(client_->ErasuresAfter(Caller(), ""),
              HasReason(Reason::kOwnerUnavailable));
  const testing::SilentServer silent;
  const auto client = ClientTo(silent.port());
  EXPECT_THAT(client->LegalHolds(Caller(absl::Milliseconds(50)), kPerson),
              HasReason(Reason::kOwnerUnavailable));
  EXPECT_THAT(client->ErasuresAfter(Caller(absl::Milliseconds(50)), ""),
              HasReason(Reason::kOwnerUnavailable));
}

}  // namespace
}  // namespace parcours::enrolment
