#include "common/types/etag.h"

#include "tests/fuzz/target.h"

PARCOURS_FUZZ_TARGET(etag) {
  const auto version = parcours::VersionOf(input);
  if (version.has_value()) {
    const std::string etag = parcours::EtagOf(*version);
    PARCOURS_FUZZ_CHECK(parcours::VersionOf(etag) == version);
    PARCOURS_FUZZ_CHECK(parcours::CheckEtag(input, "x", *version).ok());
    PARCOURS_FUZZ_CHECK(!parcours::CheckEtag(input, "x", *version ^ 1).ok());
  } else {
    PARCOURS_FUZZ_CHECK(input.empty() ||
                        !parcours::CheckEtag(input, "x", 1).ok());
  }
}
