#include "services/enrolment/rpc/piece_limits.h"

#include <string_view>

#include "common/documents/inspect.h"

namespace parcours::enrolment {

documents::UploadLimits PieceLimits(const std::string& inspector) {
  documents::UploadLimits limits;
  limits.content_types = {"application/pdf"};
  limits.inspect = [inspector](std::string_view, std::string_view bytes) {
    return documents::InspectBytes({.program = inspector}, bytes).status();
  };
  return limits;
}

}  // namespace parcours::enrolment
