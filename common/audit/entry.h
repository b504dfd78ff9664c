#ifndef PARCOURS_COMMON_AUDIT_ENTRY_H_
#define PARCOURS_COMMON_AUDIT_ENTRY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/access/caller.h"
#include "common/access/principal.h"

namespace parcours::audit {

// What was done to the resources of an entry.
enum class Action { kChange, kRead };

// "CHANGE" or "READ".
std::string_view ActionName(Action action);

// A resource by its name, never its content.
struct Resource {
  std::string name;
  // After a change; 0 where it is not known, as of what was read.
  int64_t version = 0;

  friend bool operator==(const Resource&, const Resource&) = default;
};

// Who did what to which resources of one body.
struct Entry {
  absl::Time business_time;
  // Real time, of this process.
  absl::Time record_time;
  std::string subject;
  // The roles by which they were allowed to; bit n stands for the value n of
  // the contract's Role.
  int64_t roles = 0;
  // "bodies/opale"; empty for what concerns no body.
  std::string body;
  std::string method;
  Action action = Action::kChange;
  std::vector<Resource> resources;
  // The request id of a change, where there was one.
  std::string request_id;
  // 32 hexadecimal digits, or empty.
  std::string trace_id;

  friend bool operator==(const Entry&, const Entry&) = default;
};

// An entry at its place in the chain.
struct ChainedEntry {
  int64_t position = 0;
  std::string previous_hash;
  std::string hash;
  std::string commitment;
  // Absent, both of them, for a reader who may not see the entry.
  std::optional<Entry> entry;
  std::string salt;
};

// The end of a chain.
struct Head {
  // Of the database that began the chain.
  std::string incarnation;
  int64_t position = 0;
  // Of the entry there; without entries, GenesisHash.
  std::string hash;

  friend bool operator==(const Head&, const Head&) = default;
};

// `roles` as Entry holds them.
int64_t RoleBits(access::RoleSet roles);

// The entries for what `caller` did to `resources`: one for each body that they
// lie in, in order of appearance, those outside any body under the caller's
// own. Without resources, one entry. Of a name that stands twice the last
// version counts. Control characters in names are replaced, so that what is
// kept can be kept as lines.
std::vector<Entry> EntriesOf(const access::Caller& caller, Action action,
                             const std::vector<Resource>& resources,
                             absl::Time record_time);

// `resources` as one text, a line each with a line end before the first, and
// back; text of another form is read as far as it goes.
std::string ResourceLines(const std::vector<Resource>& resources);
std::vector<Resource> ResourcesOfLines(std::string_view lines);

// A fresh salt: 32 hexadecimal digits.
std::string NewSalt();

// The chain. All digests are SHA-256 as 64 lower-case hexadecimal digits, over
// fields that each stand after their length in bytes, 8 bytes big-endian.
// Numbers are fields of 8 bytes, big-endian, two's complement; instants are µs
// since the epoch. The first field names what is digested, and its version.
//
//   genesis    "parcours.audit.genesis.1", incarnation
//   commitment "parcours.audit.entry.1", salt, business time, record time,
//              subject, roles, body, method, action, request id, trace id,
//              number of resources, then name and version of each
//   hash       "parcours.audit.link.1", position, previous hash, commitment
//
// Whoever may not see an entry can thus check the chain by its commitment,
// which tells nothing of the entry without its salt.
std::string GenesisHash(std::string_view incarnation);
std::string CommitmentOf(const Entry& entry, std::string_view salt);
std::string LinkHash(int64_t position, std::string_view previous_hash,
                     std::string_view commitment);

}  // namespace parcours::audit

#endif  // PARCOURS_COMMON_AUDIT_ENTRY_H_
