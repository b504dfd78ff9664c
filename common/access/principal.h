#ifndef PARCOURS_COMMON_ACCESS_PRINCIPAL_H_
#define PARCOURS_COMMON_ACCESS_PRINCIPAL_H_

#include <cstdint>
#include <string>

namespace parcours::access {

// A set of roles, one bit for each value of the contract's Role enum.
class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr void Add(int role) { bits_ |= uint64_t{1} << role; }
  constexpr bool Intersects(RoleSet other) const {
    return (bits_ & other.bits_) != 0;
  }
  constexpr bool empty() const { return bits_ == 0; }

 private:
  uint64_t bits_ = 0;
};

// Who calls. `subject` is stable and stands in the audit trail and in
// idempotency keys; it is never shown to other callers.
struct Principal {
  std::string subject;
  RoleSet roles;
  // "bodies/opale", or empty for one who serves the whole installation.
  std::string body;
};

}  // namespace parcours::access

#endif  // PARCOURS_COMMON_ACCESS_PRINCIPAL_H_
