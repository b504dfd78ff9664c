#ifndef PARCOURS_COMMON_AUDIT_TRAIL_H_
#define PARCOURS_COMMON_AUDIT_TRAIL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/access/scope.h"
#include "common/audit/entry.h"
#include "common/storage/database.h"
#include "common/storage/session.h"

namespace parcours::audit {

// Which entries of a trail.
struct TrailQuery {
  // Whose: entries of another body have no content; with one of the filters
  // below they are left out.
  access::Scope scope;
  // Position after which to read.
  int64_t after = 0;
  int limit = 100;
  // Where not empty: this resource, and those below it.
  std::string resource;
  // Where not empty: of this subject.
  std::string subject;
  std::optional<Action> action;
  // Real time of the entry: from the first, before the second.
  std::optional<absl::Time> start_time;
  std::optional<absl::Time> end_time;
  // Real time.
  absl::Time deadline = absl::InfiniteFuture();
};

struct TrailPage {
  std::vector<ChainedEntry> entries;
  // Where to go on after this page; nothing when it was the last.
  std::optional<int64_t> next_after;
};

// Entries that have their place in the chain, in its order: at most `limit`,
// and fewer where they are large. Errors of Database::View.
absl::StatusOr<TrailPage> ReadTrail(storage::Database& database,
                                    const TrailQuery& query);

// Asks for the entries that have their place after `after`, at most `limit`, as
// EntryOf reads them.
storage::Statement SelectChain(int64_t after, int limit);
ChainedEntry EntryOf(const storage::Row& row);

// A head of another service's chain, as this database has kept it.
struct WitnessedHead {
  std::string service;
  Head head;
  // Real time.
  absl::Time observe_time;
};

struct WitnessPage {
  std::vector<WitnessedHead> heads;
  std::optional<int64_t> next_after;
};

// The heads kept here, in the order in which they were kept, after the key
// `after`; of `service` alone where it is not empty. Errors of Database::View.
absl::StatusOr<WitnessPage> ReadWitnesses(storage::Database& database,
                                          const std::string& service,
                                          int64_t after, int limit,
                                          absl::Time deadline);

// A call of the audit trail itself, which leaves no entry.
access::Caller TrailCaller(absl::Time deadline);

}  // namespace parcours::audit

#endif  // PARCOURS_COMMON_AUDIT_TRAIL_H_
