#include "common/storage/sequencer.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/status/macros.h"

namespace parcours::storage {
namespace {

constexpr absl::Duration kPassTime = absl::Seconds(10);

constexpr int kPausePerPass = 4;

// A lease that ends later than any could is of a clock that was set back since.
constexpr char kTakeLease[] =
    "UPDATE feed_lease SET "
    "fencing = CASE WHEN holder = $1 THEN fencing ELSE fencing + 1 END, "
    "holder = $1, expire_time = {database_time} + $2 "
    "WHERE id = 1 AND (holder = $1 OR expire_time < {database_time} "
    "OR expire_time > {database_time} + 2 * $2) "
    "RETURNING fencing";

constexpr char kHead[] = "SELECT head FROM feed_state WHERE id = 1";
constexpr char kWaiting[] =
    "SELECT insertion FROM change_feed WHERE position IS NULL "
    "ORDER BY insertion LIMIT $1";
// By ranges of the primary key: of a join with what waits, PostgreSQL would
// keep a plan from when the table was small.
constexpr char kGivePositions[] =
    "UPDATE change_feed SET position = insertion + $3 "
    "WHERE insertion BETWEEN $1 AND $2";
constexpr char kMoveHead[] = "UPDATE feed_state SET head = $1 WHERE id = 1";

constexpr char kGiveUpLease[] =
    "UPDATE feed_lease SET expire_time = 0 WHERE holder = $1";

constexpr char kLook[] =
    "SELECT head, CASE WHEN EXISTS (SELECT 1 FROM change_feed "
    "WHERE position IS NULL) THEN 1 ELSE 0 END FROM feed_state";

access::Caller SequencerCaller() {
  access::Caller caller{.scope = access::Scope::Installation()};
  caller.principal.subject = "sequencer";
  caller.deadline = absl::Now() + kPassTime;
  return caller;
}

// Gives the rows with these insertions, which grow, the positions after `head`:
// one statement for each run of insertions that follow each other.
void GivePositions(Transaction& transaction, int64_t head,
                   const Rows& waiting) {
  for (std::size_t first = 0; first < waiting.size();) {
    std::size_t end = first + 1;
    while (end < waiting.size() &&
           waiting[end].Integer(0) == waiting[end - 1].Integer(0) + 1) {
      ++end;
    }
    const int64_t insertion = waiting[first].Integer(0);
    transaction.Write({kGivePositions,
                       {insertion, waiting[end - 1].Integer(0),
                        head + 1 + static_cast<int64_t>(first) - insertion}});
    first = end;
  }
  if (!waiting.empty()) {
    transaction.Write(
        {kMoveHead, {head + static_cast<int64_t>(waiting.size())}});
  }
}

std::string NewHolder() {
  std::random_device source;
  return absl::StrFormat("%08x%08x", source(), source());
}

}  // namespace

Sequencer::Sequencer(Database& database, Options options)
    : database_(database), options_(std::move(options)), holder_(NewHolder()) {
  database_.AddCommitListener([wake = wake_](absl::Span<const Change>) {
    {
      const std::lock_guard lock(wake->mutex);
      wake->committed = true;
    }
    wake->changed.notify_all();
  });
}

Sequencer::~Sequencer() { Stop(); }

void Sequencer::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Sequencer::Stop() {
  {
    const std::lock_guard lock(wake_->mutex);
    wake_->stopping = true;
  }
  wake_->changed.notify_all();
  if (!thread_.joinable()) return;
  thread_.join();
  // Another replica would otherwise wait for the lease to expire, no more.
  database_
      .Transact(SequencerCaller(),
                [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                  transaction.Write({kGiveUpLease, {holder_}});
                  return Outcome{};
                })
      .status()
      .IgnoreError();
}

bool Sequencer::WaitForCommit(absl::Duration pause) {
  // By the steady clock: with absl's timed waits, which go by the clock of the
  // day, the feed would stand for as long as that is set back.
  std::unique_lock lock(wake_->mutex);
  wake_->changed.wait_for(
      lock, absl::ToChronoMicroseconds(options_.poll_interval),
      [this] { return wake_->committed || wake_->stopping; });
  wake_->changed.wait_for(lock, absl::ToChronoMicroseconds(pause),
                          [this] { return wake_->stopping; });
  wake_->committed = false;
  return !wake_->stopping;
}

void Sequencer::Loop() {
  std::optional<int64_t> announced;
  bool more = false;
  absl::Duration taken;
  do {
    const auto begin = std::chrono::steady_clock::now();
    // A pass that fails is made again: nothing of it was kept.
    const absl::StatusOr<Pass> pass = RunOnce();
    taken = absl::FromChrono(std::chrono::steady_clock::now() - begin);
    more = pass.ok() && pass->more;
    if (pass.ok() && options_.on_head && announced != pass->head) {
      announced = pass->head;
      options_.on_head(pass->head);
    }
  } while (more ||
           WaitForCommit(std::clamp(kPausePerPass * taken, options_.pause,
                                    options_.longest_pause)));
}

absl::StatusOr<bool> Sequencer::SomethingToDo(int64_t& head) {
  bool something = false;
  RETURN_IF_ERROR(database_.View(
      SequencerCaller(), [&](Transaction& transaction) -> absl::Status {
        std::vector<Statement> statements = {{kLook, {}}};
        for (const Step& step : options_.steps) {
          statements.push_back({step.pending, {}});
        }
        ASSIGN_OR_RETURN(const std::vector<Result> results,
                         transaction.QueryTogether(std::move(statements)));
        head = results[0].rows.at(0).Integer(0);
        something = results[0].rows.at(0).Integer(1) != 0;
        for (std::size_t i = 1; i < results.size(); ++i) {
          something |= !results[i].rows.empty();
        }
        return absl::OkStatus();
      }));
  return something;
}

absl::StatusOr<Sequencer::Pass> Sequencer::RunOnce() {
  Pass pass;
  ASSIGN_OR_RETURN(const bool something, SomethingToDo(pass.head));
  if (!something) return pass;
  const Pass before = pass;
  RETURN_IF_ERROR(
      database_
          .Transact(
              SequencerCaller(),
              [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                pass = before;
                ASSIGN_OR_RETURN(const std::vector<Result> results,
                                 transaction.QueryTogether(
                                     {{kTakeLease,
                                       {holder_, absl::ToInt64Microseconds(
                                                     options_.lease_time)}},
                                      {kHead, {}},
                                      {kWaiting, {int64_t{options_.batch}}}}));
                // Nothing without the lease.
                if (results[0].rows.empty()) return Outcome{};
                pass.worked = true;
                pass.fencing = results[0].rows[0].Integer(0);
                const int64_t head = results[1].rows.at(0).Integer(0);
                GivePositions(transaction, head, results[2].rows);
                pass.positions = static_cast<int64_t>(results[2].rows.size());
                pass.head = head + pass.positions;
                pass.more = pass.positions == options_.batch;
                for (const Step& step : options_.steps) {
                  ASSIGN_OR_RETURN(const bool more, step.run(transaction));
                  pass.more |= more;
                }
                return Outcome{};
              })
          .status());
  return pass;
}

}  // namespace parcours::storage
