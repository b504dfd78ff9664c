#ifndef PARCOURS_COMMON_STORAGE_SEQUENCER_H_
#define PARCOURS_COMMON_STORAGE_SEQUENCER_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/storage/database.h"

namespace parcours::storage {

// Gives the rows of the change feed their positions: dense, growing, and in the
// order of insertion among the rows that one pass sees. Rows of transactions
// that commit out of order are thus neither skipped nor given a position that a
// reader has passed.
//
// Every replica runs one; a lease in the database, on the database's clock,
// lets one of them work at a time. The lease is held under a row lock in the
// transaction that gives the positions, so that one who has lost it without
// knowing changes nothing. Its fencing number grows with each new holder.
// Thread-safe.
class Sequencer {
 public:
  // Other work on committed rows that wants one order and one worker.
  struct Step {
    // A query that returns a row when there is something to do.
    std::string pending;
    // Runs in the transaction of the pass, after the positions. True when there
    // is more to do than it did.
    std::function<absl::StatusOr<bool>(Transaction&)> run;
  };

  struct Options {
    // How often to look, in real time, for what other replicas committed.
    absl::Duration poll_interval = absl::Milliseconds(200);
    // Between two passes, at least and at most: what commits meanwhile shares
    // one. As long as four passes take, so that under load, where each takes
    // longer, they have no more than a fifth of the time.
    absl::Duration pause = absl::Milliseconds(5);
    absl::Duration longest_pause = absl::Milliseconds(50);
    // Renewed by each pass that has something to do. How long the feed stands
    // when a holder is killed.
    absl::Duration lease_time = absl::Seconds(3);
    // Rows given a position in one pass.
    int batch = 1000;
    std::vector<Step> steps;
    // Called on the sequencer's thread when the head was seen to move,
    // whichever replica moved it.
    std::function<void(int64_t head)> on_head;
  };

  // What a pass did.
  struct Pass {
    // Whether there was anything to do and this replica had the lease for it.
    bool worked = false;
    int64_t positions = 0;
    // Whether the next pass has something to do already.
    bool more = false;
    // Last position given, by whomever.
    int64_t head = 0;
    // Number of the lease; 0 when it was not needed or not had.
    int64_t fencing = 0;
  };

  // `database` outlives this. Made before its first transaction, since it
  // listens to commits.
  Sequencer(Database& database, Options options);
  // Stops.
  ~Sequencer();
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  // Starts the background thread.
  void Start();
  // Ends it and gives up the lease.
  void Stop();

  // One pass, on the calling thread.
  absl::StatusOr<Pass> RunOnce();

 private:
  // Shared with the commit listener, which may be called for longer.
  struct Wake {
    std::mutex mutex;
    std::condition_variable changed;
    // Under the mutex.
    bool committed = false;
    bool stopping = false;
  };

  void Loop();
  // Waits for a commit, and then for `pause`. False when stopping.
  bool WaitForCommit(absl::Duration pause);
  absl::StatusOr<bool> SomethingToDo(int64_t& head);

  Database& database_;
  const Options options_;
  const std::string holder_;
  const std::shared_ptr<Wake> wake_ = std::make_shared<Wake>();
  std::thread thread_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_SEQUENCER_H_
