#include "common/testing/daemon_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/rpc/bearer.h"
#include "common/text/view.h"
#include "grpc/grpc.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "gtest/gtest.h"

extern char** environ;

namespace parcours::testing {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr absl::Duration kPollInterval = absl::Milliseconds(5);
constexpr std::size_t kShownOfLog = 4000;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

int OpenForAppending(const std::string& path) {
  const int file =
      open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) {
    std::perror(path.c_str());
    std::abort();
  }
  return file;
}

pid_t Spawn(const std::string& program, std::vector<std::string> arguments,
            const std::vector<std::string>& environment, const std::string& out,
            const std::string& err) {
  arguments.insert(arguments.begin(), program);
  std::vector<std::string> variables = environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(variables);
  const int out_file = OpenForAppending(out);
  const int err_file = OpenForAppending(err);
  const pid_t process = fork();
  if (process < 0) {
    std::perror("fork");
    std::abort();
  }
  if (process == 0) {
    // Only what may be done after a fork of a process with threads.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out_file, STDOUT_FILENO);
    dup2(err_file, STDERR_FILENO);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(out_file);
  close(err_file);
  return process;
}

int CodeOf(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ProcessEnd RunProgram(const std::string& program,
                      const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment) {
  const TempDir folder;
  const pid_t process = Spawn(program, arguments, environment,
                              folder.File("out"), folder.File("err"));
  int status = 0;
  waitpid(process, &status, 0);
  return {.code = CodeOf(status),
          .out = Contents(folder.File("out")),
          .err = Contents(folder.File("err"))};
}

DaemonFixture::DaemonFixture(std::string program,
                             std::vector<std::string> flags)
    : program_(std::move(program)), flags_(std::move(flags)) {}

DaemonFixture::~DaemonFixture() {
  if (running()) Kill();
  if (!::testing::Test::HasFailure()) return;
  const std::string written = log();
  const std::size_t from =
      written.size() - std::min(written.size(), kShownOfLog);
  std::fprintf(stderr, "The end of the log of %s:\n%s\n", program_.c_str(),
               written.c_str() + from);
}

void DaemonFixture::Die(const std::string& what) const {
  std::fprintf(stderr, "%s: %s\n%s", program_.c_str(), what.c_str(),
               log().c_str());
  std::abort();
}

void DaemonFixture::Start(const std::vector<std::string>& environment) {
  if (running()) Die("runs already");
  std::filesystem::remove(File("port"));
  std::vector<std::string> arguments = {
      "--listen_address=127.0.0.1:0",
      Cat("--port_file=", File("port")),
      "--metrics_address=127.0.0.1:0",
      Cat("--metrics_port_file=", File("metrics-port")),
      Cat("--secret_file=", File("secret")),
      Cat("--upload_dir=", upload_folder()),
      Cat("--identity_file=", authority_.identity_file())};
  arguments.insert(arguments.end(), flags_.begin(), flags_.end());
  process_ = Spawn(program_, std::move(arguments), environment, File("out"),
                   File("log"));
  const absl::Time limit = absl::Now() + kPatience;
  port_ = 0;
  while (true) {
    if (waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = 0;
      Die("ended while it started");
    }
    if (absl::Now() > limit) Die("is not ready in time");
    if (port_ == 0) std::ifstream(File("port")) >> port_;
    if (port_ != 0 && Health("") == Serving::kServing) return;
    absl::SleepFor(kPollInterval);
  }
}

void DaemonFixture::Kill() {
  kill(process_, SIGKILL);
  Wait();
}

void DaemonFixture::Terminate() { kill(process_, SIGTERM); }

void DaemonFixture::Pause() { kill(process_, SIGSTOP); }

void DaemonFixture::Resume() { kill(process_, SIGCONT); }

int DaemonFixture::Wait() {
  if (!running()) Die("was not started");
  int status = 0;
  if (waitpid(process_, &status, 0) != process_) Die("waitpid");
  process_ = 0;
  return CodeOf(status);
}

absl::Duration DaemonFixture::ProcessorTime() const {
  clockid_t clock;
  timespec time;
  if (clock_getcpuclockid(process_, &clock) != 0 ||
      clock_gettime(clock, &time) != 0) {
    Die("has no processor time");
  }
  return absl::DurationFromTimespec(time);
}

int64_t DaemonFixture::ResidentBytes() const {
  std::ifstream status(Cat("/proc/", process_, "/status"));
  for (std::string line; std::getline(status, line);) {
    int64_t kibibytes = 0;
    if (std::sscanf(line.c_str(), "VmRSS: %ld kB", &kibibytes) == 1) {
      return kibibytes * 1024;
    }
  }
  Die("has no memory");
}

std::string DaemonFixture::address() const { return Cat("127.0.0.1:", port_); }

std::shared_ptr<grpc::Channel> DaemonFixture::Connect() const {
  return ConnectAs(authority_.AdministratorToken());
}

std::shared_ptr<grpc::Channel> DaemonFixture::ConnectAs(
    const std::string& token) const {
  grpc::ChannelArguments arguments;
  // Channels of one process to one address share a connection otherwise.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return rpc::MakeBearerChannel(address(), token, nullptr, arguments);
}

Serving DaemonFixture::Health(const std::string& service) const {
  // Debian packages no code for this service. Its request is one string in
  // field 1, and its answer one number in field 1.
  const std::string bytes =
      service.empty()
          ? ""
          : Cat("\n", std::string(1, static_cast<char>(service.size())),
                service);
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(5)));
  absl::Notification answered;
  bool ok = false;
  grpc::GenericStub stub(Connect());
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(),
                 &request, &response, [&](const grpc::Status& status) {
                   ok = status.ok();
                   answered.Notify();
                 });
  answered.WaitForNotification();
  grpc::Slice answer;
  if (!ok || !response.DumpToSingleSlice(&answer).ok() || answer.size() != 2) {
    return Serving::kUnknown;
  }
  return static_cast<Serving>(answer.begin()[1]);
}

std::string DaemonFixture::Metrics() const {
  int port = 0;
  std::ifstream(File("metrics-port")) >> port;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  constexpr std::string_view kRequest = "GET /metrics HTTP/1.0\r\n\r\n";
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0 ||
      write(connection, kRequest.data(), kRequest.size()) !=
          static_cast<ssize_t>(kRequest.size())) {
    Die("does not tell its metrics");
  }
  std::string answer;
  char buffer[4096];
  for (ssize_t count = 1; count > 0;) {
    count = read(connection, buffer, sizeof(buffer));
    if (count > 0) answer.append(buffer, static_cast<std::size_t>(count));
  }
  close(connection);
  return answer;
}

std::string DaemonFixture::log() const { return Contents(File("log")); }

}  // namespace parcours::testing
