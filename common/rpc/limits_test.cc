// What a client can send before it is refused, each limit on a connection.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/quota/call_quota.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/page_token.h"
#include "common/rpc/testdata/probe_service.h"
#include "common/status/error.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"

namespace parcours::rpc {
namespace {

using ::testing::AnyOf;

constexpr int kKibibyte = 1024;

class LimitsTest : public ::testing::Test {
 protected:
  void Serve(ServerOptions options = {}) {
    fixture_.Serve({&service_}, std::move(options));
    stub_ = probe::ProbeService::NewStub(fixture_.channel());
  }

  absl::Status Probe(
      const probe::ProbeRequest& request,
      const std::function<void(grpc::ClientContext&)>& adapt =
          [](grpc::ClientContext&) {}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::seconds(20));
    adapt(context);
    probe::ProbeResponse response;
    return FromGrpcStatus(stub_->Probe(&context, request, &response));
  }

  // Sends bytes as they are; UNKNOWN-length garbage included.
  grpc::Status Raw(const std::string& method, const std::string& bytes) {
    grpc::GenericStub stub(fixture_.channel());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::seconds(20));
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
    call->StartCall();
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  }

  ProbeRpc& service() { return service_; }

  RpcFixture fixture_{[](ShellOptions& options) {
    options.identify = [](const grpc::CallbackServerContext&)
        -> absl::StatusOr<access::Principal> {
      access::Principal principal;
      principal.subject = "coordinator";
      principal.roles.Add(type::v1::ROLE_COORDINATOR);
      principal.roles.Add(type::v1::ROLE_ADMINISTRATOR);
      return principal;
    };
  }};
  ProbeRpc service_{fixture_.shell()};
  std::unique_ptr<probe::ProbeService::Stub> stub_;
};

TEST_F(LimitsTest, OfAMessage) {
  Serve();
  const struct {
    int bytes;
    bool over;
  } cases[] = {{200 * kKibibyte, false},
               {255 * kKibibyte, false},
               {257 * kKibibyte, true},
               {5 * kKibibyte * kKibibyte, true}};
  for (const auto& c : cases) {
    probe::ProbeRequest request;
    request.set_text(std::string(static_cast<std::size_t>(c.bytes), 'x'));
    const absl::Status status = Probe(request);
    if (c.over) {
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted))
          << c.bytes;
    } else {
      // Read, and found to be longer than the field may be.
      EXPECT_THAT(status, HasReason(Reason::kFieldTooLong)) << c.bytes;
    }
  }
  EXPECT_EQ(service().runs(), 0);
}

TEST_F(LimitsTest, OfAField) {
  Serve();
  probe::ProbeRequest request;
  request.set_text(std::string(500, 'x'));
  EXPECT_OK(Probe(request));
  request.set_text(std::string(501, 'x'));
  EXPECT_THAT(Probe(request), HasReason(Reason::kFieldTooLong));
}

TEST_F(LimitsTest, OfMetadata) {
  Serve();
  const struct {
    int pairs;
    std::size_t bytes;
    bool over;
  } cases[] = {{1, 4 * kKibibyte, false},
               {10, 500, false},
               {1, 12 * kKibibyte, true},
               {100, 200, true},
               {1, 100 * kKibibyte, true}};
  for (const auto& c : cases) {
    const absl::Status status =
        Probe(probe::ProbeRequest(), [&](grpc::ClientContext& context) {
          for (int i = 0; i < c.pairs; ++i) {
            context.AddMetadata("x-padding-" + std::to_string(i),
                                std::string(c.bytes, 'x'));
          }
        });
    if (c.over) {
      EXPECT_THAT(status, AnyOf(StatusIs(absl::StatusCode::kResourceExhausted),
                                StatusIs(absl::StatusCode::kUnavailable)))
          << c.pairs << " of " << c.bytes;
    } else {
      EXPECT_OK(status) << c.pairs << " of " << c.bytes;
    }
  }
}

TEST_F(LimitsTest, OfStreamsOnOneConnection) {
  Serve({.max_concurrent_streams = 2});
  probe::ProbeRequest wait;
  wait.set_text("wait");
  std::vector<std::thread> held;
  for (int i = 0; i < 2; ++i) {
    held.emplace_back([&] { EXPECT_OK(Probe(wait)); });
  }
  service().gate().AwaitWaiting(2);
  // The third is not even sent.
  EXPECT_THAT(Probe(probe::ProbeRequest(),
                    [](grpc::ClientContext& context) {
                      context.set_deadline(std::chrono::system_clock::now() +
                                           std::chrono::milliseconds(200));
                    }),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(service().runs(), 2);
  service().gate().Open();
  for (std::thread& thread : held) thread.join();
  EXPECT_OK(Probe(probe::ProbeRequest()));
}

TEST_F(LimitsTest, OfAChunk) {
  Serve();
  const auto send = [&](std::size_t bytes) {
    grpc::ClientContext context;
    probe::SendResponse response;
    const auto writer = stub_->Send(&context, &response);
    probe::Chunk chunk;
    chunk.set_data(std::string(bytes, 'x'));
    writer->Write(chunk);
    writer->WritesDone();
    return FromGrpcStatus(writer->Finish());
  };
  EXPECT_OK(send(64 * kKibibyte));
  EXPECT_THAT(send(300 * kKibibyte),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

// What is no message never reaches a service: text that is not UTF-8 included,
// gRPC's callback API refuses it before the shell, by a code of its own.
TEST_F(LimitsTest, OfPatienceWithGarbage) {
  Serve();
  const std::string probe_method = "/parcours.testdata.v1.ProbeService/Probe";
  std::string nested;
  for (int i = 0; i < 200; ++i) {
    // Field 20 of Thing is a Thing, written from the inside out.
    std::string wrapped = "\xA2\x01";
    std::size_t size = nested.size();
    for (; size >= 0x80; size >>= 7) {
      wrapped += static_cast<char>((size & 0x7F) | 0x80);
    }
    wrapped += static_cast<char>(size);
    nested = wrapped + nested;
  }
  for (const std::string& bytes :
       {std::string("\xFF\xFF\xFF"), std::string("\x12\x7F"),
        std::string("\x12\x03\xED\xA0\x80"), std::string("\x12\x01\xC3"),
        std::string("\x0B"), std::string(100, '\x07')}) {
    EXPECT_EQ(Raw(probe_method, bytes).error_code(),
              grpc::StatusCode::UNIMPLEMENTED);
  }
  EXPECT_FALSE(Raw("/parcours.testdata.v1.ProbeService/Nothing", "").ok());
  EXPECT_FALSE(Raw("/nowhere", "").ok());
  EXPECT_EQ(service().runs(), 0);
  EXPECT_TRUE(Raw(probe_method, "").ok());
  probe::Thing thing;
  EXPECT_FALSE(thing.ParseFromString(nested));
}

TEST(CallLimitTest, IsTheClientsAndSaysWhenToComeAgain) {
  telemetry::Metrics metrics;
  quota::CallQuota quota({}, nullptr, metrics);
  RpcFixture fixture([&](ShellOptions& options) {
    options.quota = &quota;
    options.identify = [](const grpc::CallbackServerContext&)
        -> absl::StatusOr<access::Principal> {
      access::Principal principal;
      principal.subject = "issuer|partner";
      principal.client = "bodies/opale/apiClients/partner";
      principal.calls_per_minute = 3;
      principal.roles.Add(type::v1::ROLE_COORDINATOR);
      principal.body = "bodies/opale";
      return principal;
    };
  });
  ProbeRpc service(fixture.shell());
  fixture.Serve({&service});
  const auto stub = probe::ProbeService::NewStub(fixture.channel());
  const auto call = [&] {
    grpc::ClientContext context;
    probe::ProbeResponse response;
    return FromGrpcStatus(
        stub->Probe(&context, probe::ProbeRequest(), &response));
  };
  for (int i = 0; i < 3; ++i) EXPECT_OK(call());
  const absl::Status refused = call();
  EXPECT_THAT(refused, HasReason(Reason::kQuotaExceeded));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  google::rpc::RetryInfo retry;
  const auto payload = refused.GetPayload(
      absl::string_view(kRetryInfoUrl.data(), kRetryInfoUrl.size()));
  ASSERT_TRUE(payload.has_value());
  ASSERT_TRUE(retry.ParseFromString(std::string(*payload)));
  EXPECT_GE(retry.retry_delay().seconds(), 18);
  EXPECT_LE(retry.retry_delay().seconds(), 20);
  EXPECT_EQ(service.runs(), 3);
  fixture.StopServing();
}

TEST(PageSizeTest, IsBounded) {
  const PageTokens tokens("a key for tests, 32 bytes long...");
  const struct {
    int asked;
    int given;
  } cases[] = {{0, 50}, {1, 1}, {500, 500}, {501, 500}, {2147483647, 500}};
  for (const auto& c : cases) {
    probe::ListThingsRequest request;
    request.set_page_size(c.asked);
    const auto page = tokens.Read(request);
    ASSERT_OK(page);
    EXPECT_EQ(page->size, c.given) << c.asked;
  }
}

}  // namespace
}  // namespace parcours::rpc
