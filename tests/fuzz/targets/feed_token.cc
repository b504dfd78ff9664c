#include <cstdint>
#include <string>

#include "common/storage/feed.h"
#include "tests/fuzz/target.h"

using parcours::storage::DecodeFeedToken;
using parcours::storage::EncodeFeedToken;

PARCOURS_FUZZ_TARGET(feed_token) {
  const auto position = DecodeFeedToken(input, "0190b2d0");
  if (position.ok() && position->has_value()) {
    PARCOURS_FUZZ_CHECK(**position >= 0);
    const auto again =
        DecodeFeedToken(EncodeFeedToken("0190b2d0", **position), "0190b2d0");
    PARCOURS_FUZZ_CHECK(again.ok() && *again == *position);
  }
  uint64_t number = 0;
  for (const char byte : input.substr(0, 8)) {
    number = number << 8 | static_cast<unsigned char>(byte);
  }
  const auto given = static_cast<int64_t>(number >> 1);
  const auto read = DecodeFeedToken(EncodeFeedToken("x", given), "x");
  PARCOURS_FUZZ_CHECK(read.ok() && *read == given);
  PARCOURS_FUZZ_CHECK(!DecodeFeedToken(EncodeFeedToken("x", given), "y").ok());
}
