#ifndef PARCOURS_COMMON_STATUS_MACROS_H_
#define PARCOURS_COMMON_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expression` from the enclosing function unless it is
// OK.
#define RETURN_IF_ERROR(expression)                           \
  do {                                                        \
    if (absl::Status status_ = (expression); !status_.ok()) { \
      return status_;                                         \
    }                                                         \
  } while (false)

#define PARCOURS_CONCAT_INNER(a, b) a##b
#define PARCOURS_CONCAT(a, b) PARCOURS_CONCAT_INNER(a, b)

// Declares or assigns `target` from the value of a StatusOr `expression`, or
// returns its status from the enclosing function.
#define ASSIGN_OR_RETURN(target, expression)                                \
  PARCOURS_ASSIGN_OR_RETURN_(PARCOURS_CONCAT(status_or_, __LINE__), target, \
                             expression)

#define PARCOURS_ASSIGN_OR_RETURN_(status_or, target, expression) \
  auto status_or = (expression);                                  \
  if (!status_or.ok()) return std::move(status_or).status();      \
  target = *std::move(status_or)

#endif  // PARCOURS_COMMON_STATUS_MACROS_H_
