#ifndef PARCOURS_SERVICES_ENROLMENT_TESTING_EVERY_COLUMN_H_
#define PARCOURS_SERVICES_ENROLMENT_TESTING_EVERY_COLUMN_H_

#include <string>
#include <vector>

#include "common/storage/database.h"

namespace parcours::enrolment {

// Where any of `texts` stands, in whatever table and column of the database:
// "application: motif-secret". Fails the test when there is nothing to read.
std::vector<std::string> FindEverywhere(storage::Database& database,
                                        const std::vector<std::string>& texts);

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_TESTING_EVERY_COLUMN_H_
