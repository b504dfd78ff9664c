#include <string>

#include "common/rpc/text_form.h"
#include "common/text/case_fold.h"
#include "tests/fuzz/target.h"

PARCOURS_FUZZ_TARGET(text) {
  for (const bool multiline : {false, true}) {
    const parcours::rpc::TextForm form =
        parcours::rpc::ExamineText(input, multiline);
    if (form.forbidden) continue;
    PARCOURS_FUZZ_CHECK(form.characters <= input.size());
    const std::string normal = parcours::rpc::NormaliseText(input, multiline);
    if (form.normal) PARCOURS_FUZZ_CHECK(normal == input);
    const parcours::rpc::TextForm again =
        parcours::rpc::ExamineText(normal, multiline);
    PARCOURS_FUZZ_CHECK(!again.forbidden && again.normal);
    PARCOURS_FUZZ_CHECK(parcours::rpc::NormaliseText(normal, multiline) ==
                        normal);
  }
  const std::string folded = parcours::text::CaseFold(input);
  if (!parcours::rpc::ExamineText(input, true).forbidden) {
    PARCOURS_FUZZ_CHECK(parcours::text::CaseFold(folded) == folded);
  }
}
