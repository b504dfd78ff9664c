#include "common/documents/pdf_uploads.h"

namespace parcours::documents {

UploadLimits PdfUploads(const InspectorOptions& inspector) {
  UploadLimits limits;
  limits.content_types = {"application/pdf"};
  limits.inspect = [inspector](std::string_view, std::string_view bytes) {
    return InspectBytes(inspector, bytes).status();
  };
  return limits;
}

}  // namespace parcours::documents
