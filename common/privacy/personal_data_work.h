#ifndef PARCOURS_COMMON_PRIVACY_PERSONAL_DATA_WORK_H_
#define PARCOURS_COMMON_PRIVACY_PERSONAL_DATA_WORK_H_

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/access/caller.h"
#include "common/documents/upload_store.h"
#include "common/storage/database.h"
#include "common/storage/person_keys.h"
#include "common/storage/sealing_of_before.h"

namespace parcours::privacy {

// What a step has come to that went well.
enum class StepEnd {
  kForNow,
  // Nothing is left to do as long as this process runs.
  kForGood,
};

// One thing that is done about persons' data without anybody asking for it.
struct PersonalDataStep {
  // As the log names it: "sealing".
  std::string name;
  std::function<absl::StatusOr<StepEnd>(const access::Caller& caller)> run;
};

// Erasures that were begun come to their end: see FinishErasures. An SQLite
// file, that of `database_url`, is written anew before an erasure is said to be
// done; one of more than 256 MiB is not, and the log asks for a VACUUM.
PersonalDataStep FinishingErasures(storage::Database& database,
                                   const std::string& database_url,
                                   const documents::UploadStore* uploads);
// What was written before there were keys is sealed; then it is over.
PersonalDataStep Sealing(storage::SealingOfBefore sealing);
// Keys are wrapped under the current master key: see RewrapAll. Never over, as
// a replica that was not restarted yet goes on under the former one.
PersonalDataStep WrappingAnew(storage::Database& database,
                              const storage::PersonSecrets& secrets,
                              const documents::UploadStore* uploads);

// Runs steps in turn, each whatever came of the others: a fault delays its own
// step and nothing else, and is logged at most once a minute. Thread-safe.
class PersonalDataWork {
 public:
  // `now` tells real time.
  explicit PersonalDataWork(std::vector<PersonalDataStep> steps,
                            std::function<absl::Time()> now = absl::Now);

  // Each step once, but for those that ended for good. `caller` is asked for
  // every step anew, so that none uses up the time of the next.
  void Run(absl::FunctionRef<access::Caller()> caller);

 private:
  struct State {
    PersonalDataStep step;
    bool ended = false;
    absl::Time quiet_until = absl::InfinitePast();
  };

  const std::function<absl::Time()> now_;
  std::mutex mutex_;
  std::vector<State> states_;  // guarded by mutex_
};

}  // namespace parcours::privacy

#endif  // PARCOURS_COMMON_PRIVACY_PERSONAL_DATA_WORK_H_
