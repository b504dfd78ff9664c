#include "services/scheduling/store/sealing_of_before.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "common/status/macros.h"
#include "services/scheduling/store/tables.h"

namespace parcours::scheduling {
namespace {

constexpr int64_t kEntries = 200;

// Sealed text begins with $1.
constexpr char kClear[] =
    "(witness <> '' OR statement <> '' OR reason <> '')"
    " AND ((statement <> '' AND statement NOT LIKE $1)"
    " OR (reason <> '' AND reason NOT LIKE $1)) AND name > $2";

}  // namespace

absl::StatusOr<bool> SealingOfBefore::Step(const access::Caller& caller) {
  const storage::Values values{std::string("\x01%"), after_, kEntries};
  // Looked for without a lock: mostly there is nothing.
  bool found = false;
  RETURN_IF_ERROR(database_.View(
      caller, [&](storage::Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const std::vector<AttendanceEntry> entries,
                         storage::SelectInto(transaction, EntryTable(), kClear,
                                             values, "ORDER BY name LIMIT $3"));
        found = !entries.empty();
        return absl::OkStatus();
      }));
  if (!found) return false;
  std::string last;
  const auto seal = [&](storage::Transaction& transaction)
      -> absl::StatusOr<storage::Outcome> {
    ASSIGN_OR_RETURN(
        const std::vector<AttendanceEntry> entries,
        storage::SelectInto(transaction, EntryTable(), kClear, values,
                            "ORDER BY name LIMIT $3 {for_update}"));
    for (const AttendanceEntry& entry : entries) {
      ASSIGN_OR_RETURN(auto sealed,
                       EntryTable().Seal(entry, transaction.person_keys()));
      transaction.Write(EntryTable().Update(entry, std::move(sealed)));
    }
    last = entries.empty() ? after_ : entries.back().name.text();
    return storage::Outcome{.name = last};
  };
  RETURN_IF_ERROR(database_.Transact(caller, seal).status());
  after_ = last;
  return true;
}

}  // namespace parcours::scheduling
