#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_ENROLMENT_PERSONAL_DATA_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_ENROLMENT_PERSONAL_DATA_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/privacy/personal_data.h"
#include "services/enrolment/domain/erasure_use_cases.h"
#include "services/enrolment/domain/upload.h"
#include "services/enrolment/rpc/dependencies.h"

namespace parcours::enrolment {

// Finds the file of an upload, for who may see what took it; nothing when it is
// gone.
using FindPieceFile = std::function<absl::StatusOr<std::optional<PieceFile>>(
    const access::Caller& caller, const UploadName& upload)>;

// What enrolment does about the persons in its record. Thread-safe.
class EnrolmentPersonalData final : public privacy::PersonalData {
 public:
  EnrolmentPersonalData(Dependencies dependencies, ErasurePorts ports,
                        FindPieceFile find_file)
      : dependencies_(std::move(dependencies)),
        ports_(std::move(ports)),
        find_file_(std::move(find_file)) {}

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
  const ErasurePorts ports_;
  const FindPieceFile find_file_;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_ENROLMENT_PERSONAL_DATA_H_
