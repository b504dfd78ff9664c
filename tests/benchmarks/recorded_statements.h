#ifndef PARCOURS_TESTS_BENCHMARKS_RECORDED_STATEMENTS_H_
#define PARCOURS_TESTS_BENCHMARKS_RECORDED_STATEMENTS_H_

#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace parcours::benchmarks {

// One statement as it was run.
struct RecordedStatement {
  std::string sql;
  std::vector<nlohmann::json> values;
};
// What shared a round trip.
using RecordedBatch = std::vector<RecordedStatement>;
// From BEGIN to COMMIT.
using RecordedTransaction = std::vector<RecordedBatch>;

// The transactions of a file of recording_sessions.cc that have a statement
// which begins with `marker` and were committed, in their order.
std::vector<RecordedTransaction> ReadTransactions(const std::string& path,
                                                  const std::string& marker);

// A script of pgbench, for -M prepared, that runs the statements of `first`
// again and again in pipelines of the same round trips. Values that are the
// same in `second`, another transaction of the same kind, stay as they are;
// others are made different in each run by the variable `n` of each client, to
// be set at the start. With `cohorts` above 1, runs go by turns to that many
// cohorts, whose names differ from `cohort` in their last two digits, upwards.
std::string PgbenchScript(const RecordedTransaction& first,
                          const RecordedTransaction& second,
                          const std::string& cohort, int cohorts);

// The values of `first` that name uploads and are not in `second`.
std::vector<std::string> UploadsOf(const RecordedTransaction& first,
                                   const RecordedTransaction& second);

// How many runs each client of PgbenchScript may make.
inline constexpr int kMostRunsOfClient = 100'000;

}  // namespace parcours::benchmarks

#endif  // PARCOURS_TESTS_BENCHMARKS_RECORDED_STATEMENTS_H_
