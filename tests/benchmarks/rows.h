#ifndef PARCOURS_TESTS_BENCHMARKS_ROWS_H_
#define PARCOURS_TESTS_BENCHMARKS_ROWS_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace parcours::benchmarks {

// One figure and what it stands beside: README.md says what each part means.
struct BenchRow {
  std::string group;
  std::string name;
  double value = 0;
  std::string unit;
  std::string reference_name = "";
  std::optional<double> reference = std::nullopt;
  std::optional<double> ratio = std::nullopt;
  std::optional<std::pair<double, double>> ratio_range = std::nullopt;
  std::string aim = "";
  std::string note = "";
};

// Writes the rows to `file`.json in the folder PARCOURS_BENCH_ROWS, or prints
// them where that is not set. Ends the program when it cannot.
void WriteRows(const std::string& file, const std::vector<BenchRow>& rows);

// The middle of `values`. REQUIRES: there is one.
double Median(std::vector<double> values);
// The value below which `share` of them lie. REQUIRES: there is one.
double Quantile(std::vector<double> values, double share);

// What was measured in turns with its reference, turn by turn.
struct Comparison {
  std::vector<double> values;
  std::vector<double> references;
};
// `row` with the medians of both, and the median and the middle half of the
// ratios of the turns. REQUIRES: both have the same number, at least one.
BenchRow Compared(BenchRow row, const Comparison& comparison);

}  // namespace parcours::benchmarks

#endif  // PARCOURS_TESTS_BENCHMARKS_ROWS_H_
