#include "common/testing/raw_rows.h"

#include <cstddef>
#include <set>
#include <variant>

#include "common/status/macros.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::testing {
namespace {

std::string TextOf(const storage::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* blob = std::get_if<storage::Blob>(&value)) return blob->bytes;
  return "";
}

storage::Rows Select(storage::Database& database, const std::string& sql) {
  storage::Rows rows;
  const access::Caller reader{.scope = access::Scope::Installation()};
  EXPECT_OK(database.View(
      reader, [&](storage::Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(rows, transaction.Query({.sql = sql, .values = {}}));
        return absl::OkStatus();
      }));
  return rows;
}

storage::Rows Columns(storage::Database& database) {
  return Select(database, database.engine() == storage::Engine::kSqlite
                              ? "SELECT m.name, c.name FROM sqlite_master AS m,"
                                " pragma_table_info(m.name) AS c"
                                " WHERE m.type = 'table'"
                              : "SELECT table_name::text, column_name::text"
                                " FROM information_schema.columns"
                                " WHERE table_schema = 'public'");
}

}  // namespace

std::vector<std::string> FindEverywhere(storage::Database& database,
                                        const std::vector<std::string>& texts) {
  std::set<std::string> found;
  std::size_t values_read = 0;
  for (const storage::Row& column : Columns(database)) {
    const std::string name = Cat(column.Text(0), ".", column.Text(1));
    for (const storage::Row& row :
         Select(database,
                Cat("SELECT ", column.Text(1), " FROM ", column.Text(0)))) {
      ++values_read;
      const std::string stored = TextOf(row[0]);
      for (const std::string& text : texts) {
        if (stored.find(text) != std::string::npos) {
          found.insert(Cat(name, ": ", text));
        }
      }
    }
  }
  EXPECT_GT(values_read, 0U);
  return {found.begin(), found.end()};
}

std::vector<std::string> WhereStands(storage::Database& database,
                                     const std::string& text) {
  std::vector<std::string> found = FindEverywhere(database, {text});
  for (std::string& place : found) {
    place.erase(place.size() - Cat(": ", text).size());
  }
  return found;
}

std::vector<std::string> FirstColumn(storage::Database& database,
                                     const std::string& sql) {
  std::vector<std::string> texts;
  for (const storage::Row& row : Select(database, sql)) {
    texts.push_back(TextOf(row[0]));
  }
  return texts;
}

}  // namespace parcours::testing
