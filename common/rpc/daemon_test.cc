#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/testdata/probe.grpc.pb.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"

extern char** environ;

namespace parcours::rpc {
namespace {

namespace probe = ::parcours::testdata::v1;

// grpc.health.v1.HealthCheckResponse.ServingStatus.
enum Serving { kUnknown = 0, kServing = 1, kNotServing = 2 };

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A process of the probe daemon, killed at the end unless it has ended.
class Daemon {
 public:
  explicit Daemon(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), PROBE_DAEMON);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int target : {STDOUT_FILENO, STDERR_FILENO}) {
      posix_spawn_file_actions_addopen(&actions, target,
                                       folder_.File("output").c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0600);
    }
    EXPECT_EQ(
        posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ),
        0);
    posix_spawn_file_actions_destroy(&actions);
  }

  ~Daemon() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  void Signal(int number) { kill(pid_, number); }

  // The exit code; 128 and the signal for one that a signal ended.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  std::string output() const {
    std::ifstream file(folder_.File("output"));
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

 private:
  testing::TempDir folder_;
  pid_t pid_ = 0;
};

class DaemonTest : public ::testing::Test {
 protected:
  void Start(const std::string& drain_grace, int workers = 2,
             bool reflection = false) {
    std::vector<std::string> arguments = {folder_.File("port"), drain_grace,
                                          std::to_string(workers)};
    if (reflection) arguments.push_back("reflection");
    daemon_ = std::make_unique<Daemon>(std::move(arguments));
    channel_ = MakeChannel(absl::StrCat("127.0.0.1:", AwaitPort()),
                           {"parcours.testdata.v1.ProbeService"});
    stub_ = probe::ProbeService::NewStub(channel_);
  }

  int AwaitPort() {
    const absl::Time limit = absl::Now() + absl::Seconds(20);
    int port = 0;
    while (port == 0 && absl::Now() < limit) {
      std::ifstream stream(folder_.File("port"));
      stream >> port;
      if (port == 0) absl::SleepFor(absl::Milliseconds(5));
    }
    EXPECT_GT(port, 0) << daemon_->output();
    return port;
  }

  absl::Status Probe(const std::string& text,
                     absl::Duration patience = absl::Seconds(30)) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + patience));
    probe::ProbeRequest request;
    request.set_text(text);
    probe::ProbeResponse response;
    return FromGrpcStatus(stub_->Probe(&context, request, &response));
  }

  // Debian packages no code for the health service. On the wire its request is
  // one string in field 1, and its answer one number in field 1: so are these.
  Serving Health(const std::string& service) {
    grpc::TemplatedGenericStub<probe::ProbeRequest, probe::SendResponse> stub(
        channel_);
    grpc::ClientContext context;
    probe::ProbeRequest request;
    request.set_request_id(service);
    probe::SendResponse response;
    absl::Notification answered;
    bool ok = false;
    stub.UnaryCall(&context, "/grpc.health.v1.Health/Check",
                   grpc::StubOptions(), &request, &response,
                   [&](grpc::Status status) {
                     ok = status.ok();
                     answered.Notify();
                   });
    answered.WaitForNotification();
    return ok ? static_cast<Serving>(response.size()) : kUnknown;
  }

  // What the reflection service answers to a stream of nothing.
  grpc::StatusCode Reflection() {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
    grpc::GenericStub stub(channel_);
    grpc::CompletionQueue queue;
    auto call = stub.PrepareCall(
        &context,
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        &queue);
    grpc::Status status;
    void* tag;
    bool ok;
    call->StartCall(&tag);
    queue.Next(&tag, &ok);
    call->WritesDone(&tag);
    queue.Next(&tag, &ok);
    call->Finish(&status, &tag);
    queue.Next(&tag, &ok);
    return status.error_code();
  }

  testing::TempDir folder_;
  std::unique_ptr<Daemon> daemon_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<probe::ProbeService::Stub> stub_;
};

TEST_F(DaemonTest, ServesHealthByNameAndNoReflection) {
  Start("20s");
  EXPECT_OK(Probe("hello"));
  EXPECT_EQ(Health(""), kServing);
  EXPECT_EQ(Health("parcours.testdata.v1.ProbeService"), kServing);
  EXPECT_EQ(Health("another"), kUnknown);
  EXPECT_EQ(Reflection(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(DaemonTest, ReflectsWhenAsked) {
  Start("20s", 2, /*reflection=*/true);
  EXPECT_EQ(Reflection(), grpc::StatusCode::OK);
}

TEST_F(DaemonTest, EndsRunningCallsOnSigterm) {
  Start("20s");
  // Half of the runs of "flaky" fail; this one is the first.
  EXPECT_THAT(Probe("flaky"), HasReason(Reason::kDatabaseUnavailable));
  grpc::ClientContext context;
  probe::SendResponse response;
  auto writer = stub_->Send(&context, &response);
  probe::Chunk chunk;
  chunk.set_data("a");
  ASSERT_TRUE(writer->Write(chunk));
  // The stream is known to the server once a later call was answered.
  EXPECT_OK(Probe("hello"));

  daemon_->Signal(SIGTERM);
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  while (Health("") != kNotServing && absl::Now() < limit) {
    std::this_thread::yield();
  }
  EXPECT_EQ(Health(""), kNotServing);
  absl::Status late = Probe("late");
  while (late.ok() && absl::Now() < limit) late = Probe("late");
  EXPECT_THAT(late, HasReason(Reason::kDraining));

  ASSERT_TRUE(writer->Write(chunk));
  writer->WritesDone();
  EXPECT_OK(FromGrpcStatus(writer->Finish()));
  EXPECT_EQ(response.chunks(), 2);
  EXPECT_EQ(daemon_->Wait(), 0);
  EXPECT_THAT(daemon_->output(),
              AllOf(HasSubstr("\"draining\""), HasSubstr("\"stopped\"")));
}

TEST_F(DaemonTest, CancelsStreamsThatOutlastTheGrace) {
  Start("100ms");
  grpc::ClientContext context;
  probe::SendResponse response;
  auto writer = stub_->Send(&context, &response);
  probe::Chunk chunk;
  chunk.set_data("a");
  ASSERT_TRUE(writer->Write(chunk));
  EXPECT_OK(Probe("hello"));
  daemon_->Signal(SIGINT);
  EXPECT_THAT(FromGrpcStatus(writer->Finish()),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(DaemonTest, TheWatchdogEndsWhatCannotBeCancelled) {
  Start("50ms", 1);
  std::thread stuck([&] { EXPECT_FALSE(Probe("wait").ok()); });
  // The only worker stands at the gate once another call waits in vain.
  absl::StatusCode code = absl::StatusCode::kOk;
  while (code != absl::StatusCode::kDeadlineExceeded) {
    code = Probe("hello", absl::Milliseconds(100)).code();
  }
  daemon_->Signal(SIGTERM);
  stuck.join();
  EXPECT_EQ(daemon_->Wait(), 1);
  EXPECT_THAT(daemon_->output(), HasSubstr("a call does not end"));
}

TEST_F(DaemonTest, OnlyReadsAreTriedAgain) {
  Start("20s");
  EXPECT_THAT(Probe("flaky"), HasReason(Reason::kDatabaseUnavailable));
  EXPECT_OK(Probe("even"));
  // Run 3 fails, run 4 is the retry.
  grpc::ClientContext context;
  probe::GetThingRequest request;
  request.set_name("bodies/opale/things/flaky");
  probe::Thing thing;
  EXPECT_OK(FromGrpcStatus(stub_->GetThing(&context, request, &thing)));
}

TEST(Propagate, TakesTheSoonerDeadlineAndTheTrace) {
  const absl::Time now = absl::Now();
  CallContext call{.caller = {.principal = {},
                              .scope = access::Scope::Installation(),
                              .method = {},
                              .request_id = {},
                              .request_digest = {},
                              .deadline = now + absl::Seconds(2),
                              .now = {}},
                   .traceparent = "00-x"};
  grpc::ClientContext rushed;
  Propagate(call, absl::Seconds(30), rushed);
  EXPECT_LT(absl::FromChrono(rushed.deadline()), now + absl::Seconds(3));
  grpc::ClientContext bounded;
  call.caller.deadline = absl::InfiniteFuture();
  Propagate(call, absl::Seconds(5), bounded);
  EXPECT_LT(absl::FromChrono(bounded.deadline()), now + absl::Seconds(10));
}

TEST(OwnerStatus, TellsAnAnswerFromSilence) {
  EXPECT_OK(OwnerStatus(grpc::Status::OK, "bodies/opale"));
  EXPECT_THAT(OwnerStatus(ToGrpcStatus(MakeError(Reason::kNoJury)), "x"),
              HasReason(Reason::kNoJury));
  const absl::Status silent = OwnerStatus(
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "connection refused"),
      "bodies/opale");
  EXPECT_THAT(silent, HasReason(Reason::kOwnerUnavailable));
  EXPECT_EQ(MetadataOf(silent)["resource"], "bodies/opale");
  EXPECT_THAT(OwnerStatus(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, ""),
                          "bodies/opale"),
              HasReason(Reason::kDeadlineExceeded));
}

}  // namespace
}  // namespace parcours::rpc
