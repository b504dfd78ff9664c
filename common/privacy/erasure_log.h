#ifndef PARCOURS_COMMON_PRIVACY_ERASURE_LOG_H_
#define PARCOURS_COMMON_PRIVACY_ERASURE_LOG_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace parcours::privacy {

// Who was to be erased, outside of the database and of its backups.
class ErasureLog {
 public:
  virtual ~ErasureLog() = default;
  // Notes `person` for ever, before the transaction that erases them commits:
  // what was noted and not committed is done when the log is replayed.
  // Thread-safe. UNAVAILABLE when it cannot be kept: then nothing is erased.
  virtual absl::Status Append(const std::string& person, absl::Time now) = 0;
};

// One line to an erasure: time and name of the person. Thread-safe; several
// processes may append to one file.
class FileErasureLog final : public ErasureLog {
 public:
  // `path` is made, mode 0600, with the first line.
  explicit FileErasureLog(std::filesystem::path path)
      : path_(std::move(path)) {}

  absl::Status Append(const std::string& person, absl::Time now) override;

  // The persons, in their order, each once; none without the file. A last line
  // without its end was cut off by a crash and is passed over; the next Append
  // takes it away.
  // FAILED_PRECONDITION, naming the line, for any other line that is none.
  absl::StatusOr<std::vector<std::string>> Read() const;

 private:
  const std::filesystem::path path_;
  absl::Mutex mutex_;
};

}  // namespace parcours::privacy

#endif  // PARCOURS_COMMON_PRIVACY_ERASURE_LOG_H_
