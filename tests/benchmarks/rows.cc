#include "tests/benchmarks/rows.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "nlohmann/json.hpp"

namespace parcours::benchmarks {

void WriteRows(const std::string& file, const std::vector<BenchRow>& rows) {
  nlohmann::json list = nlohmann::json::array();
  for (const BenchRow& row : rows) {
    nlohmann::json one = {{"group", row.group},
                          {"name", row.name},
                          {"value", row.value},
                          {"unit", row.unit}};
    if (!row.reference_name.empty()) one["reference_name"] = row.reference_name;
    if (row.reference) one["reference"] = *row.reference;
    if (row.ratio) one["ratio"] = *row.ratio;
    if (row.ratio_range) one["ratio_range"] = *row.ratio_range;
    if (!row.aim.empty()) one["aim"] = row.aim;
    if (!row.note.empty()) one["note"] = row.note;
    list.push_back(std::move(one));
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment.
  const char* const folder = std::getenv("PARCOURS_BENCH_ROWS");
  if (folder == nullptr) {
    std::printf("%s\n", list.dump(2).c_str());
    return;
  }
  std::ofstream out(std::string(folder) + "/" + file + ".json");
  out << list.dump(2) << "\n";
  out.close();
  if (!out.good()) {
    std::fprintf(stderr, "cannot write the rows of %s\n", file.c_str());
    std::exit(1);
  }
}

double Median(std::vector<double> values) {
  return Quantile(std::move(values), 0.5);
}

double Quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto index =
      static_cast<std::size_t>(share * static_cast<double>(values.size()));
  return values[std::min(index, values.size() - 1)];
}

BenchRow Compared(BenchRow row, const Comparison& comparison) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < comparison.values.size(); ++i) {
    ratios.push_back(comparison.values[i] / comparison.references[i]);
  }
  row.value = Median(comparison.values);
  row.reference = Median(comparison.references);
  row.ratio = Median(ratios);
  row.ratio_range = {Quantile(ratios, 0.25), Quantile(ratios, 0.75)};
  return row;
}

}  // namespace parcours::benchmarks
