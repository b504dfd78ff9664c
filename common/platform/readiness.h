#ifndef PARCOURS_COMMON_PLATFORM_READINESS_H_
#define PARCOURS_COMMON_PLATFORM_READINESS_H_

#include <functional>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/storage/database.h"

namespace parcours::platform {

// Asks the database, again and again on a thread of its own, whether it is
// there: after two failures in a row the service is not ready, after one answer
// it is again. What fails is logged once.
class Readiness {
 public:
  struct Options {
    // Real time.
    absl::Duration interval = absl::Seconds(1);
    absl::Duration patience = absl::Seconds(2);
  };

  // `database` outlives this. `set_ready` is called on that thread, when it
  // changes.
  Readiness(storage::Database& database, std::function<void(bool)> set_ready,
            Options options);
  Readiness(storage::Database& database, std::function<void(bool)> set_ready)
      : Readiness(database, std::move(set_ready), Options()) {}
  // Stops.
  ~Readiness();

 private:
  void Run();

  storage::Database& database_;
  const std::function<void(bool)> set_ready_;
  const Options options_;
  absl::Notification stopping_;
  std::thread thread_;
};

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_READINESS_H_
