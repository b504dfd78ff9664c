// enrolmentd as its operator and its clients meet it: flags, health, deadlines,
// drain, log.

#include "tests/integration/enrolmentd.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/grpc_status.h"
#include "common/storage/postgresql_session.h"
#include "common/storage/sqlite_session.h"
#include "common/testing/daemon_fixture.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/integration/enrolment_client.h"

namespace parcours::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProcessEnd;
using testing::RunProgram;
using testing::Serving;

// Keeps all submissions to the cohort waiting, from outside the daemon.
class HeldCohort {
 public:
  explicit HeldCohort(const std::string& database_url) {
    constexpr std::string_view kSqlite = "sqlite://";
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    if (database_url.starts_with(kSqlite)) {
      auto session = storage::SqliteSession::Open(
          database_url.substr(kSqlite.size()),
          storage::SqliteSession::Access::kReadWrite);
      EXPECT_OK(session);
      session_ = *std::move(session);
      EXPECT_OK(session_->RunScript("BEGIN IMMEDIATE"));
    } else {
      auto session =
          storage::PostgresqlSession::Connect(database_url, "", deadline);
      EXPECT_OK(session);
      session_ = *std::move(session);
      EXPECT_OK(session_->RunScript("BEGIN"));
      EXPECT_OK(session_->RunScript("SELECT name FROM cohort FOR UPDATE"));
    }
  }
  void Release() { EXPECT_OK(session_->RunScript("ROLLBACK")); }

 private:
  std::unique_ptr<storage::Session> session_;
};

class EnrolmentdTest : public ::testing::TestWithParam<storage::Engine> {
 protected:
  EnrolmentdTest()
      : enrolmentd_(PARCOURS_ENROLMENTD, GetParam(), {"--log_level=debug"}) {
    process().Start();
    client_ = std::make_unique<EnrolmentClient>(process().Connect());
    EXPECT_OK(client_->CreateAll());
  }

  testing::DaemonFixture& process() { return enrolmentd_.process(); }

  Enrolmentd enrolmentd_;
  std::unique_ptr<EnrolmentClient> client_;
};

TEST_P(EnrolmentdTest, ADeadlineEndsACallAndNothingIsWritten) {
  const auto file = client_->CompleteFile(1);
  ASSERT_OK(file);
  HeldCohort held(enrolmentd_.database_url());
  const absl::Time before = absl::Now();
  EXPECT_THAT(client_->Submit(*file, absl::Milliseconds(500)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_LT(absl::Now() - before, absl::Seconds(10));
  held.Release();
  const auto listed = client_->ListApplications();
  ASSERT_OK(listed);
  EXPECT_TRUE(listed->empty());
  // The same request, with time enough.
  const auto application = client_->Submit(*file);
  ASSERT_OK(application);
  EXPECT_EQ(application->rank(), 1);
}

TEST_P(EnrolmentdTest, SigtermLetsFiftyRunningCallsEndAndRefusesNewOnes) {
  constexpr int kCalls = 50;
  const auto requests = client_->CompleteFiles(1, kCalls);
  ASSERT_OK(requests);
  HeldCohort held(enrolmentd_.database_url());
  std::vector<Submitted> calls;
  std::jthread submitting(
      [&] { calls = SubmitTogether({process().Connect()}, *requests); });
  const absl::Time limit = absl::Now() + absl::Seconds(20);
  const std::string all_run = Cat("\nparcours_rpc_in_flight ", kCalls, "\n");
  while (process().Metrics().find(all_run) == std::string::npos) {
    ASSERT_LT(absl::Now(), limit);
  }
  process().Terminate();
  while (process().Health("") == Serving::kServing) {
    ASSERT_LT(absl::Now(), limit);
  }
  EXPECT_EQ(process().Health(""), Serving::kNotServing);
  // Those that run go on, and a new one is refused.
  const absl::Status refusal = client_->GetProgramme().status();
  EXPECT_THAT(refusal, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(refusal, HasReason(Reason::kDraining));
  held.Release();
  submitting.join();
  EXPECT_EQ(process().Wait(), 0);
  for (const Submitted& call : calls) EXPECT_OK(call.status);

  process().Start();
  const EnrolmentClient client(process().Connect());
  const auto listed = client.ListApplications();
  ASSERT_OK(listed);
  EXPECT_EQ(listed->size(), calls.size());
  for (const Submitted& call : calls) {
    EXPECT_TRUE(std::any_of(listed->begin(), listed->end(),
                            [&](const pb::Application& one) {
                              return one.name() == call.application.name() &&
                                     one.rank() == call.application.rank();
                            }));
  }
}

TEST_P(EnrolmentdTest, LogsAreJsonWithoutPersonalData) {
  auto file = client_->CompleteFile(1);
  ASSERT_OK(file);
  const std::vector<std::string> planted = {
      "Zéphyrine", "Plantée-Cachée", "zephyrine.plantee@example.org",
      "+33600000042", "Pourquoi-Elle-Part"};
  pb::Candidate& candidate = *file->mutable_application()->mutable_candidate();
  candidate.set_given_name(planted[0]);
  candidate.set_family_name(planted[1]);
  candidate.set_email(planted[2]);
  candidate.set_phone(planted[3]);
  const auto received = client_->Submit(*file);
  ASSERT_OK(received);
  // Twice the same person; a body under a known id; values in wrong places.
  auto other = *file;
  other.set_request_id(NewRequestId());
  EXPECT_THAT(client_->Submit(other), HasReason(Reason::kAlreadyApplied));
  other.set_request_id(file->request_id());
  other.mutable_application()->mutable_candidate()->set_experience_years(3);
  EXPECT_THAT(client_->Submit(other), HasReason(Reason::kRequestIdReused));
  other.set_request_id(planted[2]);
  EXPECT_THAT(client_->Submit(other),
              StatusIs(absl::StatusCode::kInvalidArgument));
  other = *file;
  other.set_request_id(NewRequestId());
  other.mutable_application()->mutable_candidate()->set_email(planted[1]);
  EXPECT_THAT(client_->Submit(other),
              ViolatesField("application.candidate.email"));
  EXPECT_FALSE(client_->ExplainPlace(planted[2]).ok());
  EXPECT_FALSE(
      client_
          ->ExplainPlace(Cat(client_->Cohort(), "/applications/", planted[2]))
          .ok());
  EXPECT_FALSE(
      client_->GetUpload(Cat(client_->Body(), "/uploads/", planted[0])).ok());
  {
    const auto stub = pb::ApplicationService::NewStub(process().Connect());
    pb::WithdrawApplicationRequest withdraw;
    withdraw.set_name(received->name());
    withdraw.set_reason(planted[4]);
    grpc::ClientContext context;
    pb::Application withdrawn;
    ASSERT_TRUE(stub->WithdrawApplication(&context, withdraw, &withdrawn).ok());
  }
  process().Terminate();
  ASSERT_EQ(process().Wait(), 0);

  const std::string log = process().log();
  for (const std::string& value : planted) {
    EXPECT_THAT(log, Not(HasSubstr(value)));
  }
  int calls = 0;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(json.is_object()) << line;
    for (const char* key : {"ts", "level", "service", "msg"}) {
      EXPECT_TRUE(json.contains(key)) << line;
    }
    EXPECT_EQ(json["service"], "enrolment");
    if (json["msg"] != "call") continue;
    ++calls;
    for (const char* key : {"method", "code", "ms", "trace_id"}) {
      EXPECT_TRUE(json.contains(key)) << line;
    }
  }
  EXPECT_GT(calls, 12);
}

INSTANTIATE_TEST_SUITE_P(Engines, EnrolmentdTest,
                         ::testing::ValuesIn(testing::EnginesUnderTest()),
                         testing::EngineName());

// The code with which a call to reflection ends.
grpc::StatusCode Reflection(const testing::DaemonFixture& process) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
  const grpc::Slice nothing;
  const grpc::ByteBuffer request(&nothing, 1);
  grpc::ByteBuffer response;
  grpc::GenericStub stub(process.Connect());
  absl::Notification answered;
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  stub.UnaryCall(
      &context,
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
      grpc::StubOptions(), &request, &response,
      [&](const grpc::Status& status) {
        code = status.error_code();
        answered.Notify();
      });
  answered.WaitForNotification();
  return code;
}

TEST(Enrolmentd, ServesHealthByNameAndReflectionOnlyWhenAsked) {
  Enrolmentd plain(PARCOURS_ENROLMENTD, storage::Engine::kSqlite);
  plain.process().Start();
  for (const char* service : {"", "parcours.enrolment.v1.ApplicationService",
                              "parcours.enrolment.v1.ProgrammeService",
                              "parcours.platform.v1.UploadService",
                              "parcours.platform.v1.ChangeFeedService"}) {
    EXPECT_EQ(plain.process().Health(service), Serving::kServing) << service;
  }
  EXPECT_EQ(plain.process().Health("another"), Serving::kUnknown);
  EXPECT_EQ(Reflection(plain.process()), grpc::StatusCode::UNIMPLEMENTED);

  Enrolmentd reflecting(PARCOURS_ENROLMENTD, storage::Engine::kSqlite,
                        {"--reflection"});
  reflecting.process().Start();
  EXPECT_NE(Reflection(reflecting.process()), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(Enrolmentd, HelpNamesEveryFlag) {
  const ProcessEnd help = RunProgram(PARCOURS_ENROLMENTD, {"--help"});
  for (const char* flag :
       {"--listen_address", "--database_url", "--database_password_file",
        "--secret_file", "--redis_url", "--metrics_address", "--rules_dir",
        "--upload_dir", "--reflection", "--simulation", "--worker_threads",
        "--log_level", "--drain_grace", "PARCOURS_NAME"}) {
    EXPECT_THAT(help.out, HasSubstr(flag));
  }
}

TEST(Enrolmentd, RefusesToStartAndListsEveryProblem) {
  const ProcessEnd values =
      RunProgram(PARCOURS_ENROLMENTD,
                 {"--worker_threads=0", "--log_level=loud", "--drain_grace=-1s",
                  "--simulation_start=yesterday", "surplus"},
                 {"PARCOURS_DATABASE_POOL_SIZE=many"});
  EXPECT_EQ(values.code, 1);
  for (const char* problem :
       {"--worker_threads", "--log_level", "--drain_grace",
        "--simulation_start", "surplus", "PARCOURS_DATABASE_POOL_SIZE"}) {
    EXPECT_THAT(values.err, HasSubstr(problem));
  }

  const testing::TempDir folder;
  const ProcessEnd places =
      RunProgram(PARCOURS_ENROLMENTD,
                 {Cat("--rules_dir=", folder.File("no-rules")),
                  "--database_url=postgresql://user:secret@localhost/x",
                  "--redis_url=http://localhost", "--listen_address=0.0.0.0:1",
                  Cat("--upload_dir=", folder.File("uploads"))});
  EXPECT_EQ(places.code, 1);
  for (const char* problem :
       {"no-rules", "--secret_file", "password", "redis", "0.0.0.0:1"}) {
    EXPECT_THAT(places.err, HasSubstr(problem));
  }
  EXPECT_THAT(places.err, Not(HasSubstr("secret@")));
  // Nothing was made.
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Enrolmentd, AnotherProcessOnTheSameFileIsRefused) {
  Enrolmentd enrolmentd(PARCOURS_ENROLMENTD, storage::Engine::kSqlite);
  enrolmentd.process().Start();
  const ProcessEnd second =
      RunProgram(PARCOURS_ENROLMENTD,
                 {"--listen_address=127.0.0.1:0",
                  Cat("--database_url=", enrolmentd.database_url()),
                  Cat("--upload_dir=", enrolmentd.process().File("uploads")),
                  Cat("--secret_file=", enrolmentd.process().File("secret"))});
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, HasSubstr("another process"));
  EXPECT_EQ(enrolmentd.process().Health(""), Serving::kServing);
}

}  // namespace
}  // namespace parcours::integration
