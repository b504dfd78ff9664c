#include "common/cache/redis_cache.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <tuple>

namespace parcours::cache {
namespace {

constexpr size_t kVersionDigits = 20;
// Expiry and position, in front of the payload.
constexpr size_t kHeaderBytes = 16;
constexpr std::string_view kValue = "v";
constexpr std::string_view kTombstone = "t";
constexpr int kDeferredPerCall = 8;

// KEYS: the key. ARGV: version, kind, sealed, life in ms, and for values the
// time in ms since 1970 after which the command comes too late: one that waited
// in the socket of a stalled server could otherwise come after the tombstone's
// end. Returns 1 taken, 0 older than what is held, -1 too late.
constexpr std::string_view kSetUnlessOlder = R"lua(
local version, kind = ARGV[1], ARGV[2]
if kind == 'v' then
  local now = redis.call('TIME')
  if now[1] * 1000 + now[2] / 1000 > tonumber(ARGV[5]) then return -1 end
end
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'string' then
  local guard, held_kind = string.match(held, '^(%d+)([vt])')
  if guard and #guard == 20 then
    if version < guard then return 0 end
    if version == guard and kind == 't' and held_kind == 'v' then return 1 end
  end
end
redis.call('SET', KEYS[1], version .. kind .. ARGV[3], 'PX', ARGV[4])
return 1
)lua";
// SHA-1 of the script, by which Redis knows it once it was sent in full. A
// wrong digest would cost a round trip, and is caught by a test.
constexpr std::string_view kSetUnlessOlderDigest =
    "d84d926371cf0cdc814e0b99482dcf013124b3d0";

std::string VersionText(int64_t version) {
  char text[kVersionDigits + 1];
  std::snprintf(text, sizeof(text), "%020lld", static_cast<long long>(version));
  return text;
}

std::optional<int64_t> ParseVersion(std::string_view text) {
  int64_t version = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 0) {
    return std::nullopt;
  }
  return version;
}

std::string MillisText(absl::Duration duration) {
  return std::to_string(absl::ToInt64Milliseconds(duration));
}

std::string BigEndian(int64_t number) {
  std::string text(8, '\0');
  for (size_t i = 0; i < 8; ++i) {
    text[i] = static_cast<char>(static_cast<uint64_t>(number) >> (56 - 8 * i));
  }
  return text;
}

int64_t FromBigEndian(std::string_view text) {
  uint64_t number = 0;
  for (const char byte : text) {
    number = number << 8 | static_cast<unsigned char>(byte);
  }
  return static_cast<int64_t>(number);
}

std::string AssociatedData(std::string_view version, std::string_view key) {
  return std::string(version).append(key);
}

// Whether the server answered, though not as wished.
bool Answered(const absl::Status& status) {
  return status.ok() || absl::IsNotFound(status) ||
         absl::IsFailedPrecondition(status) ||
         absl::IsResourceExhausted(status);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RedisCache>> RedisCache::Create(
    const RedisCacheOptions& options, RealClock clock,
    CacheCounters* counters) {
  return Create(
      options,
      [connection = options.connection] { return ConnectToRedis(connection); },
      std::move(clock), counters);
}

absl::StatusOr<std::unique_ptr<RedisCache>> RedisCache::Create(
    const RedisCacheOptions& options, Connect connect, RealClock clock,
    CacheCounters* counters) {
  absl::StatusOr<crypto::Sealer> sealer =
      crypto::Sealer::Create(options.sealing_key);
  if (!sealer.ok()) return sealer.status();
  return std::unique_ptr<RedisCache>(
      new RedisCache(options, *std::move(sealer), std::move(connect),
                     std::move(clock), counters));
}

RedisCache::RedisCache(const RedisCacheOptions& options, crypto::Sealer sealer,
                       Connect connect, RealClock clock,
                       CacheCounters* counters)
    : options_(options),
      sealer_(std::move(sealer)),
      connect_(std::move(connect)),
      clock_(std::move(clock)),
      counters_(*counters),
      breaker_(options.breaker, clock_) {}

std::optional<SharedCache::Entry> RedisCache::Get(std::string_view key) {
  if (Distrusted()) {
    Increment(counters_.miss);
    return std::nullopt;
  }
  // Before what is deferred is written: the value may be read before that.
  const int64_t at_least = DeferredVersion(key);
  const absl::StatusOr<RedisReply> reply =
      Run([key](RedisConnection& connection) {
        return connection.Execute({"GET", key});
      });
  if (!reply.ok()) return std::nullopt;
  WriteDeferred();
  if (reply->kind == RedisReply::Kind::kNil) {
    Increment(counters_.miss);
    return std::nullopt;
  }

  const std::string_view stored = reply->text;
  const std::string_view digits = stored.substr(0, kVersionDigits);
  const std::string_view rest = stored.substr(digits.size());
  const std::optional<int64_t> version = ParseVersion(digits);
  if (version.has_value() && rest == kTombstone) {
    Increment(counters_.miss);
    return std::nullopt;
  }
  std::optional<std::string> clear;
  if (version.has_value() && rest.substr(0, 1) == kValue) {
    clear = sealer_.Open(rest.substr(1), AssociatedData(digits, key));
  }
  if (!clear.has_value() || clear->size() < kHeaderBytes) {
    Increment(counters_.error);
    return std::nullopt;
  }
  const absl::Time expires =
      absl::FromUnixMicros(FromBigEndian(clear->substr(0, 8)));
  // The expiry is sealed since Redis' own does not bind who stores an old value
  // again. Far in the future, it was made by a clock that is wrong.
  const absl::Time now = clock_();
  if (*version < at_least || now >= expires ||
      expires > now + 2 * options_.max_ttl) {
    Increment(counters_.stale);
    return std::nullopt;
  }
  Increment(counters_.hit);
  return Entry{*version, FromBigEndian(clear->substr(8, 8)),
               clear->substr(kHeaderBytes), expires};
}

void RedisCache::Put(std::string_view key, int64_t version, int64_t position,
                     std::string_view payload, absl::Time read_time,
                     absl::Duration ttl) {
  if (payload.size() > options_.max_payload_bytes || version < 0) return;
  if (version < DeferredVersion(key)) {
    Increment(counters_.guard_rejected);
    return;
  }
  const absl::Time now = clock_();
  const absl::Time apply_by = read_time + options_.tombstone_ttl / 2;
  const absl::Time expires = read_time + std::min(ttl, options_.max_ttl);
  const absl::Duration life = expires - now;
  if (now < read_time || now > apply_by || life < absl::Milliseconds(1)) return;
  const std::string digits = VersionText(version);
  // The position is sealed, since it vouches for the value: whoever can write
  // to Redis could otherwise make an old one pass for new.
  const std::string sealed = sealer_.Seal(BigEndian(absl::ToUnixMicros(expires))
                                              .append(BigEndian(position))
                                              .append(payload),
                                          AssociatedData(digits, key));
  const absl::StatusOr<bool> taken =
      SetUnlessOlder(key, digits, kValue, sealed, life, apply_by);
  if (!taken.ok()) return;
  if (!*taken) Increment(counters_.guard_rejected);
  WriteDeferred();
}

void RedisCache::Invalidate(std::string_view key, int64_t version) {
  if (!SetTombstone(key, version).ok()) {
    Increment(counters_.invalidation_deferred);
    Defer(key, version);
    return;
  }
  Written(key, version);
  WriteDeferred();
}

absl::StatusOr<bool> RedisCache::SetUnlessOlder(
    std::string_view key, std::string_view version, std::string_view kind,
    std::string_view sealed, absl::Duration ttl, absl::Time apply_by) {
  const std::string life = MillisText(ttl);
  const std::string latest = std::to_string(absl::ToUnixMillis(apply_by));
  const absl::StatusOr<RedisReply> reply =
      Run([&](RedisConnection& connection) -> absl::StatusOr<RedisReply> {
        absl::StatusOr<RedisReply> known =
            connection.Execute({"EVALSHA", kSetUnlessOlderDigest, "1", key,
                                version, kind, sealed, life, latest});
        if (!absl::IsNotFound(known.status())) return known;
        return connection.Execute({"EVAL", kSetUnlessOlder, "1", key, version,
                                   kind, sealed, life, latest});
      });
  if (!reply.ok()) return reply.status();
  return reply->integer == 1;
}

absl::StatusOr<RedisReply> RedisCache::Run(
    absl::FunctionRef<absl::StatusOr<RedisReply>(RedisConnection&)> command) {
  std::optional<CircuitBreaker::Permit> permit = breaker_.Ask();
  if (!permit.has_value()) {
    Increment(counters_.breaker_open);
    return absl::UnavailableError("the breaker is open");
  }
  absl::StatusOr<std::unique_ptr<RedisConnection>> connection = Borrow();
  if (!connection.ok()) {
    permit->Failed();
    Increment(counters_.error);
    return connection.status();
  }
  if (*connection == nullptr) {
    Increment(counters_.pool_exhausted);
    return absl::UnavailableError("every connection is in use");
  }
  absl::StatusOr<RedisReply> reply = command(**connection);
  GiveBack(*std::move(connection));
  if (!reply.ok()) Increment(counters_.error);
  if (Answered(reply.status())) {
    permit->Succeeded();
  } else {
    permit->Failed();
  }
  return reply;
}

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisCache::Borrow() {
  {
    const std::lock_guard lock(pool_mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<RedisConnection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
    if (open_ >= options_.connections) return nullptr;
    ++open_;
  }
  absl::StatusOr<std::unique_ptr<RedisConnection>> connection = connect_();
  if (!connection.ok()) {
    const std::lock_guard lock(pool_mutex_);
    --open_;
  }
  return connection;
}

void RedisCache::GiveBack(std::unique_ptr<RedisConnection> connection) {
  std::vector<std::unique_ptr<RedisConnection>> dead;
  const std::lock_guard lock(pool_mutex_);
  if (connection->usable()) {
    idle_.push_back(std::move(connection));
    return;
  }
  // What broke one has most likely broken the idle ones: without this, each of
  // them would cost one more failure after a restart of Redis.
  dead.swap(idle_);
  dead.push_back(std::move(connection));
  open_ -= dead.size();
}

void RedisCache::Defer(std::string_view key, int64_t version) {
  const std::lock_guard lock(deferred_mutex_);
  behind_.store(true, std::memory_order_release);
  const auto known = deferred_.find(std::string(key));
  if (known != deferred_.end()) {
    known->second = std::max(known->second, version);
  } else if (deferred_.size() < options_.max_deferred) {
    deferred_.emplace(key, version);
  } else {
    distrusted_until_ = clock_() + options_.max_ttl;
  }
}

void RedisCache::Written(std::string_view key, int64_t version) {
  if (!behind_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(deferred_mutex_);
  const auto known = deferred_.find(std::string(key));
  if (known != deferred_.end() && known->second <= version) {
    deferred_.erase(known);
  }
  behind_.store(!deferred_.empty() || clock_() < distrusted_until_,
                std::memory_order_release);
}

void RedisCache::WriteDeferred() {
  if (!behind_.load(std::memory_order_acquire)) return;
  if (writing_deferred_.exchange(true, std::memory_order_acq_rel)) return;
  for (int i = 0; i < kDeferredPerCall; ++i) {
    std::string key;
    int64_t version = 0;
    {
      const std::lock_guard lock(deferred_mutex_);
      if (deferred_.empty()) break;
      std::tie(key, version) = *deferred_.begin();
    }
    if (!SetTombstone(key, version).ok()) break;
    Written(key, version);
  }
  writing_deferred_.store(false, std::memory_order_release);
}

absl::Status RedisCache::SetTombstone(std::string_view key, int64_t version) {
  // A tombstone never comes too late: it costs a hit at worst.
  return SetUnlessOlder(key, VersionText(version), kTombstone, "",
                        options_.tombstone_ttl, absl::UnixEpoch())
      .status();
}

int64_t RedisCache::DeferredVersion(std::string_view key) const {
  if (!behind_.load(std::memory_order_acquire)) return 0;
  const std::lock_guard lock(deferred_mutex_);
  const auto known = deferred_.find(std::string(key));
  return known == deferred_.end() ? 0 : known->second;
}

bool RedisCache::Distrusted() {
  if (!behind_.load(std::memory_order_acquire)) return false;
  const std::lock_guard lock(deferred_mutex_);
  // A clock set back must not prolong it.
  distrusted_until_ = std::min(distrusted_until_, clock_() + options_.max_ttl);
  return clock_() < distrusted_until_;
}

}  // namespace parcours::cache
