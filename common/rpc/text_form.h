#ifndef PARCOURS_COMMON_RPC_TEXT_FORM_H_
#define PARCOURS_COMMON_RPC_TEXT_FORM_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "parcours/type/v1/field.pb.h"

namespace parcours::rpc {

struct TextForm {
  // In Unicode characters.
  std::size_t characters = 0;
  // Not UTF-8, or holds a control character or another one that XML 1.0
  // forbids. Tabs and line ends are allowed when `multiline`.
  bool forbidden = false;
  // In normalisation form C and, when `multiline`, with line feeds alone as
  // line ends.
  bool normal = true;
};

TextForm ExamineText(std::string_view text, bool multiline);

// `text` in normalisation form C; CR LF becomes LF when `multiline`.
// REQUIRES: ExamineText(text, multiline) finds nothing forbidden.
std::string NormaliseText(std::string_view text, bool multiline);

// Whether `text` has that form. REQUIRES: not empty.
bool HasForm(std::string_view text, type::v1::FieldRules::PatternKind form);

// "a UUID": completes "must be ...".
std::string_view FormName(type::v1::FieldRules::PatternKind form);

// Pairs of segments of letters, digits and hyphens, as in names of resources
// of any kind.
bool LooksLikeName(std::string_view text);

}  // namespace parcours::rpc

#endif  // PARCOURS_COMMON_RPC_TEXT_FORM_H_
