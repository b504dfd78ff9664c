#ifndef PARCOURS_SERVICES_ENROLMENT_TESTING_BOTH_ENGINES_H_
#define PARCOURS_SERVICES_ENROLMENT_TESTING_BOTH_ENGINES_H_

#include <utility>

#include "absl/status/statusor.h"
#include "common/testing/database_fixture.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace parcours::enrolment {

// The value; fails the test and returns a default where there is none.
template <typename T>
T Must(absl::StatusOr<T> result) {
  EXPECT_OK(result);
  if (!result.ok()) return T();
  return *std::move(result);
}

#define PARCOURS_ON_BOTH_ENGINES(Suite)                             \
  INSTANTIATE_TEST_SUITE_P(                                         \
      Engines, Suite,                                               \
      ::testing::ValuesIn(::parcours::testing::EnginesUnderTest()), \
      ::parcours::testing::EngineName())

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_TESTING_BOTH_ENGINES_H_
