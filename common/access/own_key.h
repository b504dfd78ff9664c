#ifndef PARCOURS_COMMON_ACCESS_OWN_KEY_H_
#define PARCOURS_COMMON_ACCESS_OWN_KEY_H_

#include <string>
#include <string_view>

#include "common/text/view.h"

namespace parcours::access {

// Names an owner by role: OwnKey("learner", "bodies/opale/persons/…"). A role
// of the contract is written in small letters, without ROLE_.
inline std::string OwnKey(std::string_view role, std::string_view owner) {
  return Cat(role, ":", owner);
}

// The owner of what somebody makes who is not yet a person of the record: the
// subject of their credential.
inline std::string AccountKey(std::string_view subject) {
  return OwnKey("account", subject);
}

// That whoever owns `key` sees the resource `name` and all below it.
struct Ownership {
  std::string name;
  std::string key;

  friend bool operator==(const Ownership&, const Ownership&) = default;
};

}  // namespace parcours::access

#endif  // PARCOURS_COMMON_ACCESS_OWN_KEY_H_
