#include "common/identity/token_cache.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

namespace parcours::identity {

TokenDigest DigestOf(std::string_view token) {
  TokenDigest digest;
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<const unsigned char*>(token.data()),
                     token.size(), nullptr, 0);
  return digest;
}

std::size_t TokenCache::FirstBytes::operator()(
    const TokenDigest& digest) const {
  std::size_t hash;
  std::memcpy(&hash, digest.data(), sizeof(hash));
  return hash;
}

TokenCache::TokenCache(std::size_t capacity)
    : per_shard_(std::max<std::size_t>(1, capacity / kShards)) {}

std::shared_ptr<const VerifiedToken> TokenCache::Find(
    const TokenDigest& digest) {
  Shard& shard = ShardOf(digest);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.by_digest.find(digest);
  if (found == shard.by_digest.end()) return nullptr;
  shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
  return found->second->second;
}

void TokenCache::Put(const TokenDigest& digest,
                     std::shared_ptr<const VerifiedToken> token) {
  Shard& shard = ShardOf(digest);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.by_digest.find(digest);
  if (found != shard.by_digest.end()) {
    found->second->second = std::move(token);
    shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
    return;
  }
  if (shard.entries.size() >= per_shard_) {
    shard.by_digest.erase(shard.entries.back().first);
    shard.entries.pop_back();
  }
  shard.entries.emplace_front(digest, std::move(token));
  shard.by_digest.emplace(digest, shard.entries.begin());
}

void TokenCache::Erase(const TokenDigest& digest) {
  Shard& shard = ShardOf(digest);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.by_digest.find(digest);
  if (found == shard.by_digest.end()) return;
  shard.entries.erase(found->second);
  shard.by_digest.erase(found);
}

std::size_t TokenCache::size() {
  std::size_t total = 0;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    total += shard.entries.size();
  }
  return total;
}

}  // namespace parcours::identity
