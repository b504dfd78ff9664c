#include "tests/benchmarks/recorded_statements.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "common/text/view.h"

namespace parcours::benchmarks {
namespace {

using nlohmann::json;

// A literal that pgbench, which replaces :name even within quotes, leaves
// alone.
std::string Quoted(std::string_view text) {
  std::string quoted = "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') {
      CatTo(quoted, "\\", std::string(1, c));
    } else if (c == ':' || static_cast<unsigned char>(c) < 0x20) {
      CatTo(quoted, absl::StrFormat("\\x%02x", static_cast<unsigned char>(c)));
    } else {
      quoted.push_back(c);
    }
  }
  return Cat(quoted, "'");
}

std::string QuotedBytes(const json& bytes) {
  std::string quoted = "'\\x";
  for (const json& byte : bytes) {
    CatTo(quoted, absl::StrFormat("%02x", byte.get<int>()));
  }
  return Cat(quoted, "'::bytea");
}

// Text in SQL, with the name of the cohort, wherever it stands, made another.
std::string TextOf(std::string_view text, bool varies,
                   const std::string& cohort, bool spread) {
  std::vector<std::string> parts;
  // Without the two digits.
  const std::string stem = cohort.substr(0, cohort.size() - 2);
  std::size_t from = 0;
  while (spread) {
    const std::size_t at = text.find(cohort, from);
    if (at == std::string_view::npos) break;
    parts.push_back(Quoted(Cat(text.substr(from, at - from), stem)));
    parts.emplace_back(":c");
    from = at + cohort.size();
  }
  if (from < text.size() || parts.empty()) {
    parts.push_back(Quoted(text.substr(from)));
  }
  if (varies) {
    parts.push_back(Quoted("."));
    parts.emplace_back(":i");
  }
  if (parts.size() == 1) return parts[0];
  std::string joined = "(";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    CatTo(joined, i == 0 ? "" : " || ", parts[i]);
  }
  return Cat(joined, ")");
}

std::string SqlOf(const json& value, const json& other,
                  const std::string& cohort, bool spread) {
  const bool varies = value != other;
  if (value.is_null()) return "NULL";
  if (value.is_number_integer()) {
    const auto number = value.get<int64_t>();
    return varies ? Cat("(", number, " + :i)") : Cat(number);
  }
  if (value.is_object()) return QuotedBytes(value["bytes"]);
  return TextOf(value.get<std::string>(), varies, cohort, spread);
}

// `statement` with its values in place of $1, $2, …
std::string Filled(const RecordedStatement& statement,
                   const RecordedStatement& other, const std::string& cohort,
                   bool spread) {
  std::string filled;
  const std::string& sql = statement.sql;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] != '$') {
      filled.push_back(sql[i]);
      continue;
    }
    std::size_t end = i + 1;
    while (end < sql.size() &&
           std::isdigit(static_cast<unsigned char>(sql[end])) != 0) {
      ++end;
    }
    const auto index = std::stoul(sql.substr(i + 1, end - i - 1)) - 1;
    CatTo(filled, SqlOf(statement.values.at(index), other.values.at(index),
                        cohort, spread));
    i = end - 1;
  }
  return filled;
}

}  // namespace

std::vector<RecordedTransaction> ReadTransactions(const std::string& path,
                                                  const std::string& marker) {
  std::vector<RecordedTransaction> found;
  std::map<int, RecordedTransaction> open;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const json record = json::parse(line);
    RecordedTransaction& transaction = open[record["session"].get<int>()];
    RecordedBatch batch;
    for (const json& statement : record["batch"]) {
      batch.push_back({statement["sql"].get<std::string>(),
                       statement["values"].get<std::vector<json>>()});
    }
    if (absl::StartsWith(batch.front().sql, "BEGIN")) transaction.clear();
    const bool commits = batch.back().sql == "COMMIT";
    transaction.push_back(std::move(batch));
    if (!commits) continue;
    const bool marked = std::any_of(
        transaction.begin(), transaction.end(), [&](const RecordedBatch& b) {
          return std::any_of(b.begin(), b.end(),
                             [&](const RecordedStatement& s) {
                               return absl::StartsWith(s.sql, marker);
                             });
        });
    if (marked) found.push_back(std::move(transaction));
    transaction.clear();
  }
  return found;
}

std::string PgbenchScript(const RecordedTransaction& first,
                          const RecordedTransaction& second,
                          const std::string& cohort, int cohorts) {
  const int first_digits = std::stoi(cohort.substr(cohort.size() - 2));
  std::string script =
      Cat("\\set n :n + 1\n\\set i :client_id * ", kMostRunsOfClient,
          " + :n\n\\set c ", first_digits, " + :i % ", cohorts, "\n");
  for (std::size_t b = 0; b < first.size(); ++b) {
    CatTo(script, "\\startpipeline\n");
    for (std::size_t s = 0; s < first[b].size(); ++s) {
      CatTo(script,
            Filled(first[b][s], second.at(b).at(s), cohort, cohorts > 1),
            ";\n");
    }
    CatTo(script, "\\endpipeline\n");
  }
  return script;
}

std::vector<std::string> UploadsOf(const RecordedTransaction& first,
                                   const RecordedTransaction& second) {
  std::set<std::string> uploads;
  for (std::size_t b = 0; b < first.size(); ++b) {
    for (std::size_t s = 0; s < first[b].size(); ++s) {
      const auto& values = first[b][s].values;
      if (first[b][s].sql.find(" FROM upload ") == std::string::npos) continue;
      if (!values.empty() && values[0].is_string() &&
          values[0] != second.at(b).at(s).values.at(0)) {
        uploads.insert(values[0].get<std::string>());
      }
    }
  }
  return {uploads.begin(), uploads.end()};
}

}  // namespace parcours::benchmarks
