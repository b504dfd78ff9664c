#include "common/storage/job_lease.h"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/status/error.h"
#include "common/status/macros.h"

namespace parcours::storage {
namespace {

constexpr char kLostKey[] = "lost_lease";

// A row that cannot be: its holder is missing. Whoever takes the lease changes
// the row that is looked for, and so waits for those who share its lock.
constexpr char kCheck[] =
    "INSERT INTO job_lease (job, holder, fencing, expire_time) "
    "SELECT $1, NULL, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM job_lease "
    "WHERE job = $1 AND fencing = $2 {for_share})";

// Without a lock: those who only look must not wait for those who work.
constexpr char kHeldByAnother[] =
    "SELECT 1 FROM job_lease WHERE job = $1 AND holder <> $2 "
    "AND expire_time >= {database_time}";

// Numbers are at least the time, so that one that was given out before a
// fail-over, and lost in it, is not given out again.
constexpr char kTake[] =
    "INSERT INTO job_lease (job, holder, fencing, expire_time) "
    "VALUES ($1, $2, {database_time}, {database_time} + $3) "
    "ON CONFLICT (job) DO UPDATE SET "
    "fencing = CASE WHEN job_lease.holder = excluded.holder "
    "THEN job_lease.fencing WHEN job_lease.fencing < excluded.fencing "
    "THEN excluded.fencing ELSE job_lease.fencing + 1 END, "
    "holder = excluded.holder, expire_time = excluded.expire_time "
    "WHERE job_lease.holder = excluded.holder "
    "OR job_lease.expire_time < {database_time} RETURNING fencing";

constexpr char kRenew[] =
    "UPDATE job_lease SET expire_time = {database_time} + $2 "
    "WHERE holder = $1 RETURNING job";

constexpr char kGiveUp[] =
    "UPDATE job_lease SET holder = '', expire_time = 0 "
    "WHERE job = $1 AND holder = $2";

std::string NewHolder() {
  std::random_device source;
  return absl::StrFormat("%08x%08x", source(), source());
}

}  // namespace

absl::Status LeaseLostError(const std::string& job) {
  return MakeError(Reason::kConflict, {{kLostKey, job}});
}

bool IsLeaseLost(const absl::Status& status) {
  return ReasonOf(status) == Reason::kConflict &&
         MetadataOf(status).count(kLostKey) > 0;
}

Statement CheckLease(const access::JobLease& lease) {
  return {kCheck, {lease.job, lease.fencing}};
}

JobLeases::JobLeases(Database& database, Options options)
    : database_(database), options_(options), holder_(NewHolder()) {
  if (database_.engine() != Engine::kSqlite) {
    renewing_ = std::thread([this] { RenewLoop(); });
  }
}

JobLeases::~JobLeases() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (renewing_.joinable()) renewing_.join();
}

access::Caller JobLeases::OwnCaller() const {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = "job-lease";
  caller.deadline = absl::Now() + options_.lease_time;
  return caller;
}

std::optional<JobLeases::Turn> JobLeases::KnownTurn(const std::string& job) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(job);
  if (found == held_.end() || found->second.turns == 0) return std::nullopt;
  Held& held = found->second;
  if (absl::Now() > held.renewed + options_.lease_time / 2) return std::nullopt;
  ++held.turns;
  return Turn(this, job, access::JobLease{job, held.fencing});
}

absl::StatusOr<std::optional<int64_t>> JobLeases::TakeInDatabase(
    const std::string& job) {
  std::optional<int64_t> fencing;
  RETURN_IF_ERROR(
      database_
          .Transact(OwnCaller(),
                    [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                      fencing.reset();
                      ASSIGN_OR_RETURN(
                          const Rows others,
                          transaction.Query({kHeldByAnother, {job, holder_}}));
                      if (!others.empty()) return Outcome{};
                      ASSIGN_OR_RETURN(
                          const Rows taken,
                          transaction.Query({kTake,
                                             {job, holder_,
                                              absl::ToInt64Microseconds(
                                                  options_.lease_time)}}));
                      if (!taken.empty()) fencing = taken[0].Integer(0);
                      return Outcome{};
                    })
          .status());
  return fencing;
}

absl::StatusOr<std::optional<JobLeases::Turn>> JobLeases::TryTake(
    const std::string& job) {
  if (database_.engine() == Engine::kSqlite) {
    return std::optional<Turn>(Turn(nullptr, job, std::nullopt));
  }
  if (std::optional<Turn> known = KnownTurn(job)) return known;
  const std::lock_guard asking(asking_);
  if (std::optional<Turn> known = KnownTurn(job)) return known;
  const absl::Time before = absl::Now();
  ASSIGN_OR_RETURN(const std::optional<int64_t> fencing, TakeInDatabase(job));
  if (!fencing.has_value()) return std::optional<Turn>();
  const std::lock_guard lock(mutex_);
  Held& held = held_[job];
  ++held.turns;
  held.fencing = *fencing;
  held.renewed = before;
  return std::optional<Turn>(Turn(this, job, access::JobLease{job, *fencing}));
}

absl::StatusOr<JobLeases::Turn> JobLeases::Take(const std::string& job,
                                                absl::Time deadline) {
  while (true) {
    ASSIGN_OR_RETURN(std::optional<Turn> turn, TryTake(job));
    if (turn.has_value()) return *std::move(turn);
    if (absl::Now() + options_.poll_interval > deadline) {
      return MakeError(Reason::kDeadlineExceeded);
    }
    absl::SleepFor(options_.poll_interval);
  }
}

void JobLeases::End(const std::string& job) {
  {
    const std::lock_guard lock(mutex_);
    if (--held_[job].turns > 0) return;
  }
  const std::lock_guard asking(asking_);
  {
    const std::lock_guard lock(mutex_);
    if (held_[job].turns > 0) return;
    held_.erase(job);
  }
  // In vain, the next holder waits for it to expire, no more.
  database_
      .Transact(OwnCaller(),
                [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                  transaction.Write({kGiveUp, {job, holder_}});
                  return Outcome{};
                })
      .status()
      .IgnoreError();
}

void JobLeases::RenewLoop() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock,
                            absl::ToChronoMicroseconds(options_.lease_time / 3),
                            [this] { return stopping_; })) {
    const bool any = std::any_of(held_.begin(), held_.end(), [](const auto& h) {
      return h.second.turns > 0;
    });
    if (!any) continue;
    lock.unlock();
    Renew();
    lock.lock();
  }
}

void JobLeases::Renew() {
  const absl::Time before = absl::Now();
  std::set<std::string> renewed;
  const absl::Status status =
      database_
          .Transact(
              OwnCaller(),
              [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                renewed.clear();
                ASSIGN_OR_RETURN(
                    const Rows rows,
                    transaction.Query({kRenew,
                                       {holder_, absl::ToInt64Microseconds(
                                                     options_.lease_time)}}));
                for (const Row& row : rows) renewed.insert(row.Text(0));
                return Outcome{};
              })
          .status();
  if (!status.ok()) return;
  const std::lock_guard lock(mutex_);
  for (auto& [job, held] : held_) {
    if (renewed.contains(job)) {
      held.renewed = std::max(held.renewed, before);
    } else if (held.renewed < before) {
      // Another has it; the turns that are had learn of it by their number.
      held.renewed = absl::InfinitePast();
    }
  }
}

}  // namespace parcours::storage
