#include "common/rpc/shell.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/server.h"
#include "common/rpc/testdata/probe_service.h"
#include "common/telemetry/log.h"
#include "common/testing/rpc_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"

namespace parcours::rpc {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kRequestId[] = "0190a5f0-0000-7000-8000-000000000001";

access::Principal PrincipalOf(int role, const std::string& body) {
  access::Principal principal;
  principal.subject = "somebody";
  principal.roles.Add(role);
  principal.body = body;
  return principal;
}

// The trailing metadata of that name, or nothing.
std::string Trailer(const grpc::ClientContext& context, const char* name) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(name);
  return found == trailers.end()
             ? ""
             : std::string(found->second.data(), found->second.size());
}

class ShellTest : public ::testing::Test {
 protected:
  void Start(
      std::function<void(ShellOptions&)> adapt = [](ShellOptions&) {},
      ServerOptions server = {}) {
    telemetry::SetLogWriterForTest([this](std::string_view line) {
      const absl::MutexLock lock(&lines_mutex_);
      lines_.emplace_back(line);
    });
    fixture_ = std::make_unique<RpcFixture>(std::move(adapt));
    service_ = std::make_unique<ProbeRpc>(fixture_->shell());
    fixture_->Serve({service_.get()}, server);
    stub_ = probe::ProbeService::NewStub(fixture_->channel());
  }

  ~ShellTest() override {
    if (service_ != nullptr) service_->gate().Open();
    if (fixture_ != nullptr) fixture_->StopServing();
    service_.reset();
    fixture_.reset();
    telemetry::SetLogWriterForTest(nullptr);
  }

  absl::StatusOr<probe::ProbeResponse> Probe(
      const probe::ProbeRequest& request,
      grpc::ClientContext* context = nullptr) {
    grpc::ClientContext own;
    probe::ProbeResponse response;
    const absl::Status status = FromGrpcStatus(
        stub_->Probe(context == nullptr ? &own : context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<probe::ProbeResponse> Probe(const std::string& text) {
    probe::ProbeRequest request;
    request.set_text(text);
    return Probe(request);
  }

  absl::StatusOr<probe::Thing> GetThing(const std::string& name) {
    grpc::ClientContext context;
    probe::GetThingRequest request;
    request.set_name(name);
    probe::Thing thing;
    const absl::Status status =
        FromGrpcStatus(stub_->GetThing(&context, request, &thing));
    if (!status.ok()) return status;
    return thing;
  }

  std::string LogLine(const std::string& part) {
    const absl::MutexLock lock(&lines_mutex_);
    for (const std::string& line : lines_) {
      if (line.find(part) != std::string::npos) return line;
    }
    return "";
  }

  absl::Mutex lines_mutex_;
  std::vector<std::string> lines_;
  std::unique_ptr<RpcFixture> fixture_;
  std::unique_ptr<ProbeRpc> service_;
  std::unique_ptr<probe::ProbeService::Stub> stub_;
};

TEST_F(ShellTest, ACallReachesTheServicesCodeWithItsContext) {
  Start();
  probe::ProbeRequest request;
  request.set_text("hello");
  request.set_request_id(kRequestId);
  const auto response = Probe(request);

  ASSERT_OK(response);
  EXPECT_EQ(response->text(), "hello");
  EXPECT_EQ(response->subject(), "local-administrator");
  EXPECT_EQ(response->request_id(), kRequestId);
  EXPECT_THAT(response->request_digest(), SizeIs(64));
  EXPECT_EQ(response->method(), "parcours.testdata.v1.ProbeService/Probe");
  EXPECT_TRUE(response->full_scope());
}

TEST_F(ShellTest, TheDigestDependsOnTheWholeRequestAndOnTheKey) {
  Start();
  probe::ProbeRequest request;
  request.set_request_id(kRequestId);
  request.set_text("one");
  const std::string first = Probe(request)->request_digest();
  EXPECT_EQ(Probe(request)->request_digest(), first);
  request.set_text("two");
  EXPECT_NE(Probe(request)->request_digest(), first);

  RpcFixture other([](ShellOptions& options) {
    options.digest_key = "another key, just as long as it..";
  });
  ProbeRpc service(other.shell());
  other.Serve({&service});
  auto stub = probe::ProbeService::NewStub(other.channel());
  grpc::ClientContext context;
  probe::ProbeResponse response;
  request.set_text("one");
  ASSERT_TRUE(stub->Probe(&context, request, &response).ok());
  EXPECT_NE(response.request_digest(), first);
  other.StopServing();
}

TEST_F(ShellTest, ARequestIdMustBeAUuid) {
  Start();
  probe::ProbeRequest request;
  request.set_request_id("42");
  EXPECT_THAT(Probe(request), AllOf(HasReason(Reason::kFieldMalformed),
                                    ViolatesField("request_id")));
  EXPECT_EQ(service_->runs(), 0);
}

TEST_F(ShellTest, ErrorsOfTheServiceArriveWithTheirReason) {
  Start();
  EXPECT_THAT(Probe("refuse"),
              AllOf(StatusIs(absl::StatusCode::kFailedPrecondition),
                    HasReason(Reason::kNoJury)));
}

TEST_F(ShellTest, WhatIsThrownOrForeignIsMasked) {
  Start();
  for (const char* text : {"throw", "throw an int", "leak"}) {
    const auto response = Probe(text);
    EXPECT_THAT(response, HasReason(Reason::kInternal)) << text;
    EXPECT_THAT(response.status().ToString(), Not(HasSubstr("private")));
    const std::string reference = MetadataOf(response.status())["reference"];
    EXPECT_THAT(LogLine(reference), Not(IsEmpty()));
  }
  EXPECT_THAT(LogLine("private words"), HasSubstr("reference"));
  EXPECT_OK(Probe("still alive"));
}

TEST_F(ShellTest, InvalidRequestsDoNotReachTheService) {
  Start();
  EXPECT_THAT(Probe("bell \a"),
              AllOf(HasReason(Reason::kFieldForbiddenCharacter),
                    ViolatesField("text")));
  EXPECT_EQ(service_->runs(), 0);
}

TEST_F(ShellTest, TextsArriveInNormalisationFormC) {
  Start();
  EXPECT_EQ(Probe("E\xCC\x81t\xC3\xA9")->text(), "\xC3\x89t\xC3\xA9");
}

TEST_F(ShellTest, AMemoryHitNeedsNoWorker) {
  Start([](ShellOptions& options) { options.workers.threads = 1; });
  std::thread busy([&] { EXPECT_OK(Probe("wait")); });
  service_->gate().AwaitWaiting(1);

  const auto hot = GetThing("bodies/opale/things/hot");

  ASSERT_OK(hot);
  EXPECT_EQ(hot->title(), "from memory");
  EXPECT_EQ(LogLine("GetThing"), "") << "a hit is logged at debug only";
  service_->gate().Open();
  busy.join();
}

TEST_F(ShellTest, AMissInMemoryIsAnsweredByAWorker) {
  Start();
  const auto cold = GetThing("bodies/opale/things/cold");
  ASSERT_OK(cold);
  EXPECT_EQ(cold->title(), "from the record");
  EXPECT_THAT(GetThing("bodies/opale/things/absent"),
              HasReason(Reason::kNotFound));
  EXPECT_THAT(GetThing("Bodies/x"), HasReason(Reason::kFieldMalformed));
  EXPECT_THAT(GetThing("bodies/opale/things/throw"),
              HasReason(Reason::kInternal));
}

TEST_F(ShellTest, TheTraceGoesOnAndIsReturned) {
  Start();
  grpc::ClientContext context;
  context.AddMetadata(
      "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  const auto response = Probe(probe::ProbeRequest(), &context);
  ASSERT_OK(response);
  EXPECT_EQ(response->trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_THAT(Trailer(context, "traceparent"),
              AllOf(HasSubstr("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
                    Not(HasSubstr("00f067aa0ba902b7"))));
  EXPECT_THAT(LogLine("4bf92f3577b34da6a3ce929d0e0e4736"),
              HasSubstr("ProbeService/Probe"));
}

TEST_F(ShellTest, AMalformedTraceIsReplaced) {
  Start();
  for (const char* sent :
       {"", "00-zzz", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    grpc::ClientContext context;
    context.AddMetadata("traceparent", sent);
    ASSERT_OK(Probe(probe::ProbeRequest(), &context));
    EXPECT_THAT(Trailer(context, "traceparent"),
                MatchesRegex("00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"));
    EXPECT_THAT(Trailer(context, "traceparent"), Not(HasSubstr("4bf92f")));
  }
}

TEST_F(ShellTest, RefusedCallsAreTracedAndCountedToo) {
  Start();
  grpc::ClientContext context;
  probe::ProbeRequest request;
  request.set_text("refuse");
  EXPECT_FALSE(Probe(request, &context).ok());
  EXPECT_THAT(Trailer(context, "traceparent"), Not(IsEmpty()));
  EXPECT_THAT(fixture_->metrics().Text(),
              HasSubstr("parcours_rpc_duration_seconds_count{code=\"FAILED_"
                        "PRECONDITION\",method=\"parcours.testdata.v1."
                        "ProbeService/Probe\"} 1"));
  EXPECT_THAT(LogLine("FAILED_PRECONDITION"), HasSubstr("NO_JURY"));
}

TEST_F(ShellTest, ACallWithoutDeadlineGetsTheDefaultBudget) {
  Start([](ShellOptions& options) {
    options.default_budget = absl::Seconds(7);
    options.max_budget = absl::Seconds(30);
  });
  const absl::Time before = absl::Now();
  const auto by_default = Probe(probe::ProbeRequest());
  grpc::ClientContext patient;
  patient.set_deadline(absl::ToChronoTime(before + absl::Hours(5)));
  const auto capped = Probe(probe::ProbeRequest(), &patient);
  const absl::Time after = absl::Now();

  const auto deadline = [](const probe::ProbeResponse& response) {
    return absl::FromUnixSeconds(response.deadline().seconds());
  };
  EXPECT_GE(deadline(*by_default), before + absl::Seconds(6));
  EXPECT_LE(deadline(*by_default), after + absl::Seconds(7));
  EXPECT_GE(deadline(*capped), before + absl::Seconds(29));
  EXPECT_LE(deadline(*capped), after + absl::Seconds(30));
}

TEST_F(ShellTest, ACallThatExpiresInTheQueueDoesNotRun) {
  Start([](ShellOptions& options) { options.workers.threads = 1; });
  std::thread busy([&] { EXPECT_OK(Probe("wait")); });
  service_->gate().AwaitWaiting(1);

  grpc::ClientContext hasty;
  hasty.set_deadline(absl::ToChronoTime(absl::Now() + absl::Milliseconds(50)));
  EXPECT_THAT(Probe(probe::ProbeRequest(), &hasty),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  service_->gate().Open();
  busy.join();
  EXPECT_TRUE(fixture_->shell().WaitUntilIdle(absl::Now() + absl::Seconds(10)));
  EXPECT_EQ(service_->runs(), 1);
}

TEST_F(ShellTest, ACancelledCallThatStillWaitsDoesNotRun) {
  Start([](ShellOptions& options) { options.workers.threads = 1; });
  // gRPC tells of a cancellation when it likes, perhaps after the call's turn
  // has come: one call that did not run is proof.
  bool left_out = false;
  for (int attempt = 0; attempt < 50 && !left_out; ++attempt) {
    service_->gate().Close();
    const int runs_before = service_->runs();
    std::thread busy([&] { EXPECT_OK(Probe("wait")); });
    service_->gate().AwaitWaiting(1);
    grpc::ClientContext context;
    std::thread gone([&] {
      EXPECT_THAT(Probe(probe::ProbeRequest(), &context),
                  StatusIs(absl::StatusCode::kCancelled));
    });
    while (fixture_->shell().in_flight() < 2) std::this_thread::yield();
    context.TryCancel();
    gone.join();
    // A later call on the same connection tells that the server has read it.
    EXPECT_OK(GetThing("bodies/opale/things/hot"));
    service_->gate().Open();
    busy.join();
    EXPECT_TRUE(
        fixture_->shell().WaitUntilIdle(absl::Now() + absl::Seconds(10)));
    left_out = service_->runs() == runs_before + 1;
  }
  EXPECT_TRUE(left_out);
}

TEST_F(ShellTest, AFullQueueIsRefusedWithADelayAndSubmissionsAreShedLast) {
  Start([](ShellOptions& options) {
    options.workers.threads = 1;
    options.workers.queue_limits = {1, 1, 4};
    options.submissions = {"parcours.testdata.v1.ProbeService/Submit"};
  });
  std::vector<std::thread> callers;
  callers.emplace_back([&] { EXPECT_OK(Probe("wait")); });
  service_->gate().AwaitWaiting(1);
  callers.emplace_back([&] { EXPECT_OK(Probe("queued")); });
  while (fixture_->shell().in_flight() < 2) std::this_thread::yield();

  const auto refused = Probe("one too many");
  EXPECT_THAT(refused, AllOf(StatusIs(absl::StatusCode::kResourceExhausted),
                             HasReason(Reason::kOverloaded)));
  EXPECT_TRUE(
      refused.status().GetPayload("type.googleapis.com/google.rpc.RetryInfo"));

  const auto submit = [&] {
    grpc::ClientContext context;
    probe::ProbeResponse response;
    return FromGrpcStatus(
        stub_->Submit(&context, probe::ProbeRequest(), &response));
  };
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] { EXPECT_OK(submit()); });
  }
  while (fixture_->shell().in_flight() < 6) std::this_thread::yield();
  EXPECT_THAT(submit(), HasReason(Reason::kOverloaded));
  EXPECT_THAT(
      fixture_->metrics().Text(),
      AllOf(HasSubstr("parcours_rpc_rejected_total{why=\"overloaded\"} 2"),
            HasSubstr("parcours_queue_depth{class=\"submission\"} 4"),
            HasSubstr("parcours_rpc_in_flight 6")));

  service_->gate().Open();
  for (std::thread& caller : callers) caller.join();
  EXPECT_TRUE(fixture_->shell().WaitUntilIdle(absl::Now() + absl::Seconds(10)));
  EXPECT_OK(Probe("room again"));
}

TEST_F(ShellTest, ReadsAndWritesInFlightAreLimited) {
  Start([](ShellOptions& options) {
    options.workers.threads = 1;
    options.max_in_flight = 1;
  });
  std::thread busy([&] { EXPECT_OK(Probe("wait")); });
  service_->gate().AwaitWaiting(1);
  EXPECT_THAT(Probe("second"), HasReason(Reason::kOverloaded));
  EXPECT_OK(GetThing("bodies/opale/things/hot"));
  service_->gate().Open();
  busy.join();
}

TEST_F(ShellTest, ADrainingShellRefusesNewCallsAndEndsRunningOnes) {
  Start();
  std::thread running([&] { EXPECT_OK(Probe("wait")); });
  service_->gate().AwaitWaiting(1);
  fixture_->shell().BeginDrain();
  EXPECT_THAT(Probe("late"), AllOf(StatusIs(absl::StatusCode::kUnavailable),
                                   HasReason(Reason::kDraining)));
  EXPECT_THAT(GetThing("bodies/opale/things/hot"),
              HasReason(Reason::kDraining));
  EXPECT_FALSE(fixture_->shell().WaitUntilIdle(absl::Now()));
  service_->gate().Open();
  fixture_->server().Drain();
  running.join();
  EXPECT_EQ(fixture_->shell().in_flight(), 0);
}

// The order of the checks: each call below is wrong in several ways and is
// told the first.

TEST_F(ShellTest, AStrangerIsToldNothingButThat) {
  Start([](ShellOptions& options) {
    options.identify = [](const grpc::CallbackServerContext&) {
      return absl::StatusOr<access::Principal>(
          MakeError(Reason::kUnauthenticated));
    };
  });
  EXPECT_THAT(Probe("bell \a"),
              AllOf(StatusIs(absl::StatusCode::kUnauthenticated),
                    HasReason(Reason::kUnauthenticated)));
  fixture_->shell().BeginDrain();
  EXPECT_THAT(GetThing("bodies/opale/things/hot"),
              HasReason(Reason::kUnauthenticated));
}

TEST_F(ShellTest, AWrongRoleIsRefusedBeforeDrainAndValidation) {
  Start([](ShellOptions& options) {
    options.identify = [](const grpc::CallbackServerContext&) {
      return absl::StatusOr<access::Principal>(
          PrincipalOf(type::v1::ROLE_TRAINER, "bodies/opale"));
    };
  });
  EXPECT_THAT(Probe("bell \a"), HasReason(Reason::kPermissionDenied));
  EXPECT_OK(GetThing("bodies/opale/things/hot"));
  fixture_->shell().BeginDrain();
  EXPECT_THAT(Probe("hello"), HasReason(Reason::kPermissionDenied));
}

TEST_F(ShellTest, TheScopeOfABodysCoordinatorIsTheBody) {
  Start([](ShellOptions& options) {
    options.identify = [](const grpc::CallbackServerContext&) {
      return absl::StatusOr<access::Principal>(
          PrincipalOf(type::v1::ROLE_COORDINATOR, "bodies/opale"));
    };
  });
  const auto response = Probe("hello");
  ASSERT_OK(response);
  EXPECT_FALSE(response->full_scope());
  grpc::ClientContext context;
  probe::ProbeResponse ignored;
  EXPECT_THAT(
      FromGrpcStatus(stub_->Submit(&context, probe::ProbeRequest(), &ignored)),
      HasReason(Reason::kPermissionDenied))
      << "the scope of Submit is the installation";
}

// What the shell keeps of reads, and hides in answers.

class KeptReads : public ReadJournal {
 public:
  absl::Status Record(const access::Caller& caller,
                      absl::Span<const std::string> resources,
                      bool before_answer) override {
    EXPECT_EQ(caller.method, "parcours.testdata.v1.ProbeService/GetThing");
    EXPECT_THAT(caller.trace_id, SizeIs(32));
    EXPECT_FALSE(before_answer);
    names_.assign(resources.begin(), resources.end());
    return answer_;
  }
  std::vector<std::string> names_;
  absl::Status answer_;
};

TEST_F(ShellTest, AnAuditedReadIsKeptBeforeItsAnswerIsGiven) {
  KeptReads reads;
  Start([&](ShellOptions& options) { options.read_journal = &reads; });
  ASSERT_OK(GetThing("bodies/opale/things/cold"));
  EXPECT_THAT(reads.names_, ElementsAre("bodies/opale/things/cold"));

  EXPECT_THAT(GetThing("bodies/opale/things/unknown"),
              HasReason(Reason::kNotFound));
  EXPECT_THAT(reads.names_, ElementsAre("bodies/opale/things/cold"))
      << "a read that failed is none";

  reads.answer_ = MakeError(Reason::kDatabaseUnavailable);
  EXPECT_THAT(GetThing("bodies/opale/things/cold"),
              HasReason(Reason::kDatabaseUnavailable));
  reads.answer_ = absl::OkStatus();
  fixture_->StopServing();
}

TEST_F(ShellTest, FieldsThatNameTheirReadersAreHiddenFromOthers) {
  access::Principal principal;
  Start([&](ShellOptions& options) {
    options.identify = [&](const grpc::CallbackServerContext&) {
      return absl::StatusOr<access::Principal>(principal);
    };
  });
  const auto remark = [&](std::initializer_list<type::v1::Role> roles,
                          const std::string& id) {
    principal = {.subject = "somebody", .body = "bodies/opale"};
    principal.person = "bodies/opale/persons/somebody";
    for (const type::v1::Role role : roles) principal.roles.Add(role);
    const auto thing = GetThing("bodies/opale/things/" + id);
    EXPECT_OK(thing);
    return thing->remark() + thing->parent_thing().remark();
  };
  using type::v1::ROLE_ADMINISTRATOR;
  using type::v1::ROLE_COORDINATOR;
  using type::v1::ROLE_LEARNER;
  using type::v1::ROLE_PEDAGOGICAL_DIRECTOR;
  using type::v1::ROLE_TRAINER;
  EXPECT_EQ(remark({ROLE_COORDINATOR}, "cold"), "for somefor some");
  EXPECT_EQ(remark({ROLE_COORDINATOR}, "hot"), "for some");
  EXPECT_EQ(remark({ROLE_ADMINISTRATOR}, "cold"), "for somefor some");
  EXPECT_EQ(remark({ROLE_PEDAGOGICAL_DIRECTOR}, "cold"), "");
  EXPECT_EQ(remark({ROLE_PEDAGOGICAL_DIRECTOR}, "hot"), "");
  EXPECT_EQ(remark({ROLE_LEARNER}, "cold"), "for somefor some");
  EXPECT_EQ(remark({ROLE_TRAINER}, "cold"), "");
  EXPECT_EQ(remark({ROLE_TRAINER, ROLE_LEARNER}, "cold"), "")
      << "the row may have been opened by the role that may not read it";
  EXPECT_EQ(remark({ROLE_COORDINATOR, ROLE_TRAINER}, "cold"),
            "for somefor some")
      << "who sees the whole body sees it by that role";
  fixture_->StopServing();
}

class CountedCalls : public Quota {
 public:
  absl::Status Charge(std::string_view address, std::string_view client,
                      int64_t client_calls_per_minute) override {
    seen_.push_back(Cat(address, " ", client, " ", client_calls_per_minute));
    return seen_.size() > 3 ? MakeError(Reason::kOverloaded) : absl::OkStatus();
  }
  std::vector<std::string> seen_;
};

TEST_F(ShellTest, CallsAreChargedToTheirAddressAndClient) {
  CountedCalls calls;
  absl::StatusOr<access::Principal> who =
      PrincipalOf(type::v1::ROLE_COORDINATOR, "bodies/opale");
  Start([&](ShellOptions& options) {
    options.quota = &calls;
    options.identify = [&](const grpc::CallbackServerContext&) { return who; };
  });
  const std::string subject = who->subject;
  EXPECT_OK(Probe("hello"));
  who->client = "bodies/opale/apiClients/one";
  who->calls_per_minute = 7;
  EXPECT_OK(Probe("hello"));
  who = MakeError(Reason::kUnauthenticated);
  EXPECT_THAT(Probe("hello"), HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Probe("hello"), HasReason(Reason::kOverloaded));
  EXPECT_THAT(calls.seen_,
              ElementsAre("127.0.0.1 " + subject + " 0",
                          "127.0.0.1 bodies/opale/apiClients/one 7",
                          "127.0.0.1  0", "127.0.0.1  0"));
  fixture_->StopServing();
}

// Streams of chunks.

class StreamTest : public ShellTest {
 protected:
  // Sends the chunks and returns the answer.
  absl::StatusOr<probe::SendResponse> Send(
      const std::vector<std::string>& chunks) {
    grpc::ClientContext context;
    probe::SendResponse response;
    auto writer = stub_->Send(&context, &response);
    for (const std::string& data : chunks) {
      probe::Chunk chunk;
      chunk.set_data(data);
      if (!writer->Write(chunk)) break;
    }
    writer->WritesDone();
    const absl::Status status = FromGrpcStatus(writer->Finish());
    if (!status.ok()) return status;
    return response;
  }

  void AwaitReceiversDestroyed(int count) {
    const absl::Time limit = absl::Now() + absl::Seconds(10);
    while (service_->receivers_destroyed() < count && absl::Now() < limit) {
      std::this_thread::yield();
    }
    EXPECT_EQ(service_->receivers_destroyed(), count);
  }
};

TEST_F(StreamTest, ChunksAreConsumedInOrderAndAnswered) {
  Start();
  const auto response =
      Send(std::vector<std::string>(200, std::string(1000, 'x')));
  ASSERT_OK(response);
  EXPECT_EQ(response->chunks(), 200);
  EXPECT_EQ(response->size(), 200'000);
  AwaitReceiversDestroyed(1);
  EXPECT_THAT(LogLine("ProbeService/Send"), HasSubstr("\"OK\""));
}

TEST_F(StreamTest, AnErrorOfOneChunkEndsTheStream) {
  Start();
  EXPECT_THAT(Send({"a", "refuse", "b"}), HasReason(Reason::kUploadEmpty));
  EXPECT_THAT(Send({}), HasReason(Reason::kUploadEmpty));
  EXPECT_THAT(Send({"throw"}), HasReason(Reason::kInternal));
  AwaitReceiversDestroyed(3);
}

TEST_F(StreamTest, AStrangersStreamIsNotOpened) {
  Start([](ShellOptions& options) {
    options.identify = [](const grpc::CallbackServerContext&) {
      return absl::StatusOr<access::Principal>(
          MakeError(Reason::kUnauthenticated));
    };
  });
  EXPECT_THAT(Send({"a"}), HasReason(Reason::kUnauthenticated));
  EXPECT_EQ(service_->receivers_destroyed(), 0);
}

TEST_F(StreamTest, AStalledStreamIsEnded) {
  Start([](ShellOptions& options) {
    options.stall_timeout = absl::Milliseconds(80);
  });
  grpc::ClientContext context;
  probe::SendResponse response;
  auto writer = stub_->Send(&context, &response);
  probe::Chunk chunk;
  chunk.set_data("a");
  EXPECT_TRUE(writer->Write(chunk));
  // Nothing more is sent, and the stream is not closed either.
  EXPECT_THAT(FromGrpcStatus(writer->Finish()),
              HasReason(Reason::kDeadlineExceeded));
  AwaitReceiversDestroyed(1);
}

TEST_F(StreamTest, ACancelledStreamIsNotFinished) {
  Start();
  grpc::ClientContext context;
  probe::SendResponse response;
  auto writer = stub_->Send(&context, &response);
  probe::Chunk chunk;
  chunk.set_data("a");
  EXPECT_TRUE(writer->Write(chunk));
  context.TryCancel();
  EXPECT_THAT(FromGrpcStatus(writer->Finish()),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(fixture_->shell().WaitUntilIdle(absl::Now() + absl::Seconds(10)));
}

TEST_F(StreamTest, ManyStreamsAtOnceKeepApart) {
  Start();
  std::vector<std::thread> senders;
  for (int i = 0; i < 8; ++i) {
    senders.emplace_back([&, i] {
      const auto response = Send(
          std::vector<std::string>(20, std::string(std::size_t(i + 1), 'x')));
      ASSERT_OK(response);
      EXPECT_EQ(response->size(), 20 * (i + 1));
    });
  }
  for (std::thread& sender : senders) sender.join();
}

// Streams of pieces.

class FollowTest : public ShellTest {
 protected:
  // One stream as its client has it.
  struct Following {
    explicit Following(probe::ProbeService::Stub& stub,
                       const std::string& text = "") {
      probe::ProbeRequest request;
      request.set_text(text);
      reader = stub.Follow(&context, request);
    }
    // The text of the next piece; nothing at the end.
    std::optional<std::string> Next() {
      probe::ProbeResponse piece;
      if (!reader->Read(&piece)) return std::nullopt;
      return piece.text();
    }
    absl::Status Finish() { return FromGrpcStatus(reader->Finish()); }

    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<probe::ProbeResponse>> reader;
  };

  Speaker& speaker() { return service_->speaker(); }
  void AwaitOpen(int count) {
    while (speaker().open() != count) std::this_thread::yield();
  }
};

TEST_F(FollowTest, PiecesComeInOrderAsTheyAreSaid) {
  Start();
  Following one(*stub_);
  EXPECT_EQ(one.Next(), "ready");
  for (int i = 0; i < 3000; ++i) speaker().Say(Cat(i));
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(one.Next(), Cat(i));
  speaker().Say("refuse");
  EXPECT_EQ(one.Next(), std::nullopt);
  EXPECT_THAT(one.Finish(), HasReason(Reason::kNoJury));
  AwaitOpen(0);
  EXPECT_THAT(LogLine("ProbeService/Follow"), HasSubstr("\"NO_JURY\""));
}

TEST_F(FollowTest, WhatIsThrownIsMasked) {
  Start();
  Following one(*stub_);
  EXPECT_EQ(one.Next(), "ready");
  speaker().Say("throw");
  EXPECT_EQ(one.Next(), std::nullopt);
  EXPECT_THAT(one.Finish(), HasReason(Reason::kInternal));
}

TEST_F(FollowTest, ItIsRefusedInTheOrderOfEveryCall) {
  access::Principal who = PrincipalOf(type::v1::ROLE_TRAINER, "bodies/opale");
  Start([&](ShellOptions& options) {
    options.identify = [&](const grpc::CallbackServerContext&)
        -> absl::StatusOr<access::Principal> { return who; };
  });
  EXPECT_THAT(Following(*stub_).Finish(), HasReason(Reason::kPermissionDenied));
  who = PrincipalOf(type::v1::ROLE_COORDINATOR, "bodies/opale");
  EXPECT_THAT(Following(*stub_, "\x01").Finish(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Following(*stub_, "refuse").Finish(), HasReason(Reason::kNoJury));
  EXPECT_EQ(speaker().asked(), 0);
}

TEST_F(FollowTest, AStreamThatWaitsHoldsNoWorkerAndIsNoCallInFlight) {
  Start([](ShellOptions& options) { options.workers.threads = 1; });
  std::vector<std::unique_ptr<Following>> many;
  for (int i = 0; i < 50; ++i) {
    many.push_back(std::make_unique<Following>(*stub_));
    EXPECT_EQ(many.back()->Next(), "ready");
  }
  EXPECT_EQ(fixture_->shell().in_flight(), 0);
  EXPECT_OK(Probe("hello"));
  speaker().Say("news");
  for (const auto& one : many) EXPECT_EQ(one->Next(), "news");
}

TEST_F(FollowTest, MoreThanAreAllowedAreRefusedUntilOneEnds) {
  Start([](ShellOptions& options) { options.max_piece_streams = 2; });
  auto one = std::make_unique<Following>(*stub_);
  Following two(*stub_);
  EXPECT_EQ(one->Next(), "ready");
  EXPECT_EQ(two.Next(), "ready");
  EXPECT_THAT(Following(*stub_).Finish(), HasReason(Reason::kOverloaded));
  EXPECT_OK(Probe("hello"));
  one->context.TryCancel();
  EXPECT_THAT(one->Finish(), StatusIs(absl::StatusCode::kCancelled));
  std::optional<std::string> first;
  while (!first.has_value()) {
    Following three(*stub_);
    first = three.Next();
    three.context.TryCancel();
  }
  EXPECT_EQ(first, "ready");
}

TEST_F(FollowTest, ACancelledStreamEndsAndItsSourceGoes) {
  Start();
  Following one(*stub_);
  EXPECT_EQ(one.Next(), "ready");
  one.context.TryCancel();
  EXPECT_THAT(one.Finish(), StatusIs(absl::StatusCode::kCancelled));
  AwaitOpen(0);
  // Nobody is there to be woken.
  speaker().Say("news");
}

TEST_F(FollowTest, TheClientsDeadlineEndsIt) {
  Start();
  probe::ProbeRequest request;
  grpc::ClientContext context;
  context.set_deadline(
      absl::ToChronoTime(absl::Now() + absl::Milliseconds(200)));
  const auto reader = stub_->Follow(&context, request);
  probe::ProbeResponse piece;
  while (reader->Read(&piece)) {
  }
  EXPECT_THAT(FromGrpcStatus(reader->Finish()),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  AwaitOpen(0);
}

TEST_F(FollowTest, ItEndsWellAfterItsLife) {
  Start([](ShellOptions& options) {
    options.piece_stream_life = absl::Milliseconds(200);
  });
  Following one(*stub_);
  EXPECT_EQ(one.Next(), "ready");
  EXPECT_EQ(one.Next(), std::nullopt);
  EXPECT_OK(one.Finish());
}

TEST_F(FollowTest, ASourceMayAskToBeAskedAgain) {
  Start();
  speaker().set_tick(absl::Milliseconds(1));
  Following one(*stub_);
  EXPECT_EQ(one.Next(), "ready");
  EXPECT_EQ(one.Next(), "tick");
  EXPECT_EQ(one.Next(), "tick");
}

TEST_F(FollowTest, ADrainEndsStreamsAtOnceAndRefusesNewOnes) {
  Start();
  Following one(*stub_);
  EXPECT_EQ(one.Next(), "ready");
  fixture_->shell().BeginDrain();
  EXPECT_EQ(one.Next(), std::nullopt);
  EXPECT_THAT(one.Finish(), HasReason(Reason::kDraining));
  EXPECT_THAT(Following(*stub_).Finish(), HasReason(Reason::kDraining));
  EXPECT_TRUE(fixture_->shell().WaitUntilIdle(absl::InfiniteFuture()));
  EXPECT_EQ(speaker().open(), 0);
}

TEST_F(FollowTest, ASlowReaderIsWaitedForAndDisturbsNobody) {
  Start([](ShellOptions& options) { options.workers.threads = 1; });
  Following slow(*stub_);
  EXPECT_EQ(slow.Next(), "ready");
  speaker().SayEndlessly(10'000);
  // Until its window is full: then its source is not asked any more.
  int asked = -1;
  while (asked != speaker().asked()) {
    asked = speaker().asked();
    for (int i = 0; i < 200; ++i) EXPECT_OK(Probe("hello"));
  }
  // It has what it can take, and no more.
  EXPECT_LT(asked, 5000);
  {
    const auto other_stub = probe::ProbeService::NewStub(fixture_->channel());
    Following quick(*other_stub);
    EXPECT_EQ(quick.Next(), "ready");
    for (int i = 0; i < 1000; ++i) {
      ASSERT_EQ(quick.Next().value_or("").size(), 10'000u);
    }
    quick.context.TryCancel();
  }
  // It goes on where it was.
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(slow.Next().value_or("").size(), 10'000u);
  }
  // And does not delay a drain.
  fixture_->shell().BeginDrain();
  EXPECT_TRUE(fixture_->shell().WaitUntilIdle(absl::InfiniteFuture()));
  EXPECT_EQ(speaker().open(), 0);
  while (slow.Next().has_value()) {
  }
  EXPECT_THAT(slow.Finish(), HasReason(Reason::kDraining));
}

TEST_F(FollowTest, AReaderThatTakesNothingIsCutOff) {
  Start([](ShellOptions& options) {
    options.stall_timeout = absl::Milliseconds(200);
  });
  Following one(*stub_);
  EXPECT_EQ(one.Next(), "ready");
  speaker().SayEndlessly(100'000);
  AwaitOpen(0);
  while (one.Next().has_value()) {
  }
  EXPECT_FALSE(one.Finish().ok());
  while (LogLine("ProbeService/Follow").empty()) std::this_thread::yield();
  EXPECT_THAT(LogLine("ProbeService/Follow"), HasSubstr("DEADLINE_EXCEEDED"));
}

TEST_F(FollowTest, StreamsComeAndGoWhileTheServerStops) {
  Start();
  speaker().set_tick(absl::Milliseconds(1));
  std::atomic<bool> stop = false;
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] {
      const auto stub = probe::ProbeService::NewStub(fixture_->channel());
      for (int round = 0; !stop; ++round) {
        Following one(*stub);
        const int pieces = (i + round) % 4;
        for (int n = 0; n < pieces; ++n) {
          if (!one.Next().has_value()) break;
        }
        one.context.TryCancel();
        one.Finish().IgnoreError();
      }
    });
  }
  for (int i = 0; speaker().asked() < 2000; ++i) speaker().Say(Cat(i));
  fixture_->shell().BeginDrain();
  EXPECT_TRUE(fixture_->shell().WaitUntilIdle(absl::InfiniteFuture()));
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(speaker().open(), 0);
}

// The start of a server.

TEST(ServerStart, RefusesMethodsWithoutAccessAndListsThemAll) {
  RpcFixture fixture;
  UnguardedRpc unguarded(fixture.shell());
  ProbeRpc guarded(fixture.shell());
  const auto server =
      Server::Start(ServerOptions(), fixture.shell(), {&guarded, &unguarded});
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(server.status().ToString(),
              AllOf(HasSubstr("UnguardedService/Open does not say who"),
                    HasSubstr("UnguardedService/Half has a grant without a "
                              "scope"),
                    Not(HasSubstr("UnguardedService/Half has a grant without "
                                  "roles")),
                    HasSubstr("UnguardedService/Nobody has a grant without "
                              "roles"),
                    Not(HasSubstr("ProbeService"))));
}

TEST(ServerStart, RefusesPlainTextOffTheLoopbackAndAShortKey) {
  RpcFixture fixture(
      [](ShellOptions& options) { options.digest_key = "short"; });
  ProbeRpc service(fixture.shell());
  for (const char* address : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0",
                              "127.evil.example:0", "example.org:0"}) {
    ServerOptions options;
    options.listen_address = address;
    const auto server = Server::Start(options, fixture.shell(), {&service});
    ASSERT_FALSE(server.ok()) << address;
    EXPECT_THAT(server.status().ToString(),
                AllOf(HasSubstr("is not on loopback"), HasSubstr("16 bytes")));
  }
}

TEST(ServerStart, TwoServersDoNotShareAPort) {
  RpcFixture fixture;
  ProbeRpc service(fixture.shell());
  fixture.Serve({&service});
  RpcFixture second;
  ProbeRpc other(second.shell());
  ServerOptions options;
  options.listen_address =
      "127.0.0.1:" + std::to_string(fixture.server().port());
  EXPECT_FALSE(Server::Start(options, second.shell(), {&other}).ok());
  fixture.StopServing();
}

}  // namespace
}  // namespace parcours::rpc
