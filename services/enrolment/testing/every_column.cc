#include "services/enrolment/testing/every_column.h"

#include <cstddef>
#include <variant>

#include "common/status/macros.h"
#include "common/testing/status_matchers.h"
#include "common/text/view.h"
#include "gtest/gtest.h"

namespace parcours::enrolment {
namespace {

std::string TextOf(const storage::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* blob = std::get_if<storage::Blob>(&value)) return blob->bytes;
  return "";
}

}  // namespace

std::vector<std::string> FindEverywhere(storage::Database& database,
                                        const std::vector<std::string>& texts) {
  std::vector<std::string> found;
  const access::Caller reader{.scope = access::Scope::Installation()};
  int rows_read = 0;
  EXPECT_OK(database.View(
      reader, [&](storage::Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(
            const storage::Rows tables,
            transaction.Query(
                {.sql = database.engine() == storage::Engine::kSqlite
                            ? "SELECT name FROM sqlite_master"
                              " WHERE type = 'table'"
                            : "SELECT tablename::text FROM pg_tables"
                              " WHERE schemaname = 'public'",
                 .values = {}}));
        for (const storage::Row& table : tables) {
          ASSIGN_OR_RETURN(
              const storage::Rows rows,
              transaction.Query(
                  {.sql = Cat("SELECT * FROM ", table.Text(0)), .values = {}}));
          for (const storage::Row& row : rows) {
            ++rows_read;
            for (std::size_t i = 0; i < row.size(); ++i) {
              const std::string stored = TextOf(row[i]);
              for (const std::string& text : texts) {
                if (stored.find(text) != std::string::npos) {
                  found.push_back(Cat(table.Text(0), ": ", text));
                }
              }
            }
          }
        }
        return absl::OkStatus();
      }));
  EXPECT_GT(rows_read, 0);
  return found;
}

}  // namespace parcours::enrolment
