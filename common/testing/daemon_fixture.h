#ifndef PARCOURS_COMMON_TESTING_DAEMON_FIXTURE_H_
#define PARCOURS_COMMON_TESTING_DAEMON_FIXTURE_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/testing/authority.h"
#include "common/testing/temp_dir.h"
#include "grpcpp/channel.h"

namespace parcours::testing {

// How a process ended and what it wrote.
struct ProcessEnd {
  // Its exit code; 128 and the signal for one that a signal ended.
  int code = 0;
  std::string out;
  std::string err;
};

// Runs `program` to its end. `environment` holds NAME=value, added to that of
// this process.
ProcessEnd RunProgram(const std::string& program,
                      const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment = {});

// grpc.health.v1.HealthCheckResponse.ServingStatus, or what stands for it.
enum class Serving { kUnknown = 0, kServing = 1, kNotServing = 2 };

// A daemon of a service as a process of its own, on a free port of loopback,
// its files in a temporary folder. It can be killed and started again on the
// same files. What cannot be done aborts the test, with the daemon's log. Not
// thread-safe; the process ends with the thread that started it.
class DaemonFixture {
 public:
  // `flags` beside those that the fixture gives: address, port, secret,
  // uploads, and the authority's issuer of tokens.
  DaemonFixture(std::string program, std::vector<std::string> flags);
  // Kills the process if it runs; shows the end of the log of a failed test.
  ~DaemonFixture();
  DaemonFixture(const DaemonFixture&) = delete;
  DaemonFixture& operator=(const DaemonFixture&) = delete;

  // Starts it; returns once its health is SERVING. `environment` as above.
  void Start(const std::vector<std::string>& environment = {});
  // SIGKILL; returns when it has ended.
  void Kill();
  // SIGTERM; returns at once.
  void Terminate();
  // SIGSTOP and SIGCONT: between them it does nothing.
  void Pause();
  void Resume();
  // Waits for its end; ProcessEnd::code. REQUIRES: it was started.
  int Wait();

  bool running() const { return process_ > 0; }
  // Processor time of the process that runs, in user and system mode.
  absl::Duration ProcessorTime() const;
  // Memory of the process that runs, as far as it is in use (RSS).
  int64_t ResidentBytes() const;
  std::string address() const;
  // A connection of its own to the process that runs, as an administrator.
  std::shared_ptr<grpc::Channel> Connect() const;
  // The same as the bearer of `token`; with an empty one, as nobody.
  std::shared_ptr<grpc::Channel> ConnectAs(const std::string& token) const;
  Authority& authority() { return authority_; }
  // What the health service says of `service`, "" for the whole.
  Serving Health(const std::string& service) const;

  // The answer to GET /metrics.
  std::string Metrics() const;

  // All that the processes have written to stderr.
  std::string log() const;
  std::string File(std::string_view name) const { return folder_.File(name); }
  std::string upload_folder() const { return File("uploads"); }

 private:
  [[noreturn]] void Die(const std::string& what) const;

  const std::string program_;
  const std::vector<std::string> flags_;
  TempDir folder_;
  Authority authority_;
  pid_t process_ = 0;
  int port_ = 0;
};

}  // namespace parcours::testing

#endif  // PARCOURS_COMMON_TESTING_DAEMON_FIXTURE_H_
