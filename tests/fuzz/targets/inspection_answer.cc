#include "common/documents/inspect.h"
#include "common/status/error.h"
#include "tests/fuzz/target.h"

PARCOURS_FUZZ_TARGET(inspection_answer) {
  const auto inspection = parcours::documents::ReadInspection(input, 1000);
  if (inspection.ok()) {
    PARCOURS_FUZZ_CHECK(inspection->pages >= 1 && inspection->pages <= 10'000);
    return;
  }
  PARCOURS_FUZZ_CHECK(parcours::ReasonOf(inspection.status()).has_value());
  for (const auto& [key, value] : parcours::MetadataOf(inspection.status())) {
    PARCOURS_FUZZ_CHECK(value.size() < 100);
  }
}
