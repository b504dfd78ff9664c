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
  constexpr bool Has(int role) const {
    return (bits_ & (uint64_t{1} << role)) != 0;
  }
  // Whether all of these are among `other`.
  constexpr bool IsWithin(RoleSet other) const {
    return (bits_ & ~other.bits_) == 0;
  }
  constexpr RoleSet And(RoleSet other) const {
    return RoleSet(bits_ & other.bits_);
  }
  constexpr bool empty() const { return bits_ == 0; }

 private:
  constexpr explicit RoleSet(uint64_t bits) : bits_(bits) {}
  uint64_t bits_ = 0;
};

// Who calls. `subject` is stable and stands in the audit trail and in
// idempotency keys; it is never shown to other callers.
struct Principal {
  std::string subject;
  RoleSet roles;
  // "bodies/opale", or empty for one who serves the whole installation.
  std::string body;
  // Who they are in the record of that body, where the credential says so:
  // "bodies/opale/persons/…", "bodies/opale/organisations/…", and the id of a
  // funder, "afdas".
  std::string person;
  std::string organisation;
  std::string funder;
  // The client of the API that a partner's program is, and the calls it may
  // make in a minute; empty and 0 for people and services.
  std::string client;
  int64_t calls_per_minute = 0;
};

}  // namespace parcours::access

#endif  // PARCOURS_COMMON_ACCESS_PRINCIPAL_H_
