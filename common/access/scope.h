#ifndef PARCOURS_COMMON_ACCESS_SCOPE_H_
#define PARCOURS_COMMON_ACCESS_SCOPE_H_

#include <string>
#include <utility>

namespace parcours::access {

// What part of the record a call may see. Every port that reads takes one and
// the store compiles it into the predicate of its SQL; there is no default
// constructor, so that forgetting it does not compile.
class Scope {
 public:
  // The whole installation. With it, an absent resource is NOT_FOUND.
  static Scope Installation() { return Scope(""); }
  // One body, "bodies/opale". Outside it, absent and forbidden are one
  // PERMISSION_DENIED.
  static Scope Body(std::string body) { return Scope(std::move(body)); }

  bool is_full() const { return body_.empty(); }
  const std::string& body() const { return body_; }
  // Whether a resource of `body` is inside.
  bool Covers(const std::string& body) const {
    return is_full() || body == body_;
  }

 private:
  explicit Scope(std::string body) : body_(std::move(body)) {}
  std::string body_;
};

}  // namespace parcours::access

#endif  // PARCOURS_COMMON_ACCESS_SCOPE_H_
