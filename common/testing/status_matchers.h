#ifndef PARCOURS_COMMON_TESTING_STATUS_MATCHERS_H_
#define PARCOURS_COMMON_TESTING_STATUS_MATCHERS_H_

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status/error.h"
#include "gmock/gmock.h"

namespace parcours {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

// The fields that the BadRequest of `status` names, in its order.
std::vector<std::string> ViolatedFields(const absl::Status& status);

// Matchers of absl::Status and absl::StatusOr.

MATCHER(IsOk, negation ? "is an error" : "is OK") {
  *result_listener << StatusOf(arg);
  return StatusOf(arg).ok();
}

MATCHER_P(StatusIs, code,
          (negation ? "has not code " : "has code ") +
              absl::StatusCodeToString(code)) {
  *result_listener << StatusOf(arg);
  return StatusOf(arg).code() == code;
}

MATCHER_P(HasReason, reason,
          (negation ? "has not reason " : "has reason ") +
              std::string(ReasonName(reason))) {
  *result_listener << StatusOf(arg);
  return ReasonOf(StatusOf(arg)) == reason;
}

MATCHER_P(ViolatesField, field,
          (negation ? "does not name the field " : "names the field ") +
              std::string(field)) {
  *result_listener << StatusOf(arg);
  const std::vector<std::string> fields = ViolatedFields(StatusOf(arg));
  return std::find(fields.begin(), fields.end(), field) != fields.end();
}

}  // namespace parcours

#define EXPECT_OK(expression) EXPECT_THAT((expression), ::parcours::IsOk())
#define ASSERT_OK(expression) ASSERT_THAT((expression), ::parcours::IsOk())

#endif  // PARCOURS_COMMON_TESTING_STATUS_MATCHERS_H_
