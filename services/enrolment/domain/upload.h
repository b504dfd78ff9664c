#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_UPLOAD_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_UPLOAD_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/enrolment/domain/names.h"

namespace parcours::enrolment {

// A file that was received whole and belongs to nothing yet.
struct FinishedUpload {
  UploadName name;
  std::string sha256;
};

// A file of an application.
struct PieceFile {
  int64_t byte_size = 0;
  // The bytes, when they are needed. INTERNAL when they cannot be read.
  std::function<absl::StatusOr<std::string>()> read;
};

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_UPLOAD_H_
