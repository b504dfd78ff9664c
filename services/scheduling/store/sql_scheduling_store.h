#ifndef PARCOURS_SERVICES_SCHEDULING_STORE_SQL_SCHEDULING_STORE_H_
#define PARCOURS_SERVICES_SCHEDULING_STORE_SQL_SCHEDULING_STORE_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/storage/database.h"
#include "services/scheduling/domain/scheduling_store.h"

namespace parcours::scheduling {

// SchedulingStore in SQL, the same on both engines. Thread-safe.
class SqlSchedulingStore final : public SchedulingStore {
 public:
  // `database` outlives the store.
  explicit SqlSchedulingStore(storage::Database& database)
      : database_(database) {}

  absl::Status View(
      const access::Caller& caller,
      absl::FunctionRef<absl::Status(SchedulingUnit&)> body) override;

  absl::StatusOr<ChangeOutcome> Change(
      const access::Caller& caller,
      absl::FunctionRef<absl::StatusOr<std::string>(SchedulingUnit&)> body)
      override;

 private:
  storage::Database& database_;
};

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_STORE_SQL_SCHEDULING_STORE_H_
