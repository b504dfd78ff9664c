#ifndef PARCOURS_COMMON_STORAGE_FEED_H_
#define PARCOURS_COMMON_STORAGE_FEED_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/access/scope.h"
#include "common/storage/database.h"

namespace parcours::storage {

// A change that has its place in the feed.
struct PositionedChange {
  int64_t position = 0;
  Change change;
  // Business time of the transaction.
  absl::Time commit_time;
  // Whether the resource has left what the reader may see, or is gone.
  bool removed = false;
};

struct FeedQuery {
  // Whose changes: those that lay or lie within it. Within an own scope these
  // are the changes whose scopes hold one of its keys, and those of what the
  // keys own: of an owned resource, of one below it, or of one that lies within
  // it.
  access::Scope scope;
  // Where not empty, only of these kinds.
  std::vector<std::string> kinds;
  // Where not empty, only what lay or lies within one of these: the resource
  // itself, one below it, or one whose scopes hold it or one below it. The key
  // of an owner stands for what lies within its own scope.
  std::vector<std::string> within;
  // Position after which to read; absent: from the oldest change that is kept.
  std::optional<int64_t> after;
  int limit = 100;
  // Positions looked at for one page, about.
  int64_t scan = 1'000'000;
  // Real time.
  absl::Time deadline = absl::InfiniteFuture();
};

struct FeedPage {
  std::vector<PositionedChange> changes;
  // After this, nothing is missed: the last change's position if more are
  // there, else the head.
  int64_t next_position = 0;
  // Read on. The next page may still be empty when all that was looked at
  // concerned others.
  bool more = false;
  // Last position given when this was read.
  int64_t head = 0;
};

// The changes after a position, in order. FEED_TRIMMED when they are no longer
// kept; errors of Database::View. Reads in steps of bounded size, each in a
// transaction of its own.
absl::StatusOr<FeedPage> ReadChanges(Database& database,
                                     const FeedQuery& query);

// What waits for its position.
struct FeedBacklog {
  int64_t count = 0;
  // Order of insertion of the oldest; 0 when there is none.
  int64_t oldest = 0;
  // Last position given.
  int64_t head = 0;
};
absl::StatusOr<FeedBacklog> ReadBacklog(Database& database,
                                        absl::Time deadline);

// The position at which this transaction reads: what it sees holds every change
// up to there. Lists and exports return it, so that following meets them
// without a gap.
absl::StatusOr<int64_t> FeedHead(Transaction& transaction);

// Forgets what was committed before `before` (business time).
absl::Status TrimFeed(Database& database, absl::Time before,
                      absl::Time deadline);

// Forgets the request ids under which changes were made before `before`
// (business time): after that, a repeated call is a new one.
absl::Status ForgetRequests(Database& database, absl::Time before,
                            absl::Time deadline);

// An opaque token for a position of the feed of that incarnation.
std::string EncodeFeedToken(std::string_view incarnation, int64_t position);

// The position in `token`, which stood in the field `field` of a request; no
// position for an empty token. FIELD_MALFORMED when it is no token,
// FEED_INCARNATION_CHANGED when it was given by another incarnation.
absl::StatusOr<std::optional<int64_t>> DecodeFeedToken(
    std::string_view token, std::string_view incarnation,
    std::string_view field = "after_token");

}  // namespace parcours::storage

#endif  // PARCOURS_COMMON_STORAGE_FEED_H_
