#include "common/storage/sealing_of_before.h"

#include <algorithm>
#include <cstdint>

#include "common/text/view.h"

namespace parcours::storage {
namespace {

// Of a page, and pages of a step: other work waits meanwhile.
constexpr int64_t kRows = 200;
constexpr int kPages = 20;

constexpr char kSealedText[] = "\x01%";

}  // namespace

absl::StatusOr<bool> SealingOfBefore::Step(const access::Caller& caller) {
  for (int page = 0; page < kPages && part_ < parts_.size(); ++page) {
    const Part& part = parts_[part_];
    // By the key, and without a lock: mostly nothing is left.
    std::string last;
    bool found = false;
    RETURN_IF_ERROR(
        database_.View(caller, [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(
              const Rows rows,
              transaction.Query(
                  {.sql = Cat("SELECT name, CASE WHEN ", part.condition,
                              " THEN 1 ELSE 0 END FROM ", part.table,
                              " WHERE name > $2 ORDER BY name LIMIT $3"),
                   .values = {std::string(kSealedText), after_, kRows}}));
          last = rows.empty() ? "" : rows.back().Text(0);
          found = std::any_of(rows.begin(), rows.end(), [](const Row& row) {
            return row.Integer(1) == 1;
          });
          return absl::OkStatus();
        }));
    if (last.empty()) {
      ++part_;
      after_.clear();
      continue;
    }
    if (found) RETURN_IF_ERROR(SealPage(caller, part, last));
    after_ = last;
  }
  return part_ < parts_.size();
}

absl::Status SealingOfBefore::SealPage(const access::Caller& caller,
                                       const Part& part,
                                       const std::string& last) {
  const auto seal = [&](Transaction& transaction) -> absl::StatusOr<Outcome> {
    RETURN_IF_ERROR(part.seal(
        transaction, Cat("name > $2 AND name <= $3 AND (", part.condition, ")"),
        {std::string(kSealedText), after_, last}));
    return Outcome{.name = last};
  };
  return database_.Transact(caller, seal).status();
}

}  // namespace parcours::storage
