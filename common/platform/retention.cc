#include "common/platform/retention.h"

#include "common/status/macros.h"
#include "common/storage/feed.h"
#include "common/time/clock.h"

namespace parcours::platform {

absl::Status Retention::Run(absl::Time now, absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  if (now < next_) return absl::OkStatus();
  const absl::CivilDay today = ParisDay(now);
  ASSIGN_OR_RETURN(const rules::DatedRule feed,
                   rules_.AsOf("retention.change_feed", today));
  ASSIGN_OR_RETURN(const rules::DatedRule requests,
                   rules_.AsOf("retention.request_ids", today));
  RETURN_IF_ERROR(storage::TrimFeed(
      database_, ParisMidnight(today - feed.value), deadline));
  RETURN_IF_ERROR(storage::ForgetRequests(
      database_, ParisMidnight(today - requests.value), deadline));
  next_ = ParisMidnight(today + 1);
  return absl::OkStatus();
}

}  // namespace parcours::platform
