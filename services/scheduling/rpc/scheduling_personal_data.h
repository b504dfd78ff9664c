#ifndef PARCOURS_SERVICES_SCHEDULING_RPC_SCHEDULING_PERSONAL_DATA_H_
#define PARCOURS_SERVICES_SCHEDULING_RPC_SCHEDULING_PERSONAL_DATA_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/privacy/personal_data.h"
#include "services/scheduling/rpc/dependencies.h"

namespace parcours::scheduling {

// What scheduling does about the persons in its record. Thread-safe.
class SchedulingPersonalData final : public privacy::PersonalData {
 public:
  explicit SchedulingPersonalData(Dependencies dependencies)
      : dependencies_(std::move(dependencies)) {}

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

}  // namespace parcours::scheduling

#endif  // PARCOURS_SERVICES_SCHEDULING_RPC_SCHEDULING_PERSONAL_DATA_H_
