#ifndef PARCOURS_COMMON_STORAGE_DIALECT_H_
#define PARCOURS_COMMON_STORAGE_DIALECT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/storage/session.h"

namespace parcours::storage {

// `sql` with the words that Statement describes replaced for `engine`. A word
// in braces that is not one of them is an INTERNAL error. Quoted text and
// comments are not looked into.
absl::StatusOr<std::string> InDialect(std::string_view sql, Engine engine);

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_DIALECT_H_
