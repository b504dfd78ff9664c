#ifndef PARCOURS_SERVICES_EVALUATION_STORE_SQL_EVALUATION_STORE_H_
#define PARCOURS_SERVICES_EVALUATION_STORE_SQL_EVALUATION_STORE_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/storage/database.h"
#include "services/evaluation/domain/evaluation_store.h"

namespace parcours::evaluation {

// EvaluationStore in SQL, the same on both engines. Thread-safe.
class SqlEvaluationStore final : public EvaluationStore {
 public:
  // `database` outlives the store.
  explicit SqlEvaluationStore(storage::Database& database)
      : database_(database) {}

  absl::Status View(
      const access::Caller& caller,
      absl::FunctionRef<absl::Status(EvaluationUnit&)> body) override;

  absl::StatusOr<ChangeOutcome> Change(
      const access::Caller& caller,
      absl::FunctionRef<absl::StatusOr<std::string>(EvaluationUnit&)> body)
      override;

 private:
  storage::Database& database_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_STORE_SQL_EVALUATION_STORE_H_
