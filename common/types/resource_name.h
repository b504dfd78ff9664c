#ifndef PARCOURS_COMMON_TYPES_RESOURCE_NAME_H_
#define PARCOURS_COMMON_TYPES_RESOURCE_NAME_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/text/view.h"

namespace parcours {

// A pattern of resource names (https://google.aip.dev/122) as a template
// argument: ResourceName<"bodies/*/cohorts/*">.
template <std::size_t N>
struct NamePattern {
  constexpr NamePattern(const char (&text)[N]) {  // NOLINT: literal conversion
    std::copy_n(text, N, value);
  }
  constexpr std::string_view view() const { return {value, N - 1}; }
  char value[N];
};

// OK when `name` follows `pattern`, in which `*` stands for one id of 1 to 63
// characters of [a-z0-9-], beginning and ending with a letter or digit.
bool MatchesNamePattern(std::string_view pattern, std::string_view name);

// The segments of `name` between slashes.
std::vector<std::string_view> NameSegments(std::string_view name);

// The first `count` segments of `name`, joined again.
std::string FirstSegments(std::string_view name, std::size_t count);

// The name of a resource of one kind: names of different kinds do not mix.
// The first id is always the body's, which is the wall of every query.
// A default-constructed name is empty and names nothing.
template <NamePattern kPattern>
class ResourceName {
 public:
  ResourceName() = default;

  static constexpr std::string_view pattern() { return kPattern.view(); }

  // FIELD_MALFORMED with field `field` when `text` does not follow the pattern.
  static absl::StatusOr<ResourceName> Parse(std::string_view text,
                                            std::string_view field = "name");

  // A name out of the record, which holds only what Parse accepted.
  static ResourceName FromRecord(std::string text) {
    ResourceName name;
    name.text_ = std::move(text);
    return name;
  }

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

  // "bodies/opale" of any name below that body.
  std::string body() const { return FirstSegments(text_, 2); }

  // The last id.
  std::string_view id() const {
    return std::string_view(text_).substr(text_.rfind('/') + 1);
  }

  // The name of the resource of kind `Ancestor` that this one stands under.
  // REQUIRES: Ancestor's pattern begins this one.
  template <typename Ancestor>
  Ancestor Under() const {
    return Ancestor::FromRecord(
        FirstSegments(text_, NameSegments(Ancestor::pattern()).size()));
  }

  friend bool operator==(const ResourceName&, const ResourceName&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): a mistake of clang-tidy 14.
  friend auto operator<=>(const ResourceName&, const ResourceName&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const ResourceName& name) {
    return H::combine(std::move(state), name.text_);
  }

 private:
  std::string text_;
};

// Used by Parse: the error for a name that does not follow its pattern.
absl::Status MalformedName(std::string_view field, std::string_view pattern);

template <NamePattern kPattern>
absl::StatusOr<ResourceName<kPattern>> ResourceName<kPattern>::Parse(
    std::string_view text, std::string_view field) {
  if (!MatchesNamePattern(pattern(), text)) {
    return MalformedName(field, pattern());
  }
  return FromRecord(std::string(text));
}

// `parent` + "/" + collection + "/" + id, as a name of kind Child.
template <typename Child, typename Parent>
Child ChildName(const Parent& parent, std::string_view collection,
                std::string_view id) {
  return Child::FromRecord(Cat(parent.text(), "/", collection, "/", id));
}

// A fresh UUID of version 7 (RFC 9562): unique, and ordered by creation within
// this process. `now` is business or real time, as the caller's record says.
std::string NewUuidV7(absl::Time now);

}  // namespace parcours

#endif  // PARCOURS_COMMON_TYPES_RESOURCE_NAME_H_
