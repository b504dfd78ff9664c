#include "common/types/resource_name.h"

#include <string>

#include "common/rpc/text_form.h"
#include "tests/fuzz/target.h"

namespace {

using Body = parcours::ResourceName<"bodies/*">;

template <typename Name>
void Try(std::string_view input) {
  const auto name = Name::Parse(input);
  if (!name.ok()) return;
  PARCOURS_FUZZ_CHECK(name->text() == input);
  // A resource that is alone in its parent has one segment less.
  if (parcours::NameSegments(Name::pattern()).size() % 2 == 0) {
    PARCOURS_FUZZ_CHECK(parcours::rpc::LooksLikeName(input));
  }
  PARCOURS_FUZZ_CHECK(Body::Parse(name->body()).ok());
  PARCOURS_FUZZ_CHECK(input.starts_with(name->body()));
  PARCOURS_FUZZ_CHECK(!name->id().empty() && name->id().size() <= 63);
  for (const char c : input) {
    PARCOURS_FUZZ_CHECK((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                        c == '-' || c == '/' || (c >= 'A' && c <= 'Z'));
  }
}

}  // namespace

PARCOURS_FUZZ_TARGET(resource_name) {
  Try<Body>(input);
  Try<parcours::ResourceName<"bodies/*/uploads/*">>(input);
  Try<parcours::ResourceName<"bodies/*/cohorts/*/applications/*">>(input);
  Try<parcours::ResourceName<"bodies/*/cohorts/*/juries/*/minutes">>(input);
  (void)parcours::rpc::LooksLikeName(input);
  for (std::size_t count = 0; count < 9; ++count) {
    const std::string first = parcours::FirstSegments(input, count);
    PARCOURS_FUZZ_CHECK(input.starts_with(first));
  }
  std::size_t size = 0;
  for (const std::string_view segment : parcours::NameSegments(input)) {
    size += segment.size() + 1;
  }
  PARCOURS_FUZZ_CHECK(size == input.size() + 1);
}
