#ifndef PARCOURS_COMMON_IDENTITY_TOKEN_CACHE_H_
#define PARCOURS_COMMON_IDENTITY_TOKEN_CACHE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/time/time.h"
#include "common/access/principal.h"
#include "common/identity/key_set.h"

namespace parcours::identity {

// What stands for a token: BLAKE2b of its bytes, never the token.
using TokenDigest = std::array<unsigned char, 32>;

TokenDigest DigestOf(std::string_view token);

// What was verified about a token.
struct VerifiedToken {
  access::Principal principal;
  // Index of its issuer.
  std::size_t issuer = 0;
  // With which its signature was verified.
  std::shared_ptr<const VerificationKey> key;
  // It is good from the one to before the other, skew included.
  absl::Time not_before = absl::InfinitePast();
  absl::Time expires;
};

// Verified tokens by digest: bounded, least recently used out first.
// Thread-safe.
class TokenCache {
 public:
  explicit TokenCache(std::size_t capacity);

  // Null when it is not held.
  std::shared_ptr<const VerifiedToken> Find(const TokenDigest& digest);
  void Put(const TokenDigest& digest,
           std::shared_ptr<const VerifiedToken> token);
  void Erase(const TokenDigest& digest);
  std::size_t size();

 private:
  // The digest is uniform: its first bytes are a hash.
  struct FirstBytes {
    std::size_t operator()(const TokenDigest& digest) const;
  };
  using Entries =
      std::list<std::pair<TokenDigest, std::shared_ptr<const VerifiedToken>>>;
  struct Shard {
    std::mutex mutex;  // guards what follows
    // The most recently used first.
    Entries entries;
    std::unordered_map<TokenDigest, Entries::iterator, FirstBytes> by_digest;
  };
  static constexpr std::size_t kShards = 16;

  Shard& ShardOf(const TokenDigest& digest) {
    return shards_[digest.back() % kShards];
  }

  const std::size_t per_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace parcours::identity

#endif  // PARCOURS_COMMON_IDENTITY_TOKEN_CACHE_H_
