#include "common/audit/read_journal.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "common/audit/trail.h"
#include "common/status/error.h"
#include "common/storage/audit_row.h"
#include "common/telemetry/log.h"
#include "common/text/view.h"

namespace parcours::audit {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(1);

std::size_t BytesOf(const std::vector<Entry>& entries) {
  std::size_t bytes = 0;
  for (const Entry& entry : entries) {
    bytes += sizeof(Entry) + entry.subject.size() + entry.method.size();
    for (const Resource& resource : entry.resources) {
      bytes += sizeof(Resource) + resource.name.size();
    }
  }
  return bytes;
}

}  // namespace

BufferedReadJournal::BufferedReadJournal(storage::Database& database,
                                         telemetry::Metrics& metrics,
                                         Options options)
    : database_(database),
      options_(options),
      waiting_gauge_(metrics.MakeGauge(
          "parcours_audit_reads_waiting",
          "Entries of reads that are in memory and not in the database.")),
      buffered_(metrics.MakeCounter(
          "parcours_audit_reads_total",
          "Entries of reads, by whether they waited in memory.", "path",
          "buffered")),
      written_through_(metrics.MakeCounter(
          "parcours_audit_reads_total",
          "Entries of reads, by whether they waited in memory.", "path",
          "written_through")),
      failures_(metrics.MakeCounter(
          "parcours_audit_write_failures_total",
          "Attempts to write entries of reads that the database refused.")) {
  thread_ = std::thread([this] { Loop(); });
}

BufferedReadJournal::~BufferedReadJournal() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
  const absl::Status status = Flush();
  if (status.ok()) return;
  const std::lock_guard lock(mutex_);
  telemetry::Log(telemetry::LogLevel::kError, "reads were not audited",
                 {{"count", static_cast<int64_t>(waiting_.size())},
                  {"error", StdView(status.message())}});
}

bool BufferedReadJournal::TryBuffer(std::vector<Entry>& entries) {
  const std::size_t bytes = BytesOf(entries);
  const std::lock_guard lock(mutex_);
  if (stopping_ || held_ + entries.size() > options_.capacity ||
      held_bytes_ + bytes > options_.capacity_bytes) {
    return false;
  }
  held_ += entries.size();
  held_bytes_ += bytes;
  std::move(entries.begin(), entries.end(), std::back_inserter(waiting_));
  waiting_gauge_.Set(static_cast<double>(held_));
  if (held_ * 2 >= options_.capacity ||
      held_bytes_ * 2 >= options_.capacity_bytes) {
    hurry_ = true;
    wake_.notify_one();
  }
  return true;
}

absl::Status BufferedReadJournal::Record(
    const access::Caller& caller, absl::Span<const std::string> resources,
    bool before_answer) {
  std::vector<Resource> read;
  read.reserve(resources.size());
  for (const std::string& name : resources) read.push_back({name});
  std::vector<Entry> entries =
      EntriesOf(caller, Action::kRead, read, absl::Now());
  const auto count = static_cast<double>(entries.size());
  if (!before_answer && TryBuffer(entries)) {
    buffered_.Increment(count);
    return absl::OkStatus();
  }
  const absl::Status status = Write(
      entries, std::min(caller.deadline, absl::Now() + options_.flush_timeout));
  if (status.ok()) written_through_.Increment(count);
  // A read may be made again, whatever became of its entry.
  if (ReasonOf(status) == Reason::kCommitInDoubt) {
    return WithRetryAfter(MakeError(Reason::kDatabaseUnavailable), kRetryAfter);
  }
  return status;
}

absl::Status BufferedReadJournal::Write(const std::vector<Entry>& entries,
                                        absl::Time deadline) {
  absl::Status status =
      database_
          .Transact(
              TrailCaller(deadline),
              [&](storage::Transaction& transaction) {
                for (const Entry& entry : entries) {
                  transaction.Write(storage::InsertAuditEntry(entry));
                }
                return absl::StatusOr<storage::Outcome>(storage::Outcome{});
              })
          .status();
  if (!status.ok()) failures_.Increment();
  return status;
}

absl::Status BufferedReadJournal::Flush() {
  const std::lock_guard one_at_a_time(flushing_);
  std::vector<Entry> batch;
  {
    const std::lock_guard lock(mutex_);
    batch = std::exchange(waiting_, {});
    hurry_ = false;
  }
  if (batch.empty()) return absl::OkStatus();
  absl::Status status = Write(batch, absl::Now() + options_.flush_timeout);
  const std::lock_guard lock(mutex_);
  if (status.ok()) {
    held_ -= batch.size();
    held_bytes_ -= BytesOf(batch);
    waiting_gauge_.Set(static_cast<double>(held_));
  } else {
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(batch));
    waiting_ = std::move(batch);
  }
  return status;
}

void BufferedReadJournal::Loop() {
  bool failing = false;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      // After a failure, half of the room is taken for longer: only the
      // interval counts then.
      wake_.wait_until(
          lock, absl::ToChronoTime(absl::Now() + options_.flush_interval),
          [&] { return stopping_ || (hurry_ && !failing); });
      if (stopping_) return;
    }
    const absl::Status status = Flush();
    if (!status.ok() && !failing) {
      telemetry::Log(telemetry::LogLevel::kError,
                     "reads wait to be audited: the database refuses them",
                     {{"error", StdView(status.message())}});
    }
    failing = !status.ok();
  }
}

}  // namespace parcours::audit
