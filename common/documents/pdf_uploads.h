#ifndef PARCOURS_COMMON_DOCUMENTS_PDF_UPLOADS_H_
#define PARCOURS_COMMON_DOCUMENTS_PDF_UPLOADS_H_

#include "common/documents/inspect.h"
#include "common/documents/upload_service.h"

namespace parcours::documents {

// The limits of uploads that are to be PDFs: nothing else may be announced, and
// what comes is inspected (inspect.h) before it counts as received.
UploadLimits PdfUploads(const InspectorOptions& inspector);

}  // namespace parcours::documents

#endif  // PARCOURS_COMMON_DOCUMENTS_PDF_UPLOADS_H_
