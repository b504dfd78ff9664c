#ifndef PARCOURS_COMMON_PLATFORM_SESSION_DECORATION_H_
#define PARCOURS_COMMON_PLATFORM_SESSION_DECORATION_H_

#include <functional>
#include <memory>

#include "common/storage/session.h"

namespace parcours::platform {

// What this program puts between its database and each session that it opens;
// empty for nothing. Services link parcours_plain_sessions, which says nothing.
// A program that defines the function itself, as those of tests/faults do,
// takes it instead: what injects faults is in no other program.
std::function<
    std::unique_ptr<storage::Session>(std::unique_ptr<storage::Session>)>
SessionDecorator();

}  // namespace parcours::platform

#endif  // PARCOURS_COMMON_PLATFORM_SESSION_DECORATION_H_
