#ifndef PARCOURS_COMMON_TEXT_CASE_FOLD_H_
#define PARCOURS_COMMON_TEXT_CASE_FOLD_H_

#include <string>
#include <string_view>

namespace parcours::text {

// `text` for comparison of what people type: NFKC, case folded (Unicode
// Standard, 3.13), spaces at the ends dropped and inner runs of spaces made
// one. Text that is not UTF-8 comes back as it is.
std::string CaseFold(std::string_view text);

}  // namespace parcours::text

#endif  // PARCOURS_COMMON_TEXT_CASE_FOLD_H_
