#ifndef PARCOURS_COMMON_STORAGE_JOB_LEASE_H_
#define PARCOURS_COMMON_STORAGE_JOB_LEASE_H_

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/access/caller.h"
#include "common/storage/database.h"
#include "common/storage/session.h"

namespace parcours::storage {

// The error of a transaction whose caller's lease has passed to another holder.
// It is not tried again.
absl::Status LeaseLostError(const std::string& job);
bool IsLeaseLost(const absl::Status& status);

// Fails, with FAILED_PRECONDITION, unless `lease` is the last one given; and
// keeps it from being given to another until the transaction ends.
Statement CheckLease(const access::JobLease& lease);

// The turns of one process at the jobs that one replica does at a time: leases
// in the database, on the database's clock. A lease is renewed for as long as a
// turn is had, by a thread of this object; a holder that is killed or paused
// loses it after `lease_time`. Each new holder gets a greater fencing number,
// which transactions check (access::Caller::lease), so that a holder who has
// lost the lease without knowing changes nothing.
//
// On SQLite, whose file has one process, every turn is had and nothing is
// written. Thread-safe.
class JobLeases {
 public:
  struct Options {
    absl::Duration lease_time = absl::Seconds(3);
    // How often Take looks.
    absl::Duration poll_interval = absl::Milliseconds(20);
  };

  // The right to do a job; threads of one process share it. The lease is given
  // up with the last of its turns.
  class Turn {
   public:
    Turn(Turn&& other) noexcept
        : leases_(std::exchange(other.leases_, nullptr)),
          job_(std::move(other.job_)),
          lease_(std::move(other.lease_)) {}
    Turn& operator=(Turn&& other) noexcept {
      std::swap(leases_, other.leases_);
      std::swap(job_, other.job_);
      std::swap(lease_, other.lease_);
      return *this;
    }
    ~Turn() {
      if (leases_ != nullptr) leases_->End(job_);
    }
    // For the callers of the job's transactions; nothing on SQLite.
    const std::optional<access::JobLease>& lease() const { return lease_; }

   private:
    friend class JobLeases;
    Turn(JobLeases* leases, std::string job,
         std::optional<access::JobLease> lease)
        : leases_(leases), job_(std::move(job)), lease_(std::move(lease)) {}

    JobLeases* leases_;
    std::string job_;
    std::optional<access::JobLease> lease_;
  };

  // `database` outlives this.
  JobLeases(Database& database, Options options);
  explicit JobLeases(Database& database) : JobLeases(database, Options()) {}
  // REQUIRES: no turn is left.
  ~JobLeases();
  JobLeases(const JobLeases&) = delete;
  JobLeases& operator=(const JobLeases&) = delete;

  // A turn at `job`; nothing while another process has it. Asks the database
  // only where this process does not know. Errors of Database::Transact.
  absl::StatusOr<std::optional<Turn>> TryTake(const std::string& job);

  // The same, waiting for it. DEADLINE_EXCEEDED after `deadline`, real time.
  absl::StatusOr<Turn> Take(const std::string& job, absl::Time deadline);

 private:
  struct Held {
    // Turns that are had.
    int turns = 0;
    int64_t fencing = 0;
    // Real time just before the lease was last taken or renewed.
    absl::Time renewed = absl::InfinitePast();
  };

  std::optional<Turn> KnownTurn(const std::string& job);
  // Fencing number of the lease, if it was to be had.
  absl::StatusOr<std::optional<int64_t>> TakeInDatabase(const std::string& job);
  void End(const std::string& job);
  void RenewLoop();
  void Renew();
  access::Caller OwnCaller() const;

  Database& database_;
  const Options options_;
  const std::string holder_;

  // One of this process at a time asks the database; locked before mutex_.
  std::mutex asking_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<std::string, Held> held_;
  bool stopping_ = false;
  std::thread renewing_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_JOB_LEASE_H_
