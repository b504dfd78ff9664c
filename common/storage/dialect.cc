#include "common/storage/dialect.h"

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "common/text/view.h"

namespace parcours::storage {
namespace {

struct Word {
  std::string_view word;
  std::string_view sqlite;
  std::string_view postgresql;
};

constexpr Word kWords[] = {
    {"for_update", "", "FOR UPDATE"},
    {"for_share", "", "FOR SHARE"},
    {"insertion_order", "INTEGER PRIMARY KEY AUTOINCREMENT",
     "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"},
    // SQLite compares text byte by byte unless told otherwise.
    {"key_text", "TEXT", "TEXT COLLATE \"C\""},
    {"database_time",
     "CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)",
     "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"},
};

}  // namespace

absl::StatusOr<std::string> InDialect(std::string_view sql, Engine engine) {
  std::string text;
  text.reserve(sql.size() + 32);
  bool quoted = false;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (!quoted && sql.substr(i, 2) == "--") {
      const std::size_t line_end = std::min(sql.find('\n', i), sql.size());
      text.append(sql.substr(i, line_end - i));
      i = line_end - 1;
      continue;
    }
    if (sql[i] == '\'') quoted = !quoted;
    if (sql[i] != '{' || quoted) {
      text.push_back(sql[i]);
      continue;
    }
    const std::size_t end = sql.find('}', i);
    const std::string_view name = end == std::string_view::npos
                                      ? sql.substr(i + 1)
                                      : sql.substr(i + 1, end - i - 1);
    const Word* found = nullptr;
    for (const Word& word : kWords) {
      if (word.word == name) found = &word;
    }
    if (found == nullptr) {
      return absl::InternalError(Cat("no dialect has the word {", name, "}"));
    }
    text.append(engine == Engine::kSqlite ? found->sqlite : found->postgresql);
    i = end;
  }
  return text;
}

}  // namespace parcours::storage
