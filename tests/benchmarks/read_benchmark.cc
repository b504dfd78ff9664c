// A programme read from memory and from the database, through all that a call
// passes (token, quota, scope, metrics), against servers that hold the answer
// in memory and do nothing else: a callback server of the same gRPC, one that
// sends bytes, and the usual ones of Node and Python.
//
// One client calls all of them in turns, over as many connections and with as
// many calls under way, and does not decode what it receives. Ratios are
// medians over the turns. It shares the processors with the servers: the same
// cost on every side, so that rates are closer together than what one call
// costs each server, which is measured too.
//
//   read_benchmark                 all of this
//   read_benchmark --profile=30    the read from memory alone, for 30 seconds

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/rpc/grpc_status.h"
#include "common/storage/feed.h"
#include "common/text/view.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/byte_buffer.h"
#include "tests/benchmarks/measured_enrolmentd.h"
#include "tests/benchmarks/rows.h"

namespace parcours::benchmarks {
namespace {

using integration::EnrolmentClient;
using storage::Engine;

constexpr int kRounds = 15;
constexpr absl::Duration kRound = absl::Milliseconds(250);
constexpr int kConnections = 4;
constexpr int kOutstanding = 64;
constexpr char kMethod[] =
    "/parcours.enrolment.v1.ProgrammeService/GetProgramme";
constexpr std::string_view kProfile = "--profile=";
constexpr std::string_view kMessage = "--message=";
constexpr std::string_view kBytes = "--bytes";
constexpr std::string_view kPortFile = "--port_file=";

std::string SmallProgramme() {
  return Cat(EnrolmentClient::Body(), "/programmes/atelier");
}

// GetProgramme and nothing else: no shell, no checks, no cache.
class BareProgrammes final : public pb::ProgrammeService::CallbackService {
 public:
  explicit BareProgrammes(pb::Programme programme)
      : programme_(std::move(programme)) {}

  grpc::ServerUnaryReactor* GetProgramme(grpc::CallbackServerContext* context,
                                         const pb::GetProgrammeRequest*,
                                         pb::Programme* response) override {
    *response = programme_;
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  const pb::Programme programme_;
};

// The same of bytes that were encoded once.
class BareBytes final
    : public pb::ProgrammeService::WithRawCallbackMethod_GetProgramme<
          pb::ProgrammeService::Service> {
 public:
  explicit BareBytes(const pb::Programme& programme)
      : encoded_(programme.SerializeAsString()) {}

  grpc::ServerUnaryReactor* GetProgramme(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer*,
                                         grpc::ByteBuffer* response) override {
    *response = grpc::ByteBuffer(&encoded_, 1);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  const grpc::Slice encoded_;
};

// Serves the message in a file until it is killed.
int ServeBare(const std::string& message_file, bool bytes,
              const std::string& port_file) {
  std::ifstream file(message_file, std::ios::binary);
  pb::Programme programme;
  if (!programme.ParseFromIstream(&file)) return 1;
  BareBytes of_bytes(programme);
  BareProgrammes of_messages(std::move(programme));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(bytes ? static_cast<grpc::Service*>(&of_bytes)
                                : &of_messages);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::ofstream(port_file) << port << "\n";
  server->Wait();
  return 0;
}

// One server under load, again and again.
class Contender {
 public:
  // With `feed_token`, calls carry it.
  Contender(const testing::DaemonFixture& process, const std::string& token,
            const std::string& programme, std::string feed_token = "")
      : process_(process), feed_token_(std::move(feed_token)) {
    pb::GetProgrammeRequest request;
    request.set_name(programme);
    const grpc::Slice bytes(request.SerializeAsString());
    request_ = grpc::ByteBuffer(&bytes, 1);
    for (int i = 0; i < kConnections; ++i) {
      stubs_.push_back(
          std::make_unique<grpc::GenericStub>(process.ConnectAs(token)));
    }
  }

  // The answer to one call.
  std::string Read() {
    Lane lane;
    Prepare(lane);
    absl::Notification answered;
    stubs_[0]->UnaryCall(lane.context.get(), kMethod, grpc::StubOptions(),
                         &request_, &lane.response,
                         [&](const grpc::Status& status) {
                           MustBeOk(rpc::FromGrpcStatus(status));
                           answered.Notify();
                         });
    answered.WaitForNotification();
    std::vector<grpc::Slice> slices;
    MustBeOk(rpc::FromGrpcStatus(lane.response.Dump(&slices)));
    std::string bytes;
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return bytes;
  }

  // Keeps the calls per second of one round, and the processor time that one of
  // them cost the server.
  void Run() {
    answered_ = 0;
    stop_ = false;
    const absl::Duration processor_before = process_.ProcessorTime();
    absl::BlockingCounter ended(kOutstanding);
    std::vector<Lane> lanes(kOutstanding);
    const absl::Time start = absl::Now();
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      lanes[i].stub = stubs_[i % stubs_.size()].get();
      lanes[i].ended = &ended;
      Next(lanes[i]);
    }
    absl::SleepFor(kRound);
    const int64_t count = answered_;
    const absl::Duration time = absl::Now() - start;
    stop_ = true;
    ended.Wait();
    micros_.push_back(absl::ToDoubleMicroseconds(process_.ProcessorTime() -
                                                 processor_before) /
                      static_cast<double>(answered_));
    rates_.push_back(static_cast<double>(count) / absl::ToDoubleSeconds(time));
  }

  // The first rounds fill caches.
  void Forget() {
    rates_.clear();
    micros_.clear();
  }

  // Of each round.
  const std::vector<double>& rates() const { return rates_; }
  const std::vector<double>& micros() const { return micros_; }

 private:
  // One call after the other.
  struct Lane {
    grpc::GenericStub* stub = nullptr;
    absl::BlockingCounter* ended = nullptr;
    std::unique_ptr<grpc::ClientContext> context;
    grpc::ByteBuffer response;
  };

  void Prepare(Lane& lane) const {
    lane.context = std::make_unique<grpc::ClientContext>();
    lane.context->set_deadline(
        absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
    if (!feed_token_.empty()) {
      lane.context->AddMetadata("parcours-feed-token", feed_token_);
    }
  }

  void Next(Lane& lane) {
    if (stop_) {
      lane.ended->DecrementCount();
      return;
    }
    Prepare(lane);
    lane.stub->UnaryCall(lane.context.get(), kMethod, grpc::StubOptions(),
                         &request_, &lane.response,
                         [this, &lane](const grpc::Status& status) {
                           MustBeOk(rpc::FromGrpcStatus(status));
                           ++answered_;
                           Next(lane);
                         });
  }

  const testing::DaemonFixture& process_;
  const std::string feed_token_;
  grpc::ByteBuffer request_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  std::atomic<int64_t> answered_ = 0;
  std::atomic<bool> stop_ = false;
  std::vector<double> rates_;
  std::vector<double> micros_;
};

// As little as a programme may be.
void CreateSmallProgramme(const MeasuredEnrolmentd& enrolmentd) {
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
  const auto stub = pb::ProgrammeService::NewStub(enrolmentd.Connect());
  grpc::ClientContext context;
  pb::Programme created;
  MustBeOk(
      rpc::FromGrpcStatus(stub->CreateProgramme(&context, request, &created)));
}

// A position that no process has applied: the call is answered from the
// database.
std::string PositionAhead(const MeasuredEnrolmentd& enrolmentd) {
  constexpr int64_t kFar = 1'000'000'000'000;
  const auto session = enrolmentd.OpenRecord();
  return storage::EncodeFeedToken(
      RunOne(*session, "SELECT incarnation FROM database_marker")[0].Text(0),
      kFar);
}

// The same message, however its maker orders what it encodes.
void MustAnswer(Contender& contender, const std::string& expected) {
  pb::Programme wanted, answered;
  if (!wanted.ParseFromString(expected) ||
      !answered.ParseFromString(contender.Read()) ||
      answered.SerializeAsString() != wanted.SerializeAsString()) {
    MustBeOk(absl::InternalError("a server answers something else"));
  }
}

void Profile(absl::Duration time) {
  MeasuredEnrolmentd enrolmentd(PARCOURS_ENROLMENTD, Engine::kPostgresql, 0);
  Contender hot(enrolmentd.process(), enrolmentd.program_token(),
                EnrolmentClient::Programme());
  const absl::Time end = absl::Now() + time;
  while (absl::Now() < end) hot.Run();
  std::printf("%.0f calls/s, %.1f us of the processor each\n",
              Median(hot.rates()), Median(hot.micros()));
}

void Compare() {
  testing::TempDir folder;
  MeasuredEnrolmentd postgresql(PARCOURS_ENROLMENTD, Engine::kPostgresql, 0);
  MeasuredEnrolmentd sqlite(PARCOURS_ENROLMENTD, Engine::kSqlite, 0);
  CreateSmallProgramme(postgresql);
  Contender hot(postgresql.process(), postgresql.program_token(),
                EnrolmentClient::Programme());
  Contender hot_small(postgresql.process(), postgresql.program_token(),
                      SmallProgramme());
  Contender cold_postgresql(postgresql.process(), postgresql.program_token(),
                            EnrolmentClient::Programme(),
                            PositionAhead(postgresql));
  Contender cold_sqlite(sqlite.process(), sqlite.program_token(),
                        EnrolmentClient::Programme(), PositionAhead(sqlite));

  const std::string message = hot.Read();
  const std::string small = hot_small.Read();
  std::ofstream(folder.File("message"), std::ios::binary) << message;
  std::ofstream(folder.File("small"), std::ios::binary) << small;
  char self[4096];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
  const std::string this_program(self, static_cast<std::size_t>(length));
  const auto serve = [&](const std::string& program, const char* file,
                         std::vector<std::string> flags = {}) {
    flags.push_back(Cat(kMessage, folder.File(file)));
    auto process =
        std::make_unique<testing::DaemonFixture>(program, std::move(flags));
    process->Start();
    return process;
  };
  const auto bare_process = serve(this_program, "message");
  const auto bare_small_process = serve(this_program, "small");
  const auto bytes_process =
      serve(this_program, "message", {std::string(kBytes)});
  const auto node_process = serve("tests/benchmarks/bare_node.sh", "message");
  const auto python_process =
      serve("tests/benchmarks/bare_python.py", "message");
  // The same bytes on the wire: the bare servers get a token too.
  const std::string& token = postgresql.program_token();
  Contender bare(*bare_process, token, EnrolmentClient::Programme());
  Contender bare_small(*bare_small_process, token, SmallProgramme());
  Contender bytes(*bytes_process, token, EnrolmentClient::Programme());
  Contender node(*node_process, token, EnrolmentClient::Programme());
  Contender python(*python_process, token, EnrolmentClient::Programme());

  for (Contender* contender :
       {&cold_postgresql, &bare, &bytes, &node, &python}) {
    MustAnswer(*contender, message);
  }
  MustAnswer(bare_small, small);

  std::vector<Contender*> all = {&hot,         &bare,       &bytes,
                                 &hot_small,   &bare_small, &cold_postgresql,
                                 &cold_sqlite, &node,       &python};
  for (Contender* contender : all) contender->Run();
  for (Contender* contender : all) contender->Forget();
  for (int round = 0; round < kRounds; ++round) {
    // By turns from either end, so that drift favours none.
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[round % 2 == 0 ? i : all.size() - 1 - i]->Run();
    }
  }

  std::vector<BenchRow> rows;
  const auto add = [&](const std::string& name, const Contender& value,
                       const std::string& reference_name,
                       const Contender& reference, const std::string& aim,
                       const std::string& note) {
    rows.push_back(Compared({.group = "read",
                             .name = name,
                             .unit = "calls/s",
                             .reference_name = reference_name,
                             .aim = aim,
                             .note = note},
                            {value.rates(), reference.rates()}));
    rows.push_back(Compared({.group = "read",
                             .name = Cat(name, ": processor of the server"),
                             .unit = "us/call",
                             .reference_name = reference_name},
                            {value.micros(), reference.micros()}));
  };
  constexpr char kFromMemory[] = "a programme from memory";
  add(kFromMemory, hot, "bare gRPC", bare, ">= 0.85",
      absl::StrFormat("%d bytes; %d calls under way over %d connections",
                      message.size(), kOutstanding, kConnections));
  add(Cat(kFromMemory, ", against bytes"), hot, "bare gRPC of bytes", bytes, "",
      "which sends what was encoded once, as the service does");
  add("a small programme from memory", hot_small, "bare gRPC", bare_small,
      ">= 0.85", Cat(small.size(), " bytes"));
  const std::string reads = "every call reads the database";
  add("a programme from PostgreSQL", cold_postgresql, "bare gRPC", bare, "",
      reads);
  add("a programme from SQLite", cold_sqlite, "bare gRPC", bare, "", reads);
  const std::string holds = "which holds the message and looks at no token";
  add(Cat(kFromMemory, ", against Node"), hot, "grpc-js", node, ">= 3", holds);
  add(Cat(kFromMemory, ", against Python"), hot, "grpcio", python, ">= 10",
      holds);
  WriteRows("read", rows);
}

}  // namespace
}  // namespace parcours::benchmarks

int main(int argc, char** argv) {
  using namespace parcours::benchmarks;
  std::string message, port_file;
  bool bytes = false;
  int profile = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(kMessage)) {
      message = argument.substr(kMessage.size());
    }
    if (argument.starts_with(kPortFile)) {
      port_file = argument.substr(kPortFile.size());
    }
    if (argument == kBytes) bytes = true;
    if (argument.starts_with(kProfile)) {
      profile = std::atoi(argv[i] + kProfile.size());
    }
  }
  // As the services do.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (!message.empty()) return ServeBare(message, bytes, port_file);
  if (profile > 0) {
    Profile(absl::Seconds(profile));
  } else {
    Compare();
  }
  return 0;
}
