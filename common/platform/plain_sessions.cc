#include "common/platform/session_decoration.h"

namespace parcours::platform {

std::function<
    std::unique_ptr<storage::Session>(std::unique_ptr<storage::Session>)>
SessionDecorator() {
  return nullptr;
}

}  // namespace parcours::platform
