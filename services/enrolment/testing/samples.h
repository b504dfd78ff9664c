#ifndef PARCOURS_SERVICES_ENROLMENT_TESTING_SAMPLES_H_
#define PARCOURS_SERVICES_ENROLMENT_TESTING_SAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/rules/rule_book.h"
#include "common/types/enum_names.h"
#include "services/enrolment/domain/application.h"
#include "services/enrolment/domain/cohort.h"

namespace parcours::enrolment {

// Made-up resources for tests, with the figures of the 2026 cohort.

// In preparation no more: open, 30 places, at least 12, from 16 March 2026 to
// 17 November 2026, applications from 1 September 2025 to 15 March 2026.
Cohort SampleCohort();

// Four years after the baccalauréat or three of experience; a CV and a letter;
// a rank for a complete file.
Programme SampleProgramme();

// "Candidate Une", whose file is complete, without rank or place.
Application SampleApplication(std::string_view id = "une");

// One with that rank, place and review.
Application SampleApplication(std::string_view id, int64_t rank,
                              PlaceState place, ReviewState review);

// The instant of a civil time in Paris.
absl::Time Paris(int64_t year, int month, int day, int hour = 0,
                 int minute = 0);

// rules/fr.txtpb. REQUIRES: the working directory is the root of the tree.
const rules::RuleBook& FrenchRules();

// The French rules read from an edited copy of the file, in which the newest
// version of `id` has `value`, and cites `article` unless it is empty.
rules::RuleBook FrenchRulesWhere(std::string_view id, int64_t value,
                                 std::string_view article = "");

// Every value of an enum with names.
template <typename Enum>
std::vector<Enum> AllOf() {
  std::vector<Enum> values;
  for (std::size_t i = 0; i < std::size(EnumNames<Enum>::values); ++i) {
    values.push_back(static_cast<Enum>(i));
  }
  return values;
}

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_TESTING_SAMPLES_H_
