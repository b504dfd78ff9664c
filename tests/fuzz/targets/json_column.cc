#include <optional>
#include <string>
#include <vector>

#include "common/documents/upload.h"
#include "common/storage/column_traits.h"
#include "tests/fuzz/target.h"

namespace {

struct Entry {
  std::string note;
  parcours::documents::UploadName name;
  std::optional<absl::Time> time;
  absl::CivilDay day;
  parcours::documents::UploadState state{};
  int64_t cents = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Entry, note, name, time, day, state, cents)

template <typename T>
void Try(std::string_view input) {
  using Traits = parcours::storage::JsonColumnTraits<T>;
  T decoded{};
  if (!Traits::Decode(std::string(input), decoded)) return;
  const parcours::storage::Value encoded = Traits::Encode(decoded);
  T again{};
  PARCOURS_FUZZ_CHECK(Traits::Decode(encoded, again));
  PARCOURS_FUZZ_CHECK(Traits::Encode(again) == encoded);
}

}  // namespace

PARCOURS_FUZZ_TARGET(json_column) {
  Try<std::vector<std::string>>(input);
  Try<std::vector<parcours::documents::UploadName>>(input);
  Try<std::vector<parcours::documents::UploadState>>(input);
  Try<std::vector<Entry>>(input);
}
