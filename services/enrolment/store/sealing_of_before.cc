#include "services/enrolment/store/sealing_of_before.h"

#include <algorithm>
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

// Of a page, and pages of a step: other work waits meanwhile.
constexpr int64_t kRows = 200;
constexpr int kPages = 20;

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
  for (int page = 0; page < kPages && table_ < Tables().size(); ++page) {
    const TableOfBefore& table = Tables()[table_];
    const Values values{std::string("\x01%"), std::string("%\n%")};
    // By the key, and without a lock: mostly nothing is left.
    std::string last;
    bool found = false;
    RETURN_IF_ERROR(
        database_.View(caller, [&](Transaction& transaction) -> absl::Status {
          Values bound = values;
          bound.emplace_back(after_);
          bound.emplace_back(kRows);
          ASSIGN_OR_RETURN(
              const Rows rows,
              transaction.Query(
                  {.sql = Cat("SELECT name, CASE WHEN ", table.condition,
                              " OR $2 = '' THEN 1 ELSE 0 END FROM ", table.name,
                              " WHERE name > $3 ORDER BY name LIMIT $4"),
                   .values = std::move(bound)}));
          last = rows.empty() ? "" : rows.back().Text(0);
          found = std::any_of(rows.begin(), rows.end(), [](const Row& row) {
            return row.Integer(1) == 1;
          });
          return absl::OkStatus();
        }));
    if (last.empty()) {
      ++table_;
      after_.clear();
      continue;
    }
    if (found) {
      const auto seal =
          [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
        Values bound = values;
        bound.emplace_back(after_);
        bound.emplace_back(last);
        RETURN_IF_ERROR(table.seal(transaction,
                                   Cat("name > $3 AND name <= $4 AND (",
                                       table.condition, " OR $2 = '')"),
                                   std::move(bound)));
        return Outcome{.name = last};
      };
      RETURN_IF_ERROR(database_.Transact(caller, seal).status());
    }
    after_ = last;
    if (found) return true;
  }
  return table_ < Tables().size();
}

}  // namespace parcours::enrolment
