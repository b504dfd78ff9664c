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
  // Not UTF-8 (RFC 3629: overlong forms and surrogates are none), or holds one
  // of these characters:
  //  - controls, C0 and C1, and DEL; tabs and line ends are allowed when
  //    `multiline`, the separators U+2028 and U+2029 never;
  //  - what XML 1.0 forbids, and every other noncharacter of Unicode;
  //  - embeddings, overrides and isolates of bidirectional text (U+202A to
  //    U+202E, U+2066 to U+2069), which let a text be read as another one; the
  //    marks of direction U+200E, U+200F and U+061C turn nothing else around
  //    and are allowed, as are the joiners that some scripts and emoji need;
  //  - annotations (U+FFF9 to U+FFFB), tags (U+E0001 to U+E007F) and the byte
  //    order mark, which nobody sees.
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
