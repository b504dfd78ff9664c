#ifndef PARCOURS_COMMON_STORAGE_SEALING_OF_BEFORE_H_
#define PARCOURS_COMMON_STORAGE_SEALING_OF_BEFORE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/status/macros.h"
#include "common/storage/database.h"
#include "common/storage/table.h"
#include "common/text/view.h"

namespace parcours::storage {

// Seals what was written before persons had keys, once through the tables:
// neither versions nor the change feed tell of it, for nobody reads anything
// else. What is nobody's stays as it is. Not thread-safe.
class SealingOfBefore {
 public:
  // What there is to seal in one table.
  struct Part {
    std::string table;
    // Of rows where something is not sealed; $1 is what sealed text is like.
    std::string condition;
    // Seals the rows that are selected, within the transaction.
    std::function<absl::Status(Transaction& transaction,
                               const std::string& where, Values values)>
        seal;
  };

  // `table` outlives the process. `prepare` sees each row first, to change what
  // is kept with it; `also` is the condition of rows that it is to see besides.
  template <typename Resource>
  static Part PartOf(
      const Table<Resource>& table,
      std::function<absl::Status(Transaction&, std::type_identity_t<Resource>&)>
          prepare = nullptr,
      std::string_view also = "1 = 0") {
    const auto seal = [&table, prepare = std::move(prepare)](
                          Transaction& transaction, const std::string& where,
                          Values values) -> absl::Status {
      ASSIGN_OR_RETURN(std::vector<Resource> resources,
                       SelectInto(transaction, table, where, std::move(values),
                                  "ORDER BY name {for_update}"));
      for (Resource& resource : resources) {
        if (prepare) RETURN_IF_ERROR(prepare(transaction, resource));
        ASSIGN_OR_RETURN(auto sealed,
                         table.Seal(resource, transaction.person_keys()));
        transaction.Write(table.Update(resource, std::move(sealed)));
      }
      return absl::OkStatus();
    };
    return {.table = table.name(),
            .condition = Cat(table.WhereNotSealed("$1"), " OR ", also),
            .seal = seal};
  }

  // `database` outlives this.
  SealingOfBefore(Database& database, std::vector<Part> parts)
      : database_(database), parts_(std::move(parts)) {}

  // The next rows, some thousands, each page of them in one transaction; false
  // when nothing is left. Errors of Transact and of PersonKeys: the next call
  // goes on where this one stopped.
  absl::StatusOr<bool> Step(const access::Caller& caller);

 private:
  absl::Status SealPage(const access::Caller& caller, const Part& part,
                        const std::string& last);

  Database& database_;
  const std::vector<Part> parts_;
  // Which of the parts, and up to which row of it everything is sealed.
  std::size_t part_ = 0;
  std::string after_;
};

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_SEALING_OF_BEFORE_H_
