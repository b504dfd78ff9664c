#ifndef PARCOURS_COMMON_ACCESS_SCOPE_H_
#define PARCOURS_COMMON_ACCESS_SCOPE_H_

#include <string>
#include <utility>
#include <vector>

namespace parcours::access {

// What part of the record a call may see. Every port that reads takes one and
// the store compiles it into the predicate of its SQL; there is no default
// constructor, so that forgetting it does not compile.
class Scope {
 public:
  // The whole installation. With it, an absent resource is NOT_FOUND.
  static Scope Installation() { return Scope("", {}, false); }
  // One body, "bodies/opale". Outside it, absent and forbidden are one
  // PERMISSION_DENIED.
  static Scope Body(std::string body) {
    return Scope(std::move(body), {}, false);
  }
  // Within `body`, what belongs to one of the owners that `keys` (OwnKey) name.
  // Outside it, absent and forbidden are one PERMISSION_DENIED.
  static Scope Own(std::string body, std::vector<std::string> keys) {
    return Scope(std::move(body), std::move(keys), true);
  }

  bool is_full() const { return body_.empty() && !own_; }
  bool is_own() const { return own_; }
  const std::string& body() const { return body_; }
  // REQUIRES: is_own().
  const std::vector<std::string>& keys() const { return keys_; }

  // Whether everything of `body` is inside.
  bool Covers(const std::string& body) const {
    return !own_ && (body_.empty() || body == body_);
  }

  // The same without regard to owners: for what a decision must look at, and
  // its caller does not see.
  Scope Whole() const { return Scope(body_, {}, false); }

 private:
  Scope(std::string body, std::vector<std::string> keys, bool own)
      : body_(std::move(body)), keys_(std::move(keys)), own_(own) {}

  std::string body_;
  std::vector<std::string> keys_;
  bool own_;
};

}  // namespace parcours::access

#endif  // PARCOURS_COMMON_ACCESS_SCOPE_H_
