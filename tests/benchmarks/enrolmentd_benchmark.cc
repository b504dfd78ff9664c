// What the shell costs, and what a submission costs: enrolmentd as a process,
// called over gRPC on loopback.
//
// First line: GetProgramme answered from memory, against a bare callback server
// that answers the same message, by the same client in turns; the figure is the
// median of the rounds' ratios. The processor time of the two servers, which no
// other load of the machine changes much, stands beside it.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/bearer.h"
#include "common/storage/session.h"
#include "common/testing/daemon_fixture.h"
#include "common/text/view.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "tests/integration/enrolment_client.h"
#include "tests/integration/enrolmentd.h"

namespace parcours::integration {
namespace {

constexpr int kRounds = 41;
constexpr absl::Duration kRound = absl::Milliseconds(250);
constexpr int kConnections = 2;
constexpr int kOutstanding = 32;
constexpr int kApplications = 500;
constexpr std::string_view kBare = "--bare=";
constexpr std::string_view kPortFile = "--port_file=";
constexpr std::string_view kTokenFile = "--token_file=";

void MustBeOk(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

std::string SmallProgramme() {
  return Cat(EnrolmentClient::Body(), "/programmes/atelier");
}

// GetProgramme and nothing else: no shell, no checks, no cache.
class BareProgrammes final : public pb::ProgrammeService::CallbackService {
 public:
  explicit BareProgrammes(std::map<std::string, pb::Programme> programmes)
      : programmes_(std::move(programmes)) {}

  grpc::ServerUnaryReactor* GetProgramme(grpc::CallbackServerContext* context,
                                         const pb::GetProgrammeRequest* request,
                                         pb::Programme* response) override {
    *response = programmes_.find(request->name())->second;
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  const std::map<std::string, pb::Programme> programmes_;
};

// Serves what enrolmentd at `address` answers, until it is killed.
int ServeBare(const std::string& address, const std::string& token_file,
              const std::string& port_file) {
  std::string token;
  std::ifstream(token_file) >> token;
  const auto stub =
      pb::ProgrammeService::NewStub(rpc::MakeBearerChannel(address, token));
  std::map<std::string, pb::Programme> programmes;
  for (const std::string& name :
       {EnrolmentClient::Programme(), SmallProgramme()}) {
    grpc::ClientContext context;
    pb::GetProgrammeRequest request;
    request.set_name(name);
    if (!stub->GetProgramme(&context, request, &programmes[name]).ok()) {
      return 1;
    }
  }
  BareProgrammes service(std::move(programmes));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::ofstream(port_file) << port << "\n";
  server->Wait();
  return 0;
}

// A client with `kOutstanding` calls under way at any time.
class Driver {
 public:
  Driver(const testing::DaemonFixture& process, const std::string& programme)
      : process_(process) {
    request_.set_name(programme);
    for (int i = 0; i < kConnections; ++i) {
      stubs_.push_back(pb::ProgrammeService::NewStub(process.Connect()));
    }
  }

  // Calls per second over one round.
  double Run() {
    answered_ = 0;
    stop_ = false;
    const absl::Duration processor_before = process_.ProcessorTime();
    absl::BlockingCounter ended(kOutstanding);
    std::vector<Lane> lanes(kOutstanding);
    const absl::Time start = absl::Now();
    for (int i = 0; i < kOutstanding; ++i) {
      Lane& lane = lanes[static_cast<std::size_t>(i)];
      lane.stub = stubs_[static_cast<std::size_t>(i % kConnections)].get();
      lane.ended = &ended;
      Next(lane);
    }
    absl::SleepFor(kRound);
    const int64_t count = answered_;
    const absl::Duration time = absl::Now() - start;
    stop_ = true;
    ended.Wait();
    all_answered_ += answered_;
    processor_ += process_.ProcessorTime() - processor_before;
    return static_cast<double>(count) / absl::ToDoubleSeconds(time);
  }

  double ServerMicrosPerCall() const {
    return absl::ToDoubleMicroseconds(processor_) /
           static_cast<double>(all_answered_);
  }

 private:
  // One call after the other.
  struct Lane {
    pb::ProgrammeService::Stub* stub = nullptr;
    absl::BlockingCounter* ended = nullptr;
    std::unique_ptr<grpc::ClientContext> context;
    pb::Programme response;
  };

  void Next(Lane& lane) {
    if (stop_) {
      lane.ended->DecrementCount();
      return;
    }
    lane.context = std::make_unique<grpc::ClientContext>();
    lane.context->set_deadline(
        absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
    lane.stub->async()->GetProgramme(
        lane.context.get(), &request_, &lane.response,
        [this, &lane](const grpc::Status& status) {
          if (!status.ok()) {
            std::fprintf(stderr, "%s\n", status.error_message().c_str());
            std::_Exit(1);
          }
          ++answered_;
          Next(lane);
        });
  }

  const testing::DaemonFixture& process_;
  pb::GetProgrammeRequest request_;
  std::vector<std::unique_ptr<pb::ProgrammeService::Stub>> stubs_;
  std::atomic<int64_t> answered_ = 0;
  std::atomic<bool> stop_ = false;
  int64_t all_answered_ = 0;
  absl::Duration processor_;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void CompareHotRead(const testing::DaemonFixture& shell,
                    const testing::DaemonFixture& bare,
                    const std::string& programme) {
  pb::Programme message;
  {
    const auto stub = pb::ProgrammeService::NewStub(shell.Connect());
    grpc::ClientContext context;
    pb::GetProgrammeRequest request;
    request.set_name(programme);
    if (!stub->GetProgramme(&context, request, &message).ok()) std::exit(1);
  }
  Driver through_shell(shell, programme);
  Driver without(bare, programme);
  through_shell.Run();
  without.Run();
  std::vector<double> shell_rates, bare_rates, ratios;
  for (int round = 0; round < kRounds; ++round) {
    // By turns who goes first, so that drift favours neither.
    const bool shell_first = round % 2 == 0;
    const double first = shell_first ? through_shell.Run() : without.Run();
    const double second = shell_first ? without.Run() : through_shell.Run();
    shell_rates.push_back(shell_first ? first : second);
    bare_rates.push_back(shell_first ? second : first);
    ratios.push_back(shell_rates.back() / bare_rates.back());
  }
  std::printf(
      "hot cached read / bare callback answer, %zu bytes: %.2f"
      " (%.1f against %.1f thousand calls/s; processor of the server %.1f"
      " against %.1f us/call)\n",
      message.ByteSizeLong(), Median(ratios), Median(shell_rates) / 1000,
      Median(bare_rates) / 1000, through_shell.ServerMicrosPerCall(),
      without.ServerMicrosPerCall());
  std::fflush(stdout);
}

void CompareHotReads() {
  Enrolmentd enrolmentd(PARCOURS_ENROLMENTD, storage::Engine::kSqlite);
  enrolmentd.process().Start();
  MustBeOk(EnrolmentClient(enrolmentd.process().Connect()).CreateAll());
  {
    // As little as a programme may be.
    pb::CreateProgrammeRequest request;
    request.set_parent(EnrolmentClient::Body());
    request.set_programme_id("atelier");
    pb::Programme& programme = *request.mutable_programme();
    const pb::Programme& model = EnrolmentClient::File().programme();
    programme.set_display_name("Atelier");
    *programme.add_module_groups() = model.module_groups(2);
    *programme.mutable_parties() = model.parties();
    programme.mutable_assessment();
    programme.set_duration_minutes(model.duration_minutes());
    programme.set_thematic_day_count(model.thematic_day_count());
    programme.set_delivery_mode(model.delivery_mode());
    programme.set_rank_event(model.rank_event());
    const auto stub =
        pb::ProgrammeService::NewStub(enrolmentd.process().Connect());
    grpc::ClientContext context;
    pb::Programme created;
    const grpc::Status status =
        stub->CreateProgramme(&context, request, &created);
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", status.error_message().c_str());
      std::exit(1);
    }
  }
  const std::string token_file = enrolmentd.process().File("token");
  std::ofstream(token_file)
      << enrolmentd.process().authority().AdministratorToken();
  char self[4096];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
  testing::DaemonFixture bare(
      std::string(self, static_cast<std::size_t>(length)),
      {Cat(kBare, enrolmentd.process().address()),
       Cat(kTokenFile, token_file)});
  bare.Start();
  CompareHotRead(enrolmentd.process(), bare, EnrolmentClient::Programme());
  CompareHotRead(enrolmentd.process(), bare, SmallProgramme());
}

void MeasureSubmissions(storage::Engine engine, const char* name) {
  Enrolmentd enrolmentd(PARCOURS_ENROLMENTD, engine);
  enrolmentd.process().Start();
  const EnrolmentClient client(enrolmentd.process().Connect());
  MustBeOk(client.CreateAll());
  const absl::Time before_files = absl::Now();
  const auto requests = client.CompleteFiles(1, kApplications);
  MustBeOk(requests.status());
  const absl::Duration files = absl::Now() - before_files;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < kConnections; ++i) {
    channels.push_back(enrolmentd.process().Connect());
    channels.back()->WaitForConnected(
        absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
  }
  const absl::Time start = absl::Now();
  const std::vector<Submitted> calls = SubmitTogether(channels, *requests);
  const absl::Duration time = absl::Now() - start;
  for (const Submitted& call : calls) MustBeOk(call.status);
  std::printf(
      "%d complete applications at once to one cohort, %s: %.0f/s, the last"
      " answered after %.2f s (their %zu files before: %.0f/s)\n",
      kApplications, name, kApplications / absl::ToDoubleSeconds(time),
      absl::ToDoubleSeconds(time),
      requests->size() *
          static_cast<std::size_t>(requests->front().pieces_size()),
      static_cast<double>(requests->size()) * requests->front().pieces_size() /
          absl::ToDoubleSeconds(files));
  std::fflush(stdout);
}

}  // namespace
}  // namespace parcours::integration

int main(int argc, char** argv) {
  using namespace parcours::integration;
  std::string bare, port_file, token_file;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(kBare)) bare = argument.substr(kBare.size());
    if (argument.starts_with(kTokenFile)) {
      token_file = argument.substr(kTokenFile.size());
    }
    if (argument.starts_with(kPortFile)) {
      port_file = argument.substr(kPortFile.size());
    }
  }
  // As the services do.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (!bare.empty()) return ServeBare(bare, token_file, port_file);
  CompareHotReads();
  MeasureSubmissions(parcours::storage::Engine::kSqlite, "SQLite");
  MeasureSubmissions(parcours::storage::Engine::kPostgresql,
                     "PostgreSQL without fsync");
  return 0;
}
