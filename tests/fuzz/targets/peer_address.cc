#include <string>

#include "common/quota/address.h"
#include "common/rpc/identity.h"
#include "common/rpc/server.h"
#include "tests/fuzz/target.h"

PARCOURS_FUZZ_TARGET(peer_address) {
  const auto counted = parcours::quota::CountAddress(input);
  PARCOURS_FUZZ_CHECK(counted.local == counted.bytes.empty());
  PARCOURS_FUZZ_CHECK(counted.bytes.size() <= 8);
  const bool loopback = parcours::rpc::IsLoopbackAddress(input);
  if (loopback && !input.starts_with("unix") &&
      !input.starts_with("localhost:")) {
    const std::string_view host = input.substr(0, input.rfind(':'));
    // What may be listened on in plain text is local to quotas, too, where it
    // is an address at all.
    PARCOURS_FUZZ_CHECK(parcours::quota::CountAddress(host).local ||
                        parcours::quota::CountAddress(host).bytes == "?");
  }
  const std::string_view service = parcours::rpc::ServiceOfUri(input);
  PARCOURS_FUZZ_CHECK(service.size() <= input.size());
}
