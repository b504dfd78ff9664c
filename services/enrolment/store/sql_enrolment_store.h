#ifndef PARCOURS_SERVICES_ENROLMENT_STORE_SQL_ENROLMENT_STORE_H_
#define PARCOURS_SERVICES_ENROLMENT_STORE_SQL_ENROLMENT_STORE_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/access/caller.h"
#include "common/storage/database.h"
#include "services/enrolment/domain/enrolment_store.h"

namespace parcours::enrolment {

// EnrolmentStore in SQL, the same on both engines. Thread-safe.
class SqlEnrolmentStore final : public EnrolmentStore {
 public:
  // `database` outlives the store.
  explicit SqlEnrolmentStore(storage::Database& database)
      : database_(database) {}

  absl::Status View(
      const access::Caller& caller,
      absl::FunctionRef<absl::Status(EnrolmentUnit&)> body) override;

  absl::StatusOr<ChangeOutcome> Change(
      const access::Caller& caller,
      absl::FunctionRef<absl::StatusOr<std::string>(EnrolmentUnit&)> body)
      override;

 private:
  storage::Database& database_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_STORE_SQL_ENROLMENT_STORE_H_
