#include "services/enrolment/rpc/piece_limits.h"

#include "common/documents/pdf_uploads.h"

namespace parcours::enrolment {

documents::UploadLimits PieceLimits(const std::string& inspector) {
  return documents::PdfUploads({.program = inspector});
}

}  // namespace parcours::enrolment
