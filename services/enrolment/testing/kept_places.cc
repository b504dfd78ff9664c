#include "services/enrolment/testing/kept_places.h"

#include <string>
#include <string_view>

#include "common/testing/raw_rows.h"
#include "common/text/view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parcours::enrolment {
namespace {

std::string DiffersFrom(std::string_view column, std::string_view state) {
  return Cat(" OR COALESCE(kept.", column,
             ", 0) <> (SELECT COUNT(*) FROM application"
             " WHERE application.cohort = cohort.name AND place_state = '",
             state, "')");
}

}  // namespace

void ExpectKeptPlacesAreTrue(storage::Database& database) {
  EXPECT_THAT(
      testing::FirstColumn(
          database,
          Cat("SELECT cohort.name FROM cohort LEFT JOIN cohort_places AS kept"
              " ON kept.cohort = cohort.name WHERE COALESCE(last_rank, 0) <"
              " (SELECT COALESCE(MAX(rank), 0) FROM application"
              " WHERE application.cohort = cohort.name)",
              DiffersFrom("held", "HELD"), DiffersFrom("offered", "OFFERED"),
              DiffersFrom("confirmed", "CONFIRMED"),
              DiffersFrom("at_risk", "AT_RISK"),
              DiffersFrom("waitlisted", "WAITLISTED"))),
      ::testing::IsEmpty());
}

}  // namespace parcours::enrolment
