#include "common/text/case_fold.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include "absl/strings/ascii.h"

namespace parcours::text {

std::string CaseFold(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer =
      icu::Normalizer2::getNFKCCasefoldInstance(error);
  if (U_FAILURE(error)) return std::string(text);
  const icu::UnicodeString folded = normalizer->normalize(
      icu::UnicodeString::fromUTF8(
          icu::StringPiece(text.data(), static_cast<int32_t>(text.size()))),
      error);
  if (U_FAILURE(error)) return std::string(text);
  std::string result;
  folded.toUTF8String(result);
  absl::RemoveExtraAsciiWhitespace(&result);
  return result;
}

}  // namespace parcours::text
