#ifndef PARCOURS_SERVICES_ENROLMENT_RPC_PIECE_LIMITS_H_
#define PARCOURS_SERVICES_ENROLMENT_RPC_PIECE_LIMITS_H_

#include <string>

#include "common/documents/upload_service.h"

namespace parcours::enrolment {

// What may be uploaded as a piece of an application: a PDF that can be read.
// Each is looked at in a child process of its own (common/documents/inspect.h)
// by the program `inspector`.
documents::UploadLimits PieceLimits(const std::string& inspector);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_RPC_PIECE_LIMITS_H_
