#ifndef PARCOURS_SERVICES_EVALUATION_RPC_EVALUATION_PERSONAL_DATA_H_
#define PARCOURS_SERVICES_EVALUATION_RPC_EVALUATION_PERSONAL_DATA_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/caller.h"
#include "common/privacy/legal_hold.h"
#include "common/privacy/personal_data.h"
#include "services/evaluation/rpc/dependencies.h"

namespace parcours::evaluation {

// What evaluation does about the persons in its record. Thread-safe.
class EvaluationPersonalData final : public privacy::PersonalData {
 public:
  explicit EvaluationPersonalData(Dependencies dependencies)
      : dependencies_(std::move(dependencies)) {}

  // Of juries, what they say of this member; of decisions on others, nothing.
  // Who is not known here has an empty export.
  absl::StatusOr<privacy::PersonExport> Export(
      const access::Caller& caller, const std::string& person) override;
  absl::StatusOr<std::vector<privacy::LegalHold>> Holds(
      const access::Caller& caller, const std::string& person) override;
  absl::StatusOr<std::vector<privacy::RetentionClass>> Due(
      const access::Caller& caller, const std::string& body) override;
  absl::StatusOr<std::vector<privacy::RetentionClass>> RemoveDue(
      const access::Caller& caller, const std::string& body,
      const std::function<absl::Status(
          const std::vector<privacy::RetentionClass>&)>& check) override;

 private:
  const Dependencies dependencies_;
};

}  // namespace parcours::evaluation

#endif  // PARCOURS_SERVICES_EVALUATION_RPC_EVALUATION_PERSONAL_DATA_H_
