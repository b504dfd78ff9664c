#ifndef PARCOURS_COMMON_TESTING_RAW_ROWS_H_
#define PARCOURS_COMMON_TESTING_RAW_ROWS_H_

#include <string>
#include <vector>

#include "common/storage/database.h"

namespace parcours::testing {

// What stands in the tables, sealed or not, past every repository. Each fails
// the test where the database cannot be read.

// Where any of `texts` stands, in whatever table and column, text or bytes:
// "application.decision: motif-secret", sorted, each once.
std::vector<std::string> FindEverywhere(storage::Database& database,
                                        const std::vector<std::string>& texts);

// The same of one text: "application.decision".
std::vector<std::string> WhereStands(storage::Database& database,
                                     const std::string& text);

// The first column of what `sql` selects, text or bytes.
std::vector<std::string> FirstColumn(storage::Database& database,
                                     const std::string& sql);

}  // namespace parcours::testing

#endif  // PARCOURS_COMMON_TESTING_RAW_ROWS_H_
