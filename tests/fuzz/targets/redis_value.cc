#include <memory>
#include <string>
#include <vector>

#include "common/cache/redis_cache.h"
#include "tests/fuzz/target.h"

namespace {

namespace cache = parcours::cache;

// What Redis holds under every key; keeps what a Put sends.
struct Store {
  cache::RedisReply held;
  std::string put;
};

class FakeConnection final : public cache::RedisConnection {
 public:
  explicit FakeConnection(Store& store) : store_(store) {}
  absl::StatusOr<cache::RedisReply> Execute(
      absl::Span<const std::string_view> command) override {
    if (command[0] == "GET") return store_.held;
    store_.put.clear();
    for (const std::size_t part : {4U, 5U, 6U}) store_.put += command[part];
    return cache::RedisReply{cache::RedisReply::Kind::kInteger, "", 1};
  }
  bool usable() const override { return true; }

 private:
  Store& store_;
};

}  // namespace

// What is not sealed by us is a miss, however little of it was changed.
PARCOURS_FUZZ_TARGET(redis_value) {
  static Store store;
  static cache::CacheCounters counters;
  static const absl::Time now = absl::FromUnixSeconds(1'780'000'000);
  static auto* const redis = [] {
    cache::RedisCacheOptions options;
    options.sealing_key = "a key of thirty-two bytes, fixed";
    auto created = cache::RedisCache::Create(
        options,
        []() -> absl::StatusOr<std::unique_ptr<cache::RedisConnection>> {
          return std::make_unique<FakeConnection>(store);
        },
        [] { return now; }, &counters);
    PARCOURS_FUZZ_CHECK(created.ok());
    return std::move(created)->release();
  }();
  const auto held = [&](std::string value) {
    store.held = {cache::RedisReply::Kind::kString, std::move(value), 0};
    return redis->Get("enrolment:opale:programme:s1:x");
  };
  PARCOURS_FUZZ_CHECK(!held(std::string(input)).has_value());

  const unsigned place = parcours::fuzz::TakeByte(input);
  const unsigned mask = parcours::fuzz::TakeByte(input);
  redis->Put("enrolment:opale:programme:s1:x", 7, 11, input, now,
             absl::Seconds(9));
  const auto whole = held(store.put);
  PARCOURS_FUZZ_CHECK(whole.has_value() && whole->payload == input &&
                      whole->position == 11);
  std::string changed = store.put;
  char& byte = changed[place * changed.size() / 256];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (mask | 1));
  PARCOURS_FUZZ_CHECK(!held(changed).has_value());
  PARCOURS_FUZZ_CHECK(!held(store.put.substr(1)).has_value());
  PARCOURS_FUZZ_CHECK(!held(store.put + "x").has_value());
}
