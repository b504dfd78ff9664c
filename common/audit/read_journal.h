#ifndef PARCOURS_COMMON_AUDIT_READ_JOURNAL_H_
#define PARCOURS_COMMON_AUDIT_READ_JOURNAL_H_

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/audit/entry.h"
#include "common/rpc/read_journal.h"
#include "common/storage/database.h"
#include "common/telemetry/metrics.h"

namespace parcours::audit {

// Keeps reads of personal data in the audit trail of `database`.
//
// What must be kept before the answer is committed when Record returns; an
// error of the database takes the answer's place. Other reads wait in memory
// and are written together, in order, by a thread of their own: after
// `flush_interval` at the latest, sooner when half of the room is taken. A
// process that is killed loses the reads of its last flush_interval, and of a
// flush that was running. With no room left, as when the database is away,
// Record writes at once and passes the error on: reads are refused rather than
// not kept. A batch whose COMMIT went unanswered is written again, so that a
// read may stand twice.
//
// Thread-safe.
class BufferedReadJournal final : public rpc::ReadJournal {
 public:
  struct Options {
    // Real time.
    absl::Duration flush_interval = absl::Milliseconds(500);
    absl::Duration flush_timeout = absl::Seconds(5);
    // How many entries may wait, those being written included, and about how
    // many bytes of names.
    std::size_t capacity = 4096;
    std::size_t capacity_bytes = std::size_t{4} << 20;
  };

  // `database` outlives this.
  BufferedReadJournal(storage::Database& database, telemetry::Metrics& metrics,
                      Options options);
  BufferedReadJournal(storage::Database& database, telemetry::Metrics& metrics)
      : BufferedReadJournal(database, metrics, Options()) {}
  // Writes what waits; what the database does not take by then is lost, and
  // logged.
  ~BufferedReadJournal() override;
  BufferedReadJournal(const BufferedReadJournal&) = delete;
  BufferedReadJournal& operator=(const BufferedReadJournal&) = delete;

  absl::Status Record(const access::Caller& caller,
                      absl::Span<const std::string> resources,
                      bool before_answer) override;

  // Writes what waits, on the calling thread.
  absl::Status Flush();

 private:
  void Loop();
  // Errors of Database::Transact.
  absl::Status Write(const std::vector<Entry>& entries, absl::Time deadline);
  // Takes the entries into the buffer, if there is room.
  bool TryBuffer(std::vector<Entry>& entries);

  storage::Database& database_;
  const Options options_;
  telemetry::Gauge waiting_gauge_;
  telemetry::Counter buffered_;
  telemetry::Counter written_through_;
  telemetry::Counter failures_;

  // One flush at a time, so that the order stays.
  std::mutex flushing_;
  // Guards what follows.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Entry> waiting_;
  // Entries and bytes in `waiting_` and in the flush that runs.
  std::size_t held_ = 0;
  std::size_t held_bytes_ = 0;
  bool hurry_ = false;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace parcours::audit

#endif  // PARCOURS_COMMON_AUDIT_READ_JOURNAL_H_
