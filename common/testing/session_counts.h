#ifndef PARCOURS_COMMON_TESTING_SESSION_COUNTS_H_
#define PARCOURS_COMMON_TESTING_SESSION_COUNTS_H_

#include <atomic>
#include <functional>
#include <memory>

#include "common/storage/session.h"

namespace parcours::testing {

// Counts how often somebody waited for the answer of a database: on PostgreSQL,
// the round trips.
//
//   SessionCounts counts;
//   test_database.options().decorate_session = counts.Decorator();
//
// Outlives the database. Thread-safe.
class SessionCounts {
 public:
  int round_trips() const { return round_trips_; }

  std::function<
      std::unique_ptr<storage::Session>(std::unique_ptr<storage::Session>)>
  Decorator();

 private:
  std::atomic<int> round_trips_ = 0;
};

}  // namespace parcours::testing

#endif  // PARCOURS_COMMON_TESTING_SESSION_COUNTS_H_
