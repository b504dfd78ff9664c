#include "services/enrolment/store/sealing_of_before.h"

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/status/macros.h"
#include "common/text/view.h"
#include "services/enrolment/store/candidate_digest.h"
#include "services/enrolment/store/tables.h"

namespace parcours::enrolment {
namespace {

using storage::Outcome;
using storage::Row;
using storage::Rows;
using storage::Transaction;
using storage::Values;

constexpr int64_t kRows = 200;

// $1 is what sealed text begins with, $2 a key of a candidate.
std::string Clear(std::string_view column) {
  return Cat("(", column, " <> '' AND ", column, " NOT LIKE $1)");
}

struct TableOfBefore {
  std::string name;
  std::string condition;
  // Seals the rows between $3 and $4.
  absl::Status (*seal)(Transaction&, const std::string& where, Values values);
};

template <typename Resource>
absl::Status SealRows(Transaction& transaction,
                      const storage::Table<Resource>& table,
                      const std::string& where, Values values) {
  ASSIGN_OR_RETURN(
      std::vector<Resource> resources,
      storage::SelectInto(transaction, table, where, std::move(values),
                          "ORDER BY name {for_update}"));
  for (Resource& resource : resources) {
    if constexpr (std::is_same_v<Resource, Application>) {
      RETURN_IF_ERROR(KeepCandidateDigest(transaction.person_keys(), resource));
    }
    ASSIGN_OR_RETURN(auto sealed,
                     table.Seal(resource, transaction.person_keys()));
    transaction.Write(table.Update(resource, std::move(sealed)));
  }
  return absl::OkStatus();
}

const std::vector<TableOfBefore>& Tables() {
  static const auto& tables = *new std::vector<TableOfBefore>{
      {"person",
       Cat(Clear("birth_name"), " OR ", Clear("email"), " OR ", Clear("phone")),
       [](Transaction& transaction, const std::string& where, Values values) {
         return SealRows(transaction, PersonTable(), where, std::move(values));
       }},
      {"application",
       Cat(Clear("email"), " OR ", Clear("phone"),
           " OR candidate_key LIKE $2 OR decision LIKE '%\"reason\":%'"),
       [](Transaction& transaction, const std::string& where, Values values) {
         return SealRows(transaction, ApplicationTable(), where,
                         std::move(values));
       }},
      {"enrolment",
       Cat(Clear("end_reason"), " OR ", Clear("commitment_reference")),
       [](Transaction& transaction, const std::string& where, Values values) {
         return SealRows(transaction, EnrolmentTable(), where,
                         std::move(values));
       }}};
  return tables;
}

}  // namespace

absl::StatusOr<bool> SealingOfBefore::Step(const access::Caller& caller) {
  while (table_ < Tables().size()) {
    const TableOfBefore& table = Tables()[table_];
    Values values{std::string("\x01%"), std::string("%\n%")};
    // Looked for without a lock: it is a look at every row.
    std::string last;
    RETURN_IF_ERROR(
        database_.View(caller, [&](Transaction& transaction) -> absl::Status {
          Values bound = values;
          bound.emplace_back(after_);
          bound.emplace_back(kRows);
          ASSIGN_OR_RETURN(
              const Rows rows,
              transaction.Query(
                  {.sql = Cat("SELECT name FROM ", table.name,
                              " WHERE name > $3 AND (", table.condition,
                              " OR $2 = '') ORDER BY name"
                              " LIMIT $4"),
                   .values = std::move(bound)}));
          last = rows.empty() ? "" : rows.back().Text(0);
          return absl::OkStatus();
        }));
    if (last.empty()) {
      ++table_;
      after_.clear();
      continue;
    }
    RETURN_IF_ERROR(
        database_
            .Transact(caller,
                      [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
                        Values bound = values;
                        bound.emplace_back(after_);
                        bound.emplace_back(last);
                        RETURN_IF_ERROR(
                            table.seal(transaction,
                                       Cat("name > $3 AND name <= $4 AND (",
                                           table.condition, " OR $2 = '')"),
                                       std::move(bound)));
                        return Outcome{.name = last};
                      })
            .status());
    after_ = last;
    return true;
  }
  return false;
}

}  // namespace parcours::enrolment
