#include "common/rpc/identity.h"

#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "common/rpc/bearer.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/loopback.h"
#include "common/rpc/server.h"
#include "common/rpc/testdata/probe_service.h"
#include "common/rpc/tls.h"
#include "common/testing/authority.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/silent_server.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "grpc/grpc.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/auth_context.h"
#include "gtest/gtest.h"
#include "parcours/type/v1/access.pb.h"

namespace parcours::rpc {
namespace {

using testing::Authority;
using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(60);

bool HasOnly(access::RoleSet roles, int role) {
  access::RoleSet only;
  only.Add(role);
  return roles.Has(role) && roles.IsWithin(only);
}

// A server on both ports which takes whoever calls for an administrator, and
// remembers who it was.
class IdentityTest : public ::testing::Test {
 protected:
  IdentityTest()
      : server_tls_(MustLoad(authority_.ServiceCertificate("enrolment"))),
        fixture_([this](ShellOptions& options) {
          options.identify = [this](const grpc::CallbackServerContext& context)
              -> absl::StatusOr<access::Principal> {
            auto principal = identify_(context);
            if (!principal.ok()) return principal;
            {
              const std::lock_guard lock(mutex_);
              last_ = *principal;
            }
            principal->roles.Add(type::v1::ROLE_ADMINISTRATOR);
            principal->body.clear();
            return principal;
          };
        }),
        service_(fixture_.shell()) {
    fixture_.Serve({&service_}, {.tls_listen_address = "127.0.0.1:0",
                                 .tls_credentials = server_tls_->ForServer()});
  }
  ~IdentityTest() override { fixture_.StopServing(); }

  static std::shared_ptr<Tls> MustLoad(const TlsFiles& files) {
    return Tls::Load(files, absl::Seconds(1)).value();
  }

  std::string plain_address() {
    return Cat("127.0.0.1:", fixture_.server().port());
  }
  std::string tls_address() {
    return Cat("127.0.0.1:", fixture_.server().tls_port());
  }

  // A connection of its own, as a service makes it.
  std::shared_ptr<grpc::Channel> Connect(
      std::shared_ptr<grpc::ChannelCredentials> credentials,
      const std::string& host = ServiceHostName("enrolment")) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    if (!host.empty()) arguments.SetSslTargetNameOverride(host);
    return grpc::CreateCustomChannel(tls_address(), credentials, arguments);
  }
  std::shared_ptr<grpc::Channel> Connect(const TlsFiles& files) {
    return Connect(MustLoad(files)->ForChannel());
  }

  static absl::Status Probe(
      const std::shared_ptr<grpc::Channel>& channel,
      const std::vector<std::pair<std::string, std::string>>& metadata = {},
      std::string* server_certificate = nullptr) {
    const auto stub = probe::ProbeService::NewStub(channel);
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    for (const auto& [name, value] : metadata) {
      context.AddMetadata(name, value);
    }
    probe::ProbeRequest request;
    request.set_text("hello");
    probe::ProbeResponse response;
    const absl::Status status =
        FromGrpcStatus(stub->Probe(&context, request, &response));
    if (server_certificate != nullptr && context.auth_context() != nullptr) {
      for (const grpc::string_ref& pem :
           context.auth_context()->FindPropertyValues(
               GRPC_X509_PEM_CERT_PROPERTY_NAME)) {
        server_certificate->assign(pem.data(), pem.size());
      }
    }
    return status;
  }

  access::Principal last() {
    const std::lock_guard lock(mutex_);
    return std::exchange(last_, {});
  }

  Authority authority_;
  std::mutex mutex_;  // guards last_
  access::Principal last_;
  // Takes "good" for a token.
  const Identify identify_ = IdentifyCallers(
      [](std::string_view token) -> absl::StatusOr<access::Principal> {
        if (token != "good") return MakeError(Reason::kUnauthenticated);
        access::Principal principal;
        principal.subject = "issuer|bearer";
        principal.roles.Add(type::v1::ROLE_COORDINATOR);
        principal.body = "bodies/opale";
        return principal;
      });
  const std::shared_ptr<Tls> server_tls_;
  RpcFixture fixture_;
  ProbeRpc service_;
};

TEST_F(IdentityTest, WithoutACredentialTheCallerIsThePublic) {
  ASSERT_OK(Probe(fixture_.channel()));
  const access::Principal who = last();
  EXPECT_EQ(who.subject, "public");
  EXPECT_TRUE(HasOnly(who.roles, type::v1::ROLE_PUBLIC));
  EXPECT_EQ(who.body, "");
}

TEST_F(IdentityTest, ATokenSaysWhoCalls) {
  for (const char* value : {"Bearer good", "bearer good", "BEARER good"}) {
    ASSERT_OK(Probe(fixture_.channel(), {{"authorization", value}}));
    const access::Principal who = last();
    EXPECT_EQ(who.subject, "issuer|bearer");
    EXPECT_TRUE(HasOnly(who.roles, type::v1::ROLE_COORDINATOR));
  }
}

TEST_F(IdentityTest, WhatIsNotOneGoodTokenIsRefused) {
  for (const char* value : {"", "good", "Bearer", "Bearer ", "Bearer bad",
                            "Basic Z29vZA==", "Bearer  good", "Bearergood"}) {
    EXPECT_THAT(Probe(fixture_.channel(), {{"authorization", value}}),
                HasReason(Reason::kUnauthenticated))
        << value;
  }
  EXPECT_THAT(Probe(fixture_.channel(), {{"authorization", "Bearer good"},
                                         {"authorization", "Bearer good"}}),
              HasReason(Reason::kUnauthenticated));
}

TEST_F(IdentityTest, NoOtherHeaderIsBelieved) {
  ASSERT_OK(Probe(
      fixture_.channel(),
      {{"x-forwarded-client-cert", "URI=spiffe://parcours/service/evaluation"},
       {"x-subject", "administrator"},
       {"peer_spiffe_id", "spiffe://parcours/service/evaluation"},
       {"cookie", "token=good"}}));
  EXPECT_EQ(last().subject, "public");
}

TEST_F(IdentityTest, AServiceIsKnownByItsCertificate) {
  ASSERT_OK(Probe(Connect(authority_.ServiceCertificate("evaluation"))));
  const access::Principal who = last();
  EXPECT_EQ(who.subject, "service:evaluation");
  EXPECT_TRUE(HasOnly(who.roles, type::v1::ROLE_SERVICE));
  EXPECT_EQ(who.body, "");
}

TEST_F(IdentityTest, AServiceSpeaksForItself) {
  EXPECT_THAT(Probe(Connect(authority_.ServiceCertificate("evaluation")),
                    {{"authorization", "Bearer good"}}),
              HasReason(Reason::kUnauthenticated));
}

TEST_F(IdentityTest, AFeedReaderIsKnownByItsCertificateAndSpeaksForItself) {
  const auto channel = Connect(authority_.FeedReaderCertificate("gateway"));
  ASSERT_OK(Probe(channel));
  const access::Principal who = last();
  EXPECT_EQ(who.subject, "feed-reader:gateway");
  EXPECT_TRUE(HasOnly(who.roles, type::v1::ROLE_FEED_READER));
  EXPECT_EQ(who.body, "");
  EXPECT_THAT(Probe(channel, {{"authorization", "Bearer good"}}),
              HasReason(Reason::kUnauthenticated));
}

TEST_F(IdentityTest, AnotherCertificateGivesNoIdentity) {
  const TlsFiles others[] = {
      authority_.Certificate("proxy",
                             {.uris = {"spiffe://parcours/proxy/edge"},
                              .hosts = {"evaluation.parcours.internal"}}),
      authority_.Certificate("none", {}),
      authority_.Certificate("elsewhere",
                             {.uris = {"spiffe://other/service/evaluation"}}),
      authority_.Certificate(
          "below", {.uris = {"spiffe://parcours/service/evaluation/x"}}),
      authority_.Certificate(
          "reader", {.uris = {"spiffe://parcours/feed-reader/gateway/x"}}),
      // Two identities are none.
      authority_.Certificate("two",
                             {.uris = {"spiffe://parcours/service/evaluation",
                                       "spiffe://parcours/service/enrolment"}}),
      authority_.Certificate("named", {.hosts = {"service:evaluation"}})};
  for (const TlsFiles& files : others) {
    SCOPED_TRACE(files.certificate_file);
    const auto channel = Connect(files);
    ASSERT_OK(Probe(channel));
    EXPECT_EQ(last().subject, "public");
    ASSERT_OK(Probe(channel, {{"authorization", "Bearer good"}}));
    EXPECT_EQ(last().subject, "issuer|bearer");
  }
}

TEST_F(IdentityTest, AClientWithoutACertificateIsRefused) {
  const auto credentials = ServerOnlyTls(authority_.ca_file());
  ASSERT_OK(credentials);
  EXPECT_THAT(Probe(Connect(*credentials), {{"authorization", "Bearer good"}}),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(last().subject, "");
}

TEST_F(IdentityTest, AClientInPlainTextIsRefusedOnTheTlsPort) {
  EXPECT_THAT(Probe(Connect(grpc::InsecureChannelCredentials(), "")),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(IdentityTest, ACertificateOfAnotherAuthorityIsRefused) {
  Authority other;
  TlsFiles files = other.ServiceCertificate("evaluation");
  // Even where the client trusts the server.
  files.ca_file = authority_.ca_file();
  EXPECT_THAT(Probe(Connect(files)), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(last().subject, "");
}

TEST_F(IdentityTest, AnExpiredCertificateIsRefused) {
  const TlsFiles files = authority_.ServiceCertificate("evaluation");
  const auto tls = MustLoad(files);
  authority_.Certificate("evaluation", {.uris = {ServiceUri("evaluation")},
                                        .valid_for = -absl::Seconds(1)});
  EXPECT_THAT(CheckTlsFiles(files),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  // Once the client has noticed that its file is another.
  const absl::Time limit = absl::Now() + kPatience;
  absl::Status status;
  while (status.ok() && absl::Now() < limit) {
    status = Probe(Connect(tls->ForChannel()));
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(IdentityTest, AClientHoldsTheServerToItsName) {
  const auto tls = MustLoad(authority_.ServiceCertificate("evaluation"));
  EXPECT_OK(Probe(Connect(tls->ForChannel())));
  EXPECT_THAT(Probe(Connect(tls->ForChannel(), ServiceHostName("scheduling"))),
              StatusIs(absl::StatusCode::kUnavailable));
  Authority other;
  TlsFiles files = authority_.ServiceCertificate("evaluation");
  files.ca_file = other.ca_file();
  EXPECT_THAT(Probe(Connect(files)), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(IdentityTest, ChannelsOfServicesAreHeldToTheNameToo) {
  const auto tls = MustLoad(authority_.ServiceCertificate("evaluation"));
  EXPECT_OK(Probe(MakeChannel(tls_address(), {},
                              {.credentials = tls->ForChannel(),
                               .host_name = ServiceHostName("enrolment")})));
  EXPECT_EQ(last().subject, "service:evaluation");
  EXPECT_THAT(Probe(MakeChannel(tls_address(), {},
                                {.credentials = tls->ForChannel(),
                                 .host_name = ServiceHostName("scheduling")})),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(IdentityTest, CertificatesAreRotatedUnderCallsThatDoNotNotice) {
  const TlsFiles client_files = authority_.ServiceCertificate("evaluation");
  const auto client_tls = MustLoad(client_files);
  std::atomic<bool> stop = false;
  std::atomic<int> calls = 0;
  std::mutex mutex;
  std::vector<absl::Status> failures;
  std::string seen;
  const auto note = [&](const absl::Status& status) {
    ++calls;
    if (status.ok()) return;
    const std::lock_guard lock(mutex);
    failures.push_back(status);
  };
  // One connection that stays, and ever new ones.
  std::thread staying([&] {
    const auto channel = Connect(client_tls->ForChannel());
    while (!stop) note(Probe(channel));
  });
  std::thread coming([&] {
    while (!stop) {
      std::string certificate;
      note(Probe(Connect(client_tls->ForChannel()), {}, &certificate));
      const std::lock_guard lock(mutex);
      seen = certificate;
    }
  });
  const auto served = [&](const std::string& certificate) {
    const absl::Time limit = absl::Now() + kPatience;
    while (absl::Now() < limit) {
      const std::lock_guard lock(mutex);
      if (seen == certificate) return true;
    }
    return false;
  };
  std::string last_certificate;
  for (int round = 0; round < 3; ++round) {
    const TlsFiles files = authority_.ServiceCertificate("enrolment");
    authority_.ServiceCertificate("evaluation");
    const std::string certificate = Authority::CertificateOf(files);
    ASSERT_NE(certificate, last_certificate);
    last_certificate = certificate;
    EXPECT_TRUE(served(certificate)) << "round " << round;
  }
  stop = true;
  staying.join();
  coming.join();
  EXPECT_GT(calls, 100);
  for (const absl::Status& failure : failures) {
    ADD_FAILURE() << failure;
  }
}

TEST_F(IdentityTest, AFileThatIsBrokenLaterLeavesRunningConnections) {
  const auto channel = Connect(authority_.ServiceCertificate("evaluation"));
  ASSERT_OK(Probe(channel));
  const TlsFiles files = authority_.ServiceCertificate("enrolment");
  std::ofstream(files.certificate_file) << "broken";
  // Until the server has seen it.
  const auto tls = MustLoad(authority_.ServiceCertificate("scheduling"));
  const absl::Time limit = absl::Now() + kPatience;
  absl::Status status;
  while (status.ok() && absl::Now() < limit) {
    status = Probe(Connect(tls->ForChannel()));
  }
  EXPECT_FALSE(status.ok());
  EXPECT_OK(Probe(channel));
  // And it recovers.
  authority_.ServiceCertificate("enrolment");
  while (!status.ok() && absl::Now() < limit) {
    status = Probe(Connect(tls->ForChannel()));
  }
  EXPECT_OK(status);
}

TEST(TlsFiles, AllProblemsAreListed) {
  Authority authority;
  Authority other;
  const TlsFiles good = authority.ServiceCertificate("enrolment");
  EXPECT_OK(CheckTlsFiles(good));
  const auto none = CheckTlsFiles({});
  EXPECT_THAT(none, StatusIs(absl::StatusCode::kFailedPrecondition));
  for (const char* problem :
       {"certificate: no file", "key: no file", "authorities: no file"}) {
    EXPECT_THAT(std::string(none.message()), HasSubstr(problem));
  }
  const auto missing = CheckTlsFiles({.certificate_file = "/nowhere/c",
                                      .key_file = "/nowhere/k",
                                      .ca_file = "/nowhere/a"});
  for (const char* problem : {"/nowhere/c", "/nowhere/k", "/nowhere/a"}) {
    EXPECT_THAT(std::string(missing.message()), HasSubstr(problem));
  }
  TlsFiles mixed = good;
  mixed.key_file = other.ServiceCertificate("enrolment").key_file;
  EXPECT_THAT(std::string(CheckTlsFiles(mixed).message()),
              HasSubstr("not the key of the certificate"));
  TlsFiles swapped = good;
  swapped.key_file = good.ca_file;
  swapped.certificate_file = authority.identity_file();
  EXPECT_THAT(std::string(CheckTlsFiles(swapped).message()),
              HasSubstr("no private key"));
  EXPECT_THAT(std::string(CheckTlsFiles(swapped).message()),
              HasSubstr("no certificate"));
  EXPECT_THAT(
      std::string(CheckTlsFiles(authority.Certificate(
                                    "old", {.valid_for = -absl::Hours(1)}))
                      .message()),
      HasSubstr("expired"));
}

TEST(ServerAddresses, PlainTextStaysOnThisMachine) {
  RpcFixture fixture;
  ProbeRpc service(fixture.shell());
  for (const char* address :
       {"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.org:0",
        "127.evil.example:0", "localhost.example.org:0", "50051"}) {
    const auto server =
        Server::Start({.listen_address = address}, fixture.shell(), {&service});
    ASSERT_THAT(server, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(server.status().message()),
                HasSubstr("not on loopback"));
  }
}

TEST(ServerAddresses, AreAtLeastOneAndTlsHasItsCertificate) {
  RpcFixture fixture;
  ProbeRpc service(fixture.shell());
  const auto none =
      Server::Start({.listen_address = ""}, fixture.shell(), {&service});
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("no address"));
  const auto bare = Server::Start({.tls_listen_address = "0.0.0.0:0"},
                                  fixture.shell(), {&service});
  EXPECT_THAT(std::string(bare.status().message()),
              HasSubstr("no certificate"));

  Authority authority;
  const auto tls =
      Tls::Load(authority.ServiceCertificate("enrolment"), absl::Seconds(10));
  ASSERT_OK(tls);
  const auto only_tls = Server::Start({.listen_address = "",
                                       .tls_listen_address = "0.0.0.0:0",
                                       .tls_port_file = authority.File("port"),
                                       .tls_credentials = (*tls)->ForServer()},
                                      fixture.shell(), {&service});
  ASSERT_OK(only_tls);
  EXPECT_EQ((*only_tls)->port(), 0);
  int port = 0;
  std::ifstream(authority.File("port")) >> port;
  EXPECT_EQ(port, (*only_tls)->tls_port());
  EXPECT_GT(port, 0);
}

TEST(BearerChannel, SendsNoTokenInPlainTextElsewhere) {
  // Nothing is sent: the call fails before it is made.
  const auto channel = MakeBearerChannel("192.0.2.1:443", "secret");
  const auto stub = probe::ProbeService::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  probe::ProbeResponse response;
  const absl::Time before = absl::Now();
  const grpc::Status status = stub->Probe(&context, {}, &response);
  EXPECT_FALSE(status.ok());
  EXPECT_LT(absl::Now() - before, kPatience / 2);
  EXPECT_FALSE(absl::StrContains(status.error_message(), "secret"));
}

TEST(ServiceOfUri, IsTheNameBehindOurDomain) {
  EXPECT_EQ(ServiceOfUri(ServiceUri("enrolment")), "enrolment");
  for (const char* uri :
       {"", "spiffe://parcours/service/", "spiffe://parcours/service/a/b",
        "spiffe://parcours/service/A", "spiffe://parcours/service/a b",
        "spiffe://parcours.evil/service/a", "https://parcours/service/a",
        "xspiffe://parcours/service/a", "spiffe://parcours/services/a"}) {
    EXPECT_EQ(ServiceOfUri(uri), "") << uri;
  }
}

TEST(FeedReaderOfUri, IsTheNameBehindOurDomain) {
  EXPECT_EQ(FeedReaderOfUri("spiffe://parcours/feed-reader/gateway"),
            "gateway");
  for (const char* uri :
       {"", "spiffe://parcours/feed-reader/", "spiffe://parcours/feed-reader/A",
        "spiffe://parcours/feed-readers/a", "spiffe://parcours/service/a"}) {
    EXPECT_EQ(FeedReaderOfUri(uri), "") << uri;
  }
}

TEST(LoopbackAddress, IsThisMachine) {
  for (const char* address : {"127.0.0.1:1", "127.9.9.9:0", "localhost:80",
                              "[::1]:1", "unix:/run/x", "unix-abstract:x"}) {
    EXPECT_TRUE(IsLoopbackAddress(address)) << address;
  }
  for (const char* address : {"", "127.0.0.1", "0.0.0.0:1", "10.0.0.1:1",
                              "[::]:1", "127.0.0.1.example.org:1"}) {
    EXPECT_FALSE(IsLoopbackAddress(address)) << address;
  }
}

}  // namespace
}  // namespace parcours::rpc
