#ifndef PARCOURS_COMMON_TESTING_SESSION_FAULTS_H_
#define PARCOURS_COMMON_TESTING_SESSION_FAULTS_H_

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/storage/session.h"

namespace parcours::testing {

// Loses sessions of a database at chosen moments:
//
//   SessionFaults faults;
//   test_database.options().decorate_session = faults.Decorator();
//   …
//   faults.Inject(SessionFaults::kLoseAfterCommit);
//
// Outlives the database. Thread-safe.
class SessionFaults {
 public:
  enum Moment {
    // The next batch is not run.
    kLoseAtOnce,
    // The next batch that commits is not run.
    kLoseBeforeCommit,
    // The next batch that commits is run, and its answer lost.
    kLoseAfterCommit,
  };

  // At the next `times` such moments.
  void Inject(Moment moment, int times = 1);

  // Sessions lost until now.
  int lost() const;

  std::function<
      std::unique_ptr<storage::Session>(std::unique_ptr<storage::Session>)>
  Decorator();

 private:
  friend class FaultySession;

  // Whether a batch is hit at `moment`.
  bool Hits(Moment moment);

  mutable absl::Mutex mutex_;
  Moment moment_ ABSL_GUARDED_BY(mutex_) = kLoseAtOnce;
  int times_ ABSL_GUARDED_BY(mutex_) = 0;
  int lost_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace parcours::testing

#endif  // PARCOURS_COMMON_TESTING_SESSION_FAULTS_H_
