#include <new>

#include "common/documents/pdf_facts.h"
#include "tests/fuzz/target.h"

PARCOURS_FUZZ_TARGET(pdf) {
  using parcours::documents::FileFacts;
  try {
    const FileFacts facts = parcours::documents::FactsOf(input);
    if (facts.kind != FileFacts::Kind::kPdf) {
      PARCOURS_FUZZ_CHECK(facts.pages == 0 && facts.active.empty());
    }
    if (facts.encrypted) PARCOURS_FUZZ_CHECK(facts.active.empty());
    PARCOURS_FUZZ_CHECK(facts.pages >= 0);
  } catch (const std::bad_alloc&) {
    // Its process would end there.
  }
}
