#ifndef PARCOURS_COMMON_PLATFORM_RETENTION_H_
#define PARCOURS_COMMON_PLATFORM_RETENTION_H_

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/rules/rule_book.h"
#include "common/storage/database.h"

namespace parcours::platform {

// Forgets what the platform keeps for a time only, once per day of business
// time: rows of the change feed after the rule retention.change_feed, request
// ids after retention.request_ids. Thread-safe.
class Retention {
 public:
  // Both outlive this.
  Retention(storage::Database& database, const rules::RuleBook& rules)
      : database_(database), rules_(rules) {}

  // Does what is due at the business time `now`, until `deadline` in real time.
  absl::Status Run(absl::Time now, absl::Time deadline);

 private:
  storage::Database& database_;
  const rules::RuleBook& rules_;
  absl::Mutex mutex_;
  absl::Time next_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_RETENTION_H_
