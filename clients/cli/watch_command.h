#ifndef PARCOURS_CLIENTS_CLI_WATCH_COMMAND_H_
#define PARCOURS_CLIENTS_CLI_WATCH_COMMAND_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clients/cli/connection.h"
#include "clients/cli/services.h"

namespace parcours::cli {

// That a command is to end, told from another thread. Thread-safe.
class StopRequest {
 public:
  void Stop();
  bool stopped() const;
  // Waits for `pause` or the stop; false when stopped.
  bool Pause(absl::Duration pause);
  // Calls `cancel` when it is stopped, at once where it was, until Forget.
  int64_t OnStop(std::function<void()> cancel);
  // Afterwards, it does not run.
  void Forget(int64_t id);

 private:
  mutable std::mutex mutex_;  // guards what follows; held while cancelling
  std::condition_variable changed_;
  bool stopped_ = false;
  int64_t last_id_ = 0;
  std::map<int64_t, std::function<void()>> cancels_;
};

struct WatchOptions {
  // enrolment, scheduling, evaluation; empty or "all": all with an address.
  std::string service;
  std::vector<std::string> kinds;
  std::vector<std::string> within;
  // Where to go on: the token of the one service, or "enrolment=TOKEN" for
  // each; a service without one begins at the oldest change that is kept.
  std::vector<std::string> after;
  bool json = false;
  // Between the attempts to reach a service; doubled up to the longest.
  absl::Duration first_pause = absl::Milliseconds(200);
  absl::Duration longest_pause = absl::Seconds(10);
};

// `parcours watch`: prints the changes of the services as they come, until
// `stop`, and then from where to go on. A stream that ends or breaks is taken
// up where it was. Ends by itself when a service refuses.
ExitCode WatchCommand(const ServiceAddresses& addresses,
                      const WatchOptions& options, StopRequest& stop,
                      std::ostream& out, std::ostream& errors);

}  // namespace parcours::cli

#endif  // PARCOURS_CLIENTS_CLI_WATCH_COMMAND_H_
