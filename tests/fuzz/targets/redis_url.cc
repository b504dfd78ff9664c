#include <string>

#include "common/cache/redis_connection.h"
#include "tests/fuzz/target.h"

PARCOURS_FUZZ_TARGET(redis_url) {
  const auto address = parcours::cache::ParseRedisUrl(input);
  if (!address.ok()) {
    // It may hold a password, and the error does not repeat it.
    static const std::string text(
        parcours::cache::ParseRedisUrl("").status().message());
    PARCOURS_FUZZ_CHECK(address.status().message() == text);
    return;
  }
  if (address->socket_path.empty()) {
    PARCOURS_FUZZ_CHECK(!address->host.empty());
    PARCOURS_FUZZ_CHECK(address->port >= 1 && address->port <= 65535);
    PARCOURS_FUZZ_CHECK(address->host.find('@') == std::string::npos);
  } else {
    PARCOURS_FUZZ_CHECK(address->socket_path.front() == '/');
  }
}
